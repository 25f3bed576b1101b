import type { FieldValue } from './catalogue.ts';
import type { Expression, Operand, Test } from './expression.ts';

/** Several events that belong together: in this order, or in any. */
export interface Sequence<E> {
  readonly ordered: boolean;
  /** µs of event time from the first event to the last */
  readonly maxspanUs: number;
  /** as written; bit n of a hit stands for step n */
  readonly steps: readonly SequenceStep<E>[];
  /** what is remembered of the events, for the output and for comparisons */
  readonly kept: readonly Kept<E>[];
  /** the event's own id; undefined: the catalogue has none */
  readonly id: Operand<E> | undefined;
  /** how many events one stands for; undefined, or nothing there: itself alone */
  readonly weight: Operand<E> | undefined;
}

export interface SequenceStep<E> {
  /** `event`: must happen. `missing`: must not, between the events before and after it. `until`: ends what has begun. */
  readonly kind: 'event' | 'missing' | 'until';
  /** what is asked of the event itself */
  readonly expression: Expression<E>;
  /** One sequence for each combination of values; those of all steps correspond by their place. An event without one of them takes no part. */
  readonly by: readonly Operand<E>[];
  /** how many events in a row */
  readonly runs: number;
  /** what is asked of it and an earlier step's event together */
  readonly compares: readonly Comparison<E>[];
}

/** A test whose value is what an earlier step's event had. */
export interface Comparison<E> {
  readonly test: Test<E>;
  /** index in `kept`: the value that is compared */
  readonly own: number;
  /** index in `kept`: the one that it is compared with */
  readonly other: number;
  /** of `other`: how many event steps come before its own */
  readonly stage: number;
}

/** A value of a step's event. */
export interface Kept<E> {
  /** index in `steps` */
  readonly step: number;
  readonly operand: Operand<E>;
}

/** What outputs call a step: its place among those that happen, from 1. */
export function eventNumber<E>({ steps }: Sequence<E>, step: number): number {
  return steps.slice(0, step + 1).filter(({ kind }) => kind === 'event').length;
}

/** The events that a sequence was made of. */
export interface SequenceMatch {
  /** for each step that is an event, as written */
  readonly steps: readonly StepMatch[];
  /** by index in the sequence's `kept` */
  readonly values: readonly FieldValue[];
  /** its last event as the caller kept it, when it is told on a tick; empty: nothing was kept */
  readonly witness: string;
}

export interface StepMatch {
  /** ids; of more than LIMITS.listedRuns in a row the last ones */
  readonly events: readonly string[];
  /** events, those included that were merged into one */
  readonly count: number;
  /** µs of event time, of the last */
  readonly timeUs: number;
}
