import {
  type BooleanLeaf,
  type BytesLeaf,
  type EventView,
  KIND,
  type LongLeaf,
  type ProcessInfo,
  type TextSpan,
} from '@ringfence/wire';

/** Value that a field's accessor returns; undefined when the event has no value. */
export type FieldValue = string | number | boolean | readonly string[] | undefined;

/** `ip` values are text ("10.0.0.1", "fe80::1"); `strings` holds several, such as the arguments of a process. */
export type FieldType = 'string' | 'number' | 'bool' | 'ip' | 'strings';

/** The entity that a value describes, such as a process: values can be cached for each entity. */
export interface Subject<E> {
  /**
   * Events with the same entity have the same value. null: the event has no entity, and all events without one have the
   * same value. undefined: the value depends on the event itself.
   */
  of(event: E): object | null | undefined;
  /** A subject that determines this subject: events of the same process have the same parent. */
  readonly within?: Subject<E>;
}

/** A field that conditions and outputs can name. */
export interface FieldSpec<E> {
  /** ECS name if ECS has one. */
  readonly name: string;
  readonly type: FieldType;
  /** Description for authors of rules, one sentence. Hints and the field reference show it. */
  readonly doc: string;
  /** Names of the same field in Falco and Sigma. */
  readonly aliases?: readonly string[];
  /** Kinds of events on which the field can have a value; undefined: all kinds. On other kinds `get` is not called. */
  readonly kinds?: readonly string[];
  /**
   * Constant value by kind: `event.action` is "exec" on every exec. The compiler decides comparisons with a constant
   * and dispatches the rule on the matching kinds only. `get` is called on kinds that are not listed.
   */
  readonly constants?: Readonly<Record<string, string | number | boolean>>;
  /** Possible values by kind, if they are few. A rule that requires another value is not dispatched on the kind. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
  /** Possible values over all kinds. A comparison with any other value is reported as a mistake. */
  readonly oneOf?: readonly string[];
  /** Hints for values that other products use and this field does not have: what to write instead. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** `name[2]` (index, from 0) or `name[key]`; undefined: the field takes no argument. */
  readonly argument?: 'index' | 'key';
  /** The argument is optional. @default false */
  readonly argumentOptional?: boolean;
  /** The field is a part of a path that another field holds: conditions on it can be compiled to a path filter. */
  readonly part?: { readonly of: string; readonly is: 'directory' | 'name' | 'extension' };
  /** Other spellings of values: `openat2` means `openat`. The compiler replaces them in conditions. */
  readonly spellings?: Readonly<Record<string, string>>;
  /** Names of the fields that this field stands for: a comparison holds if it holds for at least one of them. */
  readonly anyOf?: readonly [string, ...string[]];
  /** Reason why the field never has a value. Its `kinds` are empty. */
  readonly never?: string;
  /** Returns the reason why the field never has this value; undefined if it can have it. */
  readonly neverIs?: (value: string) => string | undefined;
  /** The field equals `value` if field `of` is absent: a comparison with `value` is compiled to a test for absence. */
  readonly otherwise?: { readonly value: string; readonly of: string };
  /** Value that few events have: a condition that requires it is evaluated on those events only. */
  readonly rare?: boolean;
  /** The value that the sensor records only while a rule reads such a field. @default it is always recorded */
  readonly optional?: 'raw paths' | 'environment';
  /** Smallest possible value. */
  readonly least?: number;
  /**
   * Rule format in which the field is named without its prefix: `falco.proc.name` is proc.name in Falco's rules. Other
   * fields hold the same information, so documents of events omit it.
   */
  readonly dialect?: 'falco';
  /** Entity that the value describes, possibly depending on the argument. @default the event itself */
  readonly subject?: Subject<E> | ((argument: string | number | undefined) => Subject<E>);
  /**
   * Locates the bytes of the value, so that it can be searched without decoding. The bytes equal the value if all of
   * them are ASCII. Returns false if `get` must be called instead.
   */
  readonly locate?: (event: E, place: TextSpan) => boolean;
  /** Called at most once per event and argument. Must not throw and must not depend on anything but the event. */
  get(event: E, argument?: string | number): FieldValue;
}

/** A field of this catalogue. */
export type Field = FieldSpec<EventView>;

/** Accessors of a leaf of the event's body. Must only be called for events of the leaf's kind. */
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

/** An exec event holds the complete new image; fields of other events read the context of the process. */
export const isExec = (event: EventView): boolean => event.cursor.kind === KIND.Exec;

/** The process of the event. Exec, hash and log events carry their own values or describe another process. */
export const ofProcess: Subject<EventView> = {
  of: ({ cursor: { kind }, process }) =>
    kind === KIND.Exec || kind === KIND.Hash || kind === KIND.Log ? undefined : process,
};

/** The event itself: values cannot be shared between events. */
export const ofEvent: Subject<EventView> = { of: () => undefined };

/** The parent and its ancestors. */
export const ofParent: Subject<EventView> = { of: ({ process }) => process?.parent ?? null, within: ofProcess };

/** Subject by index: [0] is the process itself, higher indexes are ancestors. */
export const ofLineage = (argument: string | number | undefined): Subject<EventView> =>
  argument === 0 ? ofProcess : ofParent;

export const MAX_ANCESTORS = 64;

/** Reads one ancestor by index (1 is the parent), else all. Unknown ancestors have empty texts and are omitted. */
export const ancestors =
  (of: (process: ProcessInfo) => string): Field['get'] =>
  (event, argument) => {
    if (typeof argument === 'number') {
      const ancestor = event.process?.ancestor(argument);
      const value = ancestor === undefined ? '' : of(ancestor);
      return value === '' ? undefined : [value];
    }
    const all: string[] = [];
    let ancestor = event.process?.parent;
    for (; ancestor !== undefined && all.length < MAX_ANCESTORS; ancestor = ancestor.parent) {
      const value = of(ancestor);
      if (value !== '') all.push(value);
    }
    return all.length === 0 ? undefined : all;
  };

export const ofContainer: Subject<EventView> = { of: ({ container }) => container ?? null };

/** Maps an empty text to undefined. */
export const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

/** Last component of a path. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** All but the last component of a path. */
export const directory = (path: string): string =>
  path.slice(0, Math.max(path.lastIndexOf('/'), path.startsWith('/') ? 1 : 0));

/** Text after the last dot of a path's last component; undefined: it has none. */
export function extension(path: string): string | undefined {
  const name = baseName(path);
  const dot = name.lastIndexOf('.');
  return dot < 1 ? undefined : name.slice(dot + 1);
}

/** Returns the accessor of the named field, for fields that present its value in another form. */
export function accessor(fields: readonly Field[], name: string): Field['get'] {
  const found = fields.find((field) => field.name === name);
  if (found === undefined) throw new Error(`no field ${name}`);
  return found.get;
}
