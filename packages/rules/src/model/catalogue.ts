import type { FieldSpec } from '@ringfence/fields';

export type { FieldSpec, FieldType, FieldValue, Subject } from '@ringfence/fields';
export type { TextSpan } from '@ringfence/wire';

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

const UNGUARDED = new WeakMap<object, unknown>();
/** by kinds, then by field: the same field is the same in all sets of rules */
const GUARDED = new WeakMap<object, WeakMap<object, unknown>>();

/**
 * The catalogue with fields that answer on their kinds only: conditions are compiled by kind and never ask on another, but outputs, keys and
 * explanations ask of whatever event is in hand.
 */
export function onOwnKinds<E>({ fields }: FieldCatalogue<E>, kinds: EventKinds<E>): FieldCatalogue<E> {
  return { fields: fields.map((field) => (field.kinds === undefined ? field : guarded(field, field.kinds, kinds))) };
}

function guarded<E>(field: FieldSpec<E>, own: readonly string[], kinds: EventKinds<E>): FieldSpec<E> {
  const fields = GUARDED.get(kinds) ?? new WeakMap<object, unknown>();
  GUARDED.set(kinds, fields);
  const made = (fields.get(field) as FieldSpec<E> | undefined) ?? guardedAnew(field, own, kinds);
  fields.set(field, made);
  return made;
}

function guardedAnew<E>(field: FieldSpec<E>, own: readonly string[], kinds: EventKinds<E>): FieldSpec<E> {
  const has = kinds.names.map((name) => own.includes(name));
  const get: FieldSpec<E>['get'] = (event, argument) => {
    const kind = kinds.of(event);
    return (typeof kind === 'number' ? has[kind] === true : own.includes(kind))
      ? field.get(event, argument)
      : undefined;
  };
  UNGUARDED.set(get, field.get);
  return { ...field, get };
}

/** For who knows that the event is of one of the field's kinds. */
export function unguarded<E>({ get }: FieldSpec<E>): FieldSpec<E>['get'] {
  return (UNGUARDED.get(get) as FieldSpec<E>['get'] | undefined) ?? get;
}
