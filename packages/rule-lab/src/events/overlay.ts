import { catalogue, eventKinds, type Field, type FieldValue } from '@ringfence/fields';
import { addressText, type EventView, normalPath } from '@ringfence/wire';
import { bytesOf } from './body-values.ts';
import type { GivenEvent } from './given.ts';
import type { GivenFields } from './given-fields.ts';

/**
 * The catalogue, with the values that a test gives in front of those that the event has. Most fields of a written event
 * come with the event itself; a field that no call gives is set on it.
 */
export class Overlay {
  readonly catalogue: { readonly fields: readonly Field[] };
  #given: GivenFields = new Map();

  constructor() {
    this.catalogue = {
      fields: catalogue.fields.map((field) => this.#overlaid(field)),
    };
  }

  /** Sets the given values on the next event. Returns the names of those that the event does not have itself. */
  lay(given: GivenEvent | undefined, event: EventView): string[] {
    const missing = [...(given?.fields ?? [])].filter(
      ([, { field, argument, value }]) => !agrees(field, field.get(event, argument), value),
    );
    this.#given = new Map(missing);
    return missing.map(([name]) => name);
  }

  /**
   * A value that is set belongs to this event alone: its subject, or the path that it is a part of, may differ.
   */
  #overlaid(field: Field): Field {
    const { subject: _, part: __, locate: ___, ...whole } = field;
    return { ...whole, get: (...asked) => this.#get(field, ...asked) };
  }

  #get(field: Field, event: EventView, argument?: string | number): FieldValue {
    // An explanation reads every field that the condition names, on events of any kind.
    if (field.kinds !== undefined && !field.kinds.includes(eventKinds.names[event.cursor.kind] ?? '')) return undefined;
    if (this.#given.size === 0) return field.get(event, argument);
    const name = argument === undefined ? field.name : `${field.name}[${argument}]`;
    return this.#given.get(name)?.value ?? field.get(event, argument);
  }
}

/**
 * Whether an event has the given value. The catalogue shows paths normalised, IPv4 without the prefix of IPv6, and
 * nothing for 0 or an empty text; a line of a log begins with a time and a program.
 */
function agrees({ name, type }: Field, has: FieldValue, given: FieldValue): boolean {
  if (typeof has === 'object' && typeof given === 'object')
    return has.length === given.length && has.every((item, i) => item === given[i]);
  if (has === given) return true;
  if (given === 0 || given === '') return has === undefined;
  if (typeof given !== 'string') return false;
  if (name === 'message') return typeof has === 'string' && has.endsWith(`: ${given}`);
  return type === 'ip' ? has === addressText(bytesOf(given)) : given.startsWith('/') && has === normalPath(given);
}
