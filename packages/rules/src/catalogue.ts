/** What a field's accessor hands out; undefined: the event has no such value. */
export type FieldValue = string | number | boolean | readonly string[] | undefined;

/** `ip` values are text ("10.0.0.1", "fe80::1"); `strings` holds several, such as the arguments of a process. */
export type FieldType = 'string' | 'number' | 'bool' | 'ip' | 'strings';

/** One field that conditions and outputs can name. */
export interface FieldSpec<E> {
  /** ECS name where ECS has one */
  readonly name: string;
  readonly type: FieldType;
  /** One sentence for people who write rules; shown by hints and by the field reference. */
  readonly doc: string;
  /** Falco's and Sigma's names of the same field */
  readonly aliases?: readonly string[];
  /** Names of the event kinds on which it can have a value; undefined: all. On any other kind it counts as absent without being asked. */
  readonly kinds?: readonly string[];
  /**
   * The value it always has on a kind, by the kind's name: `event.action` is "exec" on every exec. A comparison with it is decided when rules are
   * compiled, and says which kinds a rule is dispatched on. On a kind that is not listed the event is asked.
   */
  readonly constants?: Readonly<Record<string, string | number | boolean>>;
  /** `name[2]` (index, from 0) or `name[key]`; undefined: it takes no argument */
  readonly argument?: 'index' | 'key';
  /** The argument may be left out. @default false */
  readonly argumentOptional?: boolean;
  /** It is a part of the path that another field holds: what conditions say of it may become a filter of paths (`CompileOptions.filtered`). */
  readonly part?: { readonly of: string; readonly is: 'directory' | 'name' };
  /** Called at most once per event and argument. Must not throw and must not depend on anything but the event. */
  get(event: E, argument?: string | number): FieldValue;
}

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

/** Finds fields by name or alias. */
export class FieldIndex<E> {
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

  names(): Iterable<string> {
    return this.#byName.keys();
  }
}
