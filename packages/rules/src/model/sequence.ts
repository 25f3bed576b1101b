import type { SequenceShape, Comparison as StepComparison, StepShape } from '@ringfence/sequence-store';
import type { Expression, Operand, Test } from './expression.ts';

export type { SequenceMatch, StepMatch } from '@ringfence/sequence-store';

/** Several events that belong together, in this order or in any. */
export interface Sequence<E> extends SequenceShape<Test<E>> {
  readonly steps: readonly SequenceStep<E>[];
  /** Values that are remembered of the events, for the output and for comparisons. */
  readonly kept: readonly Kept<E>[];
  /** The event's own id; undefined: the catalogue has none. */
  readonly id: Operand<E> | undefined;
  /** How many events one event stands for; undefined or absent: one. */
  readonly weight: Operand<E> | undefined;
}

export interface SequenceStep<E> extends StepShape<Test<E>> {
  /** The condition on the event itself. */
  readonly expression: Expression<E>;
  /**
   * One sequence runs for each combination of these values; the values of all steps correspond by position. An event
   * that lacks one of them takes no part.
   */
  readonly by: readonly Operand<E>[];
}

/** A test whose second value comes from an earlier step's event. */
export type Comparison<E> = StepComparison<Test<E>>;

/** A value of a step's event. */
export interface Kept<E> {
  /** Index in `steps`. */
  readonly step: number;
  readonly operand: Operand<E>;
}

/** Returns the number of a step in outputs: its place among the steps that must happen, from 1. */
export function eventNumber<E>({ steps }: Sequence<E>, step: number): number {
  return steps.slice(0, step + 1).filter(({ kind }) => kind === 'event').length;
}
