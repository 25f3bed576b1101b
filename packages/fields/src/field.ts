import type { EventView, ProcessInfo, TextSpan } from '@ringfence/wire';
import { type BooleanLeaf, type BytesLeaf, KIND, type LongLeaf } from '@ringfence/wire';

/** Value of a field; undefined: the event has no such value. */
export type FieldValue = string | number | boolean | readonly string[] | undefined;

/** `ip` values are text ("10.0.0.1", "fe80::1"); `strings` has several, such as the arguments of a process. */
export type FieldType = 'string' | 'number' | 'bool' | 'ip' | 'strings';

/** Object that a field describes, such as a process: values are cached per object. */
export interface Subject<E> {
  /**
   * Events with the same object have the same values. null: no object, so no value. undefined: the value is per event.
   */
  of(event: E): object | null | undefined;
  /** Events with the same object of this subject also share the object: a process determines its parent. */
  readonly within?: Subject<E>;
}

/** A field that conditions and outputs can name. */
export interface FieldSpec<E> {
  /** ECS name where ECS has one */
  readonly name: string;
  readonly type: FieldType;
  /** Description for authors of rules, shown by hints and in docs/FIELDS.md. */
  readonly doc: string;
  /** Falco's and Sigma's names of the same field */
  readonly aliases?: readonly string[];
  /**
   * Names of the event kinds that can have a value; undefined: all. On other kinds the field is absent, and `get` is
   * not called.
   */
  readonly kinds?: readonly string[];
  /**
   * The constant value on a kind, by the kind's name: `event.action` is "exec" on every exec. Comparisons with it are
   * decided at compile time, and restrict the kinds that a rule is dispatched on. On other kinds `get` is called.
   */
  readonly constants?: Readonly<Record<string, string | number | boolean>>;
  /** The possible values on a kind, if there are few: a rule that needs another value isn't dispatched on the kind. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
  /** All possible values, over all kinds. A rule that compares the field with another value gets a warning. */
  readonly oneOf?: readonly string[];
  /** Hints by the values that other products use instead of this field's values. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** `name[2]` (index, from 0) or `name[key]`; undefined: no argument. */
  readonly argument?: 'index' | 'key';
  /** The argument may be left out. @default false */
  readonly argumentOptional?: boolean;
  /** The field is a part of the path in another field, so conditions on it can become path filters. */
  readonly part?: { readonly of: string; readonly is: 'directory' | 'name' | 'extension' };
  /** Other spellings of values, by spelling: `openat2` is `openat`. Values in rules are looked up here. */
  readonly spellings?: Readonly<Record<string, string>>;
  /** Names of fields that this field stands for: a comparison holds if it holds for any of them. */
  readonly anyOf?: readonly [string, ...string[]];
  /** The reason why the field never has a value; no kind has such a field. */
  readonly never?: string;
  /** Returns the reason why the field never has this value; undefined: it can. */
  readonly neverIs?: (value: string) => string | undefined;
  /** The field is `value` if field `of` is absent: a comparison with `value` tests the presence of `of`. */
  readonly otherwise?: { readonly value: string; readonly of: string };
  /** A value that few events with the field have: conditions on it are evaluated for those events only. */
  readonly rare?: boolean;
  /** Smallest possible value. */
  readonly least?: number;
  /**
   * Rule files of this format use the name without the prefix: their proc.name is `falco.proc.name`. Documents of
   * events omit the field, because other fields have the same information.
   */
  readonly dialect?: 'falco';
  /** The object that the value describes, which may depend on the argument. @default the event */
  readonly subject?: Subject<E> | ((argument: string | number | undefined) => Subject<E>);
  /**
   * Sets `place` to bytes that equal the value if all of them are ASCII, so that they can be searched without creating
   * a string. Returns false if `get` must be called instead.
   */
  readonly locate?: (event: E, place: TextSpan) => boolean;
  /** Called at most once per event and argument. Must not throw and must not depend on anything but the event. */
  get(event: E, argument?: string | number): FieldValue;
}

/** A field of this catalogue. */
export type Field = FieldSpec<EventView>;

/** Accessors of a leaf of the event's body. They must only be called for events of the leaf's kind. */
export const bodyLong =
  (leaf: LongLeaf) =>
  (event: EventView): number =>
    event.cursor.leafLong(leaf);
export const bodyBoolean =
  (leaf: BooleanLeaf) =>
  (event: EventView): boolean =>
    event.cursor.leafBoolean(leaf);
export const bodyText =
  (leaf: BytesLeaf) =>
  (event: EventView): string =>
    event.cursor.leafText(leaf);

/** An exec event has a complete copy of the new image; other events use the context of the process. */
export const isExec = (event: EventView): boolean => event.cursor.kind === KIND.Exec;

/** The event's process. Some events have their own copy of its values, or describe another process. */
export const ofProcess: Subject<EventView> = {
  of: ({ cursor: { kind }, process }) =>
    kind === KIND.Exec || kind === KIND.Hash || kind === KIND.Log ? undefined : process,
};

/** Values that belong to a single event. */
export const ofEvent: Subject<EventView> = { of: () => undefined };

/** The parent of the process and its ancestors. */
export const ofParent: Subject<EventView> = { of: ({ process }) => process?.parent ?? null, within: ofProcess };

/** Index 0 is the process itself, other indexes are its ancestors. */
export const ofLineage = (argument: string | number | undefined): Subject<EventView> =>
  argument === 0 ? ofProcess : ofParent;

export const MAX_ANCESTORS = 64;

/**
 * Values of the ancestor with an index (1 is the parent), or of all ancestors. Unknown ancestors (empty texts) are
 * skipped.
 */
export const ancestors =
  (of: (process: ProcessInfo) => string): Field['get'] =>
  (event, argument) => {
    if (typeof argument === 'number') {
      const ancestor = event.process?.ancestor(argument);
      const value = ancestor === undefined ? '' : of(ancestor);
      return value === '' ? undefined : [value];
    }
    const all: string[] = [];
    for (
      let ancestor = event.process?.parent;
      ancestor !== undefined && all.length < MAX_ANCESTORS;
      ancestor = ancestor.parent
    ) {
      const value = of(ancestor);
      if (value !== '') all.push(value);
    }
    return all.length === 0 ? undefined : all;
  };

export const ofContainer: Subject<EventView> = { of: ({ container }) => container ?? null };

/** An empty text is no value. */
export const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

/** Returns the last component of a path. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Returns a path without its last component. */
export const directory = (path: string): string =>
  path.slice(0, Math.max(path.lastIndexOf('/'), path.startsWith('/') ? 1 : 0));

/** Returns the accessor of a field in the list, for fields that show the same value in another form. */
export function accessor(fields: readonly Field[], name: string): Field['get'] {
  const found = fields.find((field) => field.name === name);
  if (found === undefined) throw new Error(`no field ${name}`);
  return found.get;
}
