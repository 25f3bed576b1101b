import type { Expression, Operand } from './expression.ts';
import type { Sequence } from './sequence.ts';

/** From least to most urgent: the symbols of Priority in the Alert record. */
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

/** What a rule asks for. `kill` is a request: the policies of the responder decide. */
export const ACTIONS = ['alert', 'kill'] as const;
export type Action = (typeof ACTIONS)[number];

/** `recommended` has rules that are hardly ever wrong. `hunt` adds rules for people who search for traces. */
export const PROFILES = ['recommended', 'hunt'] as const;
export type Profile = (typeof PROFILES)[number];

/** A rule matches only when its condition has held often enough within a time, for one key. */
export interface Threshold<E> {
  /** Required number of events or of distinct values of `distinct`, or the required total of `sum`. */
  readonly atLeast: number;
  /** Undefined: events are counted. */
  readonly distinct: Operand<E> | undefined;
  /** How many events one event stands for; undefined or absent: one. */
  readonly weight: Operand<E> | undefined;
  /** The operand whose numbers are added up instead of counting events. @default none */
  readonly sum?: Operand<E>;
  /** One count for each combination of these values; none: one count for all events. */
  readonly by: readonly Operand<E>[];
  /** Sliding window of event time, in µs. */
  readonly withinUs: number;
  /** Time is cut into windows of that length, each counted by itself. @default false */
  readonly tumbling?: boolean;
  /** Only events at regular times count, at least this far apart, in µs. @default any interval counts */
  readonly everyUs?: number;
}

/** The number that a summary computes from the events of a window. */
export const MEASURES = ['count', 'distinct', 'sum', 'average', 'median', 'percentile'] as const;
export type Measure = (typeof MEASURES)[number];

/** A rule matches only when a window of time is over and a number computed from its events is within bounds. */
export interface Summary<E> {
  readonly measure: Measure;
  /** The measured value; undefined: events are counted. */
  readonly of: Operand<E> | undefined;
  /** How many events one event stands for; undefined or absent: one. */
  readonly weight: Operand<E> | undefined;
  /** For `percentile`: which one, 0 to 100. */
  readonly percentile?: number;
  readonly bounds: readonly Bound[];
  /** One window for each combination of these values; none: one window for all events. */
  readonly by: readonly Operand<E>[];
  /** Length of a window in event time, in µs. A window starts with its first event. */
  readonly withinUs: number;
}

export const COMPARISONS = ['at_least', 'above', 'at_most', 'below'] as const;

/** A bound of a number. */
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

/** A rule matches only when a combination of values has not been seen on its host for a while. */
export interface FirstSeen<E> {
  /** At least one; an event that lacks one of them takes no part. */
  readonly by: readonly Operand<E>[];
  /** Wall-clock time after which a combination counts as new again, in µs. */
  readonly withinUs: number;
  /** Wall-clock time from the rule's activation on the host during which combinations are only learned, in µs. */
  readonly learnUs: number;
}

/** Limits the alerts of a rule within a time, for one key; alerts beyond it are only counted. */
export interface AlertLimit<E> extends Threshold<E> {
  /** Distinguishes it from a threshold with the same numbers. */
  readonly limit: 'suppress' | 'throttle';
}

/** A field of seconds that is shown as a duration. */
export interface ShownDuration<E> {
  readonly seconds: Operand<E>;
}

/** A field of the event of one step of a sequence. */
export interface StepOperand<E> {
  readonly operand: Operand<E>;
  /** Index in the sequence's `kept`. */
  readonly kept: number;
}

/** Fixed text or a field; an output is formatted by joining its parts. */
export type OutputPart<E> = string | Operand<E> | ShownDuration<E> | StepOperand<E>;

/** A compiled rule. */
export interface CompiledRule<E> {
  readonly name: string;
  /** Id of a Sigma rule; undefined or empty: none. */
  readonly id?: string;
  readonly description: string;
  readonly priority: Priority;
  readonly action: Action;
  /** The narrowest profile that contains the rule. */
  readonly profile: Profile;
  /** false: the rule is checked but not active. @default true */
  readonly enabled?: false;
  readonly tags: readonly string[];
  /** ATT&CK tactics, v19 short names. */
  readonly tactics: readonly string[];
  /** ATT&CK techniques, such as T1059.004. */
  readonly techniques: readonly string[];
  readonly threshold: Threshold<E> | undefined;
  /** Undefined: the rule has no summary. */
  readonly summary?: Summary<E>;
  /** Undefined: the rule has no `first_seen`. */
  readonly firstSeen?: FirstSeen<E>;
  /** A match is an alert only if all of these admit it. @default none */
  readonly limits?: readonly AlertLimit<E>[];
  /** Undefined: the rule matches single events. */
  readonly sequence: Sequence<E> | undefined;
  /** The condition as written, with its names resolved. For a sequence: the event fits one of its steps. */
  readonly expression: Expression<E>;
  readonly condition: string;
  readonly output: readonly OutputPart<E>[];
  /** The operands of condition, threshold and output, each once, in the order of first use. */
  readonly operands: readonly Operand<E>[];
  /** Names of the event kinds on which the condition can hold. */
  readonly kinds: readonly string[];
  /** The source and line of the rule. */
  readonly file: string;
  readonly line: number;
}
