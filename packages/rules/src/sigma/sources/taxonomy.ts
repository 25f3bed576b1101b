/**
 * The meaning of Sigma's log sources and fields here. Conditions and fields are in the native language, with names of
 * the catalogue. A mapping that needs a missing name is never available.
 */

/** One value of a field; `when` is the condition on the events that it applies to. */
export interface Variant {
  readonly field: string;
  /** A native condition; undefined: all events. */
  readonly when?: string;
  /**
   * Compared with its case, even where Sigma ignores case: /ETC/PASSWD is another file, and the sensor filters paths as
   * they are.
   */
  readonly cased?: true;
  /** The catalogue's words for the words that rules use. */
  readonly words?: Readonly<Record<string, string>>;
  /** Rules name the path as given, but the field has the path behind the links. */
  readonly links?: true;
  /** Another name of the same value: searched, but not counted, grouped or compared with other fields. */
  readonly synonym?: true;
}

/** What a field of a Sigma rule reads. */
export type Mapping =
  /** A field of the catalogue. */
  | string
  /** Any of these. */
  | { readonly any: readonly Variant[] }
  /** A native condition for each value that can be asked for. */
  | { readonly values: Readonly<Record<string, string>> }
  /** Why no event has it here. `repeats`: it adds nothing to the other keys of a selection that has more. */
  | { readonly never: string; readonly repeats?: true };

export type Mappings = Readonly<Record<string, Mapping>>;

export interface LogSource {
  /** The events that belong to it, as a native condition. */
  readonly events: string;
  readonly fields: Mappings;
  /** Where keywords are searched. */
  readonly text: readonly Variant[];
  /** Fields that an alert shows in addition to those of the rule. */
  readonly shown: readonly string[];
}

/** A log source without events here, and the reason. */
export interface NoLogSource {
  readonly never: string;
  readonly hint: string;
}

/** Properties of a rule that decide its log source. */
export interface LogSourceUse {
  /** The rule names system calls. */
  readonly syscalls: boolean;
  /** The rule bounds the paths of events that the sensor filters. */
  readonly filtered: boolean;
  /** The rule means reads as well: its tactic is one that takes knowledge. */
  readonly reads: boolean;
}

/** The log source that a rule names; empty: not given. */
export interface LogSourceName {
  readonly product: string;
  readonly category: string;
  readonly service: string;
}

/** Returns `(a) or (b)` in the native language. */
export const either = (conditions: readonly string[]): string =>
  conditions.map((condition) => `(${condition})`).join(' or ');
