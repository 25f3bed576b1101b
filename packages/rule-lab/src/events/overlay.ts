import { catalogue, eventKinds, type Field, type FieldValue } from '@ringfence/fields';
import type { EventView } from '@ringfence/wire';
import type { GivenEvent } from './given.ts';

/**
 * The catalogue, with values that an event was given in front of those it has. Most fields of a written event go the way of real ones and have the value
 * that was asked for; what has no such way is laid over it.
 */
export class Overlay {
  readonly catalogue: { readonly fields: readonly Field[] };
  #given: GivenEvent['fields'] = new Map();

  constructor() {
    this.catalogue = {
      fields: catalogue.fields.map((field) => this.#overlaid(field)),
    };
  }

  /** What the fields of the next events read, beside what they have. Returns the names of those whose own value is another. */
  lay(given: GivenEvent | undefined, event: EventView): string[] {
    this.#given = given?.fields ?? new Map();
    return [...this.#given]
      .filter(([, { field, argument, value }]) => !isEqual(field.get(event, argument), value))
      .map(([name]) => name);
  }

  /** A value that is laid over is the event's alone, whatever its process is, and may contradict the path that it would be a part of. */
  #overlaid(field: Field): Field {
    const { subject: _, part: __, locate: ___, ...whole } = field;
    return { ...whole, get: (...asked) => this.#get(field, ...asked) };
  }

  #get(field: Field, event: EventView, argument?: string | number): FieldValue {
    // Explanations ask whatever the condition names, of events of any kind.
    if (field.kinds !== undefined && !field.kinds.includes(eventKinds.names[event.cursor.kind] ?? '')) return undefined;
    if (this.#given.size === 0) return field.get(event, argument);
    const name = argument === undefined ? field.name : `${field.name}[${argument}]`;
    return this.#given.get(name)?.value ?? field.get(event, argument);
  }
}

function isEqual(has: FieldValue, wanted: FieldValue): boolean {
  if (typeof has !== 'object' || typeof wanted !== 'object') return has === wanted;
  return has.length === wanted.length && has.every((item, i) => item === wanted[i]);
}
