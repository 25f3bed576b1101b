import type { FieldValue } from '@ringfence/fields';

/** What the store needs to know of a sequence. `Test` is whatever the caller compares two values with. */
export interface SequenceShape<Test> {
  readonly ordered: boolean;
  /** µs of event time from the first event to the last. */
  readonly maxspanUs: number;
  /** As written; bit n of an event's steps stands for step n. */
  readonly steps: readonly StepShape<Test>[];
  /** For each value that is kept of the events: the index of its step. */
  readonly kept: readonly { readonly step: number }[];
}

export interface StepShape<Test> {
  /** `event`: must happen. `missing`: must not, between its neighbours. `until`: ends every unfinished sequence. */
  readonly kind: 'event' | 'missing' | 'until';
  /** Events in a row that the step needs. */
  readonly runs: number;
  /** Comparisons with the events of earlier steps. */
  readonly compares: readonly Comparison<Test>[];
}

/** A test of a kept value against the kept value of an earlier step's event. */
export interface Comparison<Test> {
  readonly test: Test;
  /** Index in `kept` of the value that is tested. */
  readonly tested: number;
  /** Index in `kept` of the earlier value. */
  readonly earlier: number;
  /** The earlier value's stage: how many event steps come before its step. */
  readonly stage: number;
}

/** Decides a comparison. */
export type Compare<Test> = (test: Test, value: FieldValue, earlier: FieldValue) => boolean;

/** The events that completed a sequence. */
export interface SequenceMatch {
  /** One entry for each step that must happen, as written. */
  readonly steps: readonly StepMatch[];
  /** Values by index in the sequence's `kept`. */
  readonly values: readonly FieldValue[];
  /** The last event in its caller's encoding, for a match that is reported on a tick; empty: not kept. */
  readonly witness: string;
}

export interface StepMatch {
  /** Event ids; of a run longer than `listedRuns`, the last ones. */
  readonly events: readonly string[];
  /** Number of events, including those merged into one. */
  readonly count: number;
  /** Event time of the last event, in µs. */
  readonly timeUs: number;
}
