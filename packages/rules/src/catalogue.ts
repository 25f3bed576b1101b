import type { FieldSpec } from '@ringfence/schema';

export type { FieldSpec, FieldType, FieldValue } from '@ringfence/schema';

export interface FieldCatalogue<E> {
  /** Every field, in the order of documentation. Names and aliases are unique over the whole catalogue. */
  readonly fields: readonly FieldSpec<E>[];
}

/** How a caller's events are told apart. */
export interface EventKinds<E> {
  /** every kind: fork, exec, exit, credentials, open, connect, tick */
  readonly names: readonly string[];
  /** The kind of an event: an index in `names` (fast) or the name itself. An event of no listed kind matches nothing. */
  of(event: E): number | string;
}

/** Where a rule language looks up the fields it names. */
export interface FieldLookup<E> {
  find(name: string): FieldSpec<E> | undefined;
  /** as the native language names it */
  own(name: string): FieldSpec<E> | undefined;
  /** what may be meant by a name that isn't found */
  names(): Iterable<string>;
}

/** Finds fields by name or alias. */
export class FieldIndex<E> implements FieldLookup<E> {
  readonly #byName = new Map<string, FieldSpec<E>>();

  constructor(catalogue: FieldCatalogue<E>) {
    for (const field of catalogue.fields) {
      this.#byName.set(field.name, field);
      for (const alias of field.aliases ?? []) this.#byName.set(alias, field);
    }
  }

  find(name: string): FieldSpec<E> | undefined {
    return this.#byName.get(name);
  }

  own(name: string): FieldSpec<E> | undefined {
    return this.find(name);
  }

  names(): Iterable<string> {
    return this.#byName.keys();
  }
}
