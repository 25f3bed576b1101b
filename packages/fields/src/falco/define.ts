import { kindName, layouts } from '@ringfence/wire';
import type { Field } from '../field.ts';

const KINDS = layouts.map(({ name }) => kindName(name));

/** A field as Falco has it, where its form or meaning differs from that of ours. */
export function falco(
  name: string,
  type: Field['type'],
  doc: string,
  get: Field['get'],
  more: Partial<Field> = {},
): Field {
  return { name: `falco.${name}`, type, doc, dialect: 'falco', get, ...more };
}

/** Stands for several fields: in conditions for any of them, in outputs for the first that has a value. */
export function anyOf(
  name: string,
  type: Field['type'],
  doc: string,
  fields: readonly Field[],
  ...names: readonly [string, ...string[]]
): Field {
  const all = names.map((one) => {
    const found = fields.find((field) => field.name === one);
    if (found === undefined) throw new Error(`no field ${one}`);
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

/** Fields of Falco that no event here can have, for one reason. Rules that compare them are told so. */
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
