import type { Expression, Operand } from './expression.ts';
import type { Sequence } from './sequence.ts';

/** From least to most urgent: the symbols of the Alert's Priority. */
export const PRIORITIES = [
  'debug',
  'informational',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What a rule asks for. `kill` is a wish: the responder's policies decide. */
export const ACTIONS = ['alert', 'kill'] as const;
export type Action = (typeof ACTIONS)[number];

/** `recommended`: hardly ever wrong. `hunt`: those too, and what a person who looks for something wants to see besides. */
export const PROFILES = ['recommended', 'hunt'] as const;
export type Profile = (typeof PROFILES)[number];

/** A rule matches only when its condition has held often enough within a while, for one key. */
export interface Threshold<E> {
  /** events, or distinct values of `distinct`, that are needed, or what the numbers of `sum` come to */
  readonly atLeast: number;
  /** undefined: events are counted */
  readonly distinct: Operand<E> | undefined;
  /** how many events one stands for; undefined, or nothing there: itself alone */
  readonly weight: Operand<E> | undefined;
  /** whose numbers are added up instead of events being counted. @default none */
  readonly sum?: Operand<E>;
  /** one count for each combination of these; none: one count for all */
  readonly by: readonly Operand<E>[];
  /** µs of event time, sliding */
  readonly withinUs: number;
  /** Time is cut into windows of that length, and each is counted by itself. @default false */
  readonly tumbling?: boolean;
  /** µs: only events in a row count that come at regular times, no sooner than this after each other. @default whatever lies between them */
  readonly everyUs?: number;
}

/** What a summary says of the events of a window: one number. */
export const MEASURES = ['count', 'distinct', 'sum', 'average', 'median', 'percentile'] as const;
export type Measure = (typeof MEASURES)[number];

/** A rule matches only when a window of time is over, and a number that sums up its events is within bounds. */
export interface Summary<E> {
  readonly measure: Measure;
  /** what is measured; undefined: events are counted */
  readonly of: Operand<E> | undefined;
  /** how many events one stands for; undefined, or nothing there: itself alone */
  readonly weight: Operand<E> | undefined;
  /** of `percentile`, 0 to 100: which */
  readonly percentile?: number;
  readonly bounds: readonly Bound[];
  /** one window for each combination of these; none: one for all */
  readonly by: readonly Operand<E>[];
  /** µs of event time: a window begins with its first event */
  readonly withinUs: number;
}

export const COMPARISONS = ['at_least', 'above', 'at_most', 'below'] as const;

/** What a number must be. */
export interface Bound {
  readonly is: (typeof COMPARISONS)[number];
  readonly value: number;
}

export function fits(measured: number, { is, value }: Bound): boolean {
  switch (is) {
    case 'at_least':
      return measured >= value;
    case 'above':
      return measured > value;
    case 'at_most':
      return measured <= value;
    case 'below':
      return measured < value;
  }
}

/** A rule matches only when a combination of values has not been seen on its host for a while: new terms. */
export interface FirstSeen<E> {
  /** one at least; an event without one of them takes no part */
  readonly by: readonly Operand<E>[];
  /** µs of the wall clock: what has not been seen for so long is new again */
  readonly withinUs: number;
  /** µs of the wall clock, since the rule came into force on the host: until then what is seen is only learned */
  readonly learnUs: number;
}

/** So many alerts of a rule within a while, for one key: those beyond it are only counted. */
export interface AlertLimit<E> extends Threshold<E> {
  /** tells it from a threshold with the same numbers */
  readonly limit: 'suppress' | 'throttle';
}

/** A field of seconds that people are told as a duration. */
export interface ToldDuration<E> {
  readonly seconds: Operand<E>;
}

/** A field of the event of one step of a sequence. */
export interface StepOperand<E> {
  readonly operand: Operand<E>;
  /** index in the sequence's `kept` */
  readonly kept: number;
}

/** Fixed text and fields that take turns; an output is formatted by joining them. */
export type OutputPart<E> = string | Operand<E> | ToldDuration<E> | StepOperand<E>;

/** A rule as it is matched. */
export interface CompiledRule<E> {
  readonly name: string;
  /** of a Sigma rule; undefined or empty: it has none */
  readonly id?: string;
  readonly description: string;
  readonly priority: Priority;
  readonly action: Action;
  /** the narrowest that it belongs to */
  readonly profile: Profile;
  /** false: it is checked, but not active. @default true */
  readonly enabled?: false;
  readonly tags: readonly string[];
  /** ATT&CK tactics, v19 short names */
  readonly tactics: readonly string[];
  /** ATT&CK techniques: T1059.004 */
  readonly techniques: readonly string[];
  readonly threshold: Threshold<E> | undefined;
  /** undefined: it needn't be over */
  readonly summary?: Summary<E>;
  /** undefined: whatever has been seen before */
  readonly firstSeen?: FirstSeen<E>;
  /** What has matched is an alert only as long as all of these admit it. @default none */
  readonly limits?: readonly AlertLimit<E>[];
  /** undefined: one event is enough */
  readonly sequence: Sequence<E> | undefined;
  /** the condition as it was written, names looked up; of a sequence, that an event fits one of its steps */
  readonly expression: Expression<E>;
  readonly condition: string;
  readonly output: readonly OutputPart<E>[];
  /** what condition, threshold and output read, each once, in the order of first use */
  readonly operands: readonly Operand<E>[];
  /** names of the event kinds on which the condition can hold */
  readonly kinds: readonly string[];
  /** source and line where it stands */
  readonly file: string;
  readonly line: number;
}
