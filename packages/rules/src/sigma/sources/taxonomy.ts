/**
 * What Sigma's log sources and fields are here. Conditions and fields are written in the native language, with names of the catalogue: where one is
 * missing, what needs it is never available.
 */

/** One value of a field; `when` says on which events of the log source it is meant. */
export interface Variant {
  readonly field: string;
  /** a native condition; undefined: on all */
  readonly when?: string;
  /** compared as written even where Sigma doesn't care about case: /ETC/PASSWD is another file, and the sensor filters paths as they are */
  readonly cased?: true;
  /** what the catalogue's field calls the words that rules use */
  readonly words?: Readonly<Record<string, string>>;
  /** Rules name the path that was given, the field has the one that links led to. */
  readonly links?: true;
}

/** What a field of a Sigma rule reads. */
export type Mapping =
  /** a field of the catalogue */
  | string
  /** any of these */
  | { readonly any: readonly Variant[] }
  /** each value that can be asked for stands for a native condition */
  | { readonly values: Readonly<Record<string, string>> }
  /** why no event here has it */
  | { readonly never: string };

export type Mappings = Readonly<Record<string, Mapping>>;

export interface LogSource {
  /** native condition: which events are its */
  readonly events: string;
  readonly fields: Mappings;
  /** what keywords are looked for in */
  readonly text: readonly Variant[];
  /** what an alert shows beside what the rule asks for */
  readonly shown: readonly string[];
}

/** A log source that no event here belongs to, and why. */
export interface NoLogSource {
  readonly never: string;
  readonly hint: string;
}

/** What a rule asks for, where that decides what its log source is. */
export interface LogSourceUse {
  /** it names system calls */
  readonly syscalls: boolean;
  /** Events that the sensor sends only where a rule says which paths it wants. */
  readonly filtered: boolean;
}

/** What a rule says of the log source it is for; empty: nothing. */
export interface LogSourceName {
  readonly product: string;
  readonly category: string;
  readonly service: string;
}

/** `(a) or (b)` in the native language. */
export const either = (conditions: readonly string[]): string => conditions.map((one) => `(${one})`).join(' or ');
