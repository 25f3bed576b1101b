import type { FieldSpec } from '@ringfence/fields';

export type { FieldSpec, FieldType, FieldValue, Subject } from '@ringfence/fields';
export type { TextSpan } from '@ringfence/wire';

export interface FieldCatalogue<E> {
  /** Every field, in the order of the documentation. Names and aliases are unique in the whole catalogue. */
  readonly fields: readonly FieldSpec<E>[];
}

/** The kinds of the caller's events. */
export interface EventKinds<E> {
  /** Every kind: fork, exec, exit, credentials, open, connect, tick. */
  readonly names: readonly string[];
  /**
   * Returns the kind of an event: an index in `names` (fast) or the name itself. An event of an unlisted kind matches
   * no rule.
   */
  of(event: E): number | string;
  /**
   * Events of what was there before the agent, such as a program that was running: only rules that name `field` match
   * them, because others mean what happens. @default there are none
   */
  readonly found?: { readonly field: string; is(event: E): boolean };
}

/** Looks up the fields that a rule language names. */
export interface FieldLookup<E> {
  find(name: string): FieldSpec<E> | undefined;
  /** Looks up a field by its name in the native language. */
  native(name: string): FieldSpec<E> | undefined;
  /** Names to suggest for a name that is not found. */
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

  native(name: string): FieldSpec<E> | undefined {
    return this.find(name);
  }

  names(): Iterable<string> {
    return this.#byName.keys();
  }
}

const UNGUARDED = new WeakMap<object, unknown>();
/** By kinds, then by field: a field has the same guarded version in all rule sets. */
const GUARDED = new WeakMap<object, WeakMap<object, unknown>>();

/**
 * Returns the catalogue with fields that are absent on events of other kinds. Conditions are compiled by kind and never
 * read a field of another one, but outputs, keys and explanations read fields of any event.
 */
export function onOwnKinds<E>({ fields }: FieldCatalogue<E>, kinds: EventKinds<E>): FieldCatalogue<E> {
  return { fields: fields.map((field) => (field.kinds === undefined ? field : guarded(field, field.kinds, kinds))) };
}

function guarded<E>(field: FieldSpec<E>, ownKinds: readonly string[], kinds: EventKinds<E>): FieldSpec<E> {
  const fields = GUARDED.get(kinds) ?? new WeakMap<object, unknown>();
  GUARDED.set(kinds, fields);
  const made = (fields.get(field) as FieldSpec<E> | undefined) ?? guardedAnew(field, ownKinds, kinds);
  fields.set(field, made);
  return made;
}

function guardedAnew<E>(field: FieldSpec<E>, ownKinds: readonly string[], kinds: EventKinds<E>): FieldSpec<E> {
  const has = kinds.names.map((name) => ownKinds.includes(name));
  const get: FieldSpec<E>['get'] = (event, argument) => {
    const kind = kinds.of(event);
    return (typeof kind === 'number' ? has[kind] === true : ownKinds.includes(kind))
      ? field.get(event, argument)
      : undefined;
  };
  UNGUARDED.set(get, field.get);
  return { ...field, get };
}

/** Returns the field's unguarded reader, for callers that know that the event is of one of the field's kinds. */
export function unguarded<E>({ get }: FieldSpec<E>): FieldSpec<E>['get'] {
  return (UNGUARDED.get(get) as FieldSpec<E>['get'] | undefined) ?? get;
}
