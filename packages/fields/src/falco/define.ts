import { kindName, layouts } from '@ringfence/wire';
import type { Field } from '../field.ts';

const KINDS = layouts.map(({ name }) => kindName(name));

/** Defines a field of Falco whose form or meaning differs from the ECS field. */
export function falco(
  name: string,
  type: Field['type'],
  doc: string,
  get: Field['get'],
  more: Partial<Field> = {},
): Field {
  return { name: `falco.${name}`, type, doc, dialect: 'falco', get, ...more };
}

/**
 * Defines a field that combines several fields. A condition holds if it holds for one of them; an output shows the
 * first that has a value.
 */
export function anyOf(
  name: string,
  type: Field['type'],
  doc: string,
  fields: readonly Field[],
  ...names: readonly [string, ...string[]]
): Field {
  const all = names.map((member) => {
    const found = fields.find((field) => field.name === member);
    if (found === undefined) throw new Error(`no field ${member}`);
    return found;
  });
  const get: Field['get'] = (event) => {
    const kind = KINDS[event.cursor.kind] ?? '';
    for (const field of all) {
      if (field.kinds !== undefined && !field.kinds.includes(kind)) continue;
      const value = field.get(event);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  return falco(name, type, doc, get, { anyOf: names });
}

const nothing = (): undefined => undefined;

/** Defines fields of Falco that no event has, with the reason. A warning quotes it when a rule compares them. */
export function never(reason: string, names: string): Field[] {
  return names.split(/\s+/).map((name) =>
    falco(name, 'string', `Never available: ${reason}.`, nothing, {
      never: reason,
      kinds: [],
      argument: 'key',
      argumentOptional: true,
    }),
  );
}
