import type { EventView, ProcessInfo, TextSpan } from '@ringfence/wire';
import { type BooleanLeaf, type BytesLeaf, KIND, type LongLeaf } from '@ringfence/wire';

/** What a field's accessor hands out; undefined: the event has no such value. */
export type FieldValue = string | number | boolean | readonly string[] | undefined;

/** `ip` values are text ("10.0.0.1", "fe80::1"); `strings` holds several, such as the arguments of a process. */
export type FieldType = 'string' | 'number' | 'bool' | 'ip' | 'strings';

/** What values say something of. */
export interface Subject<E> {
  /** Events with the same have the same values. null: of nothing, and so have those without. undefined: the event alone tells. */
  of(event: E): object | null | undefined;
  /** Events with the same of these have the same of this too: who knows a process knows its parent. */
  readonly within?: Subject<E>;
}

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
  /** The only values it can have on a kind, where it is one of a few or absent: a rule that asks for another isn't dispatched on the kind. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
  /** All that it can be, over all kinds: a rule that compares it with something else has a slip of the pen. */
  readonly oneOf?: readonly string[];
  /** What others call values that it hasn't got, and what to write instead. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** `name[2]` (index, from 0) or `name[key]`; undefined: it takes no argument */
  readonly argument?: 'index' | 'key';
  /** The argument may be left out. @default false */
  readonly argumentOptional?: boolean;
  /** It is a part of the path that another field holds: what conditions say of it may become a filter of paths. */
  readonly part?: { readonly of: string; readonly is: 'directory' | 'name' | 'extension' };
  /** Other spellings of its values and what they are here: `openat2` is `openat`. Values that rules compare it with are looked up. */
  readonly spellings?: Readonly<Record<string, string>>;
  /** It stands for these fields, by name: a comparison holds when it does for one of them. */
  readonly anyOf?: readonly [string, ...string[]];
  /** Why it never has a value; such a field is on no kind. */
  readonly never?: string;
  /** Why it never has this value; undefined: it may have it. */
  readonly neverIs?: (value: string) => string | undefined;
  /** Where field `of` has no value, this one is `value`: a comparison with that asks whether the other is there. */
  readonly otherwise?: { readonly value: string; readonly of: string };
  /** Few events that have the field have this value: a condition that asks for it is asked about those only. */
  readonly rare?: boolean;
  /** No event has a smaller value. */
  readonly least?: number;
  /**
   * Rule files in this format mean it by its name without the prefix: `falco.proc.name` is what they call proc.name. What it says is
   * said by other fields too; documents of events are without it.
   */
  readonly dialect?: 'falco';
  /** What the value says something of, or does by the argument. @default the event alone tells */
  readonly subject?: Subject<E> | ((argument: string | number | undefined) => Subject<E>);
  /**
   * Says where the value can be searched without being made a string: at bytes that are the value if all of them are ASCII. false: `get` must be
   * asked.
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

/** On exec the event's own copy is whole and is the new image; elsewhere the process's context is asked. */
export const isExec = (event: EventView): boolean => event.cursor.kind === KIND.Exec;

/** Of what is known of a process; some events bring their own copy of it, or speak of another. */
export const ofProcess: Subject<EventView> = {
  of: ({ cursor: { kind }, process }) =>
    kind === KIND.Exec || kind === KIND.Hash || kind === KIND.Log ? undefined : process,
};

/** Of what the event alone tells. */
export const ofEvent: Subject<EventView> = { of: () => undefined };

/** Of what is known of its parent and those above. */
export const ofParent: Subject<EventView> = { of: ({ process }) => process?.parent ?? null, within: ofProcess };

/** Where [0] is the process itself, and all others are above it. */
export const ofLineage = (argument: string | number | undefined): Subject<EventView> =>
  argument === 0 ? ofProcess : ofParent;

export const MAX_ANCESTORS = 64;

/** Of one ancestor when an index is given (1 is the parent), else of all. One that nobody has told of has empty texts: it is left out. */
export const ancestors =
  (of: (process: ProcessInfo) => string): Field['get'] =>
  (event, argument) => {
    if (typeof argument === 'number') {
      const one = event.process?.ancestor(argument);
      const value = one === undefined ? '' : of(one);
      return value === '' ? undefined : [value];
    }
    const all: string[] = [];
    for (let one = event.process?.parent; one !== undefined && all.length < MAX_ANCESTORS; one = one.parent) {
      const value = of(one);
      if (value !== '') all.push(value);
    }
    return all.length === 0 ? undefined : all;
  };

export const ofContainer: Subject<EventView> = { of: ({ container }) => container ?? null };

/** Empty text is no value. */
export const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

/** Last component of a path. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** All but the last component of a path. */
export const directory = (path: string): string =>
  path.slice(0, Math.max(path.lastIndexOf('/'), path.startsWith('/') ? 1 : 0));

/** The accessor of a field of this list, for fields that say the same in another form. */
export function accessor(fields: readonly Field[], name: string): Field['get'] {
  const found = fields.find((field) => field.name === name);
  if (found === undefined) throw new Error(`no field ${name}`);
  return found.get;
}
