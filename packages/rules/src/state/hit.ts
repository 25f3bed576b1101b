import type { FieldValue } from '../catalogue.ts';
import { type Operand, readOperand } from '../expression.ts';
import { LIMITS } from '../limits.ts';
import type { Sequence } from '../sequence.ts';

/** An event that fits steps of a sequence: all that is remembered of it. */
export interface Hit {
  /** µs of event time; of one that comes too late the earliest that is still open */
  readonly timeUs: number;
  /** bit n: it fits step n */
  readonly steps: number;
  /** how many events it stands for */
  readonly weight: number;
  readonly id: string;
  /** by index in the sequence's `kept`; empty: nothing is kept */
  readonly values: readonly FieldValue[];
  /** the event as its caller keeps it, when an alert may be about it later; empty: it isn't kept */
  readonly witness: string;
  /** it is part of an alert, and of no other */
  reported: boolean;
}

/** Characters of a witness that count as one more event. */
const WITNESS_SHARE = 256;

/** How many events' memory it takes, about. */
export const sizeOf = ({ witness }: Hit): number => 1 + Math.ceil(witness.length / WITNESS_SHARE);

const NOTHING: readonly FieldValue[] = [];

export function hitOf<E>(sequence: Sequence<E>, steps: number, event: E, timeUs: number, witness = ''): Hit {
  const id = sequence.id === undefined ? undefined : readOperand(sequence.id, event);
  return {
    timeUs,
    steps,
    weight: weightOf(sequence.weight, event),
    id: typeof id === 'string' ? id : '',
    values: valuesOf(sequence, steps, event),
    witness,
    reported: false,
  };
}

/** How many events it stands for. */
export function weightOf<E>(weight: Operand<E> | undefined, event: E): number {
  const count = weight === undefined ? undefined : readOperand(weight, event);
  return typeof count === 'number' && count > 1 ? Math.min(count, Number.MAX_SAFE_INTEGER) : 1;
}

function valuesOf<E>({ kept }: Sequence<E>, steps: number, event: E): readonly FieldValue[] {
  if (kept.length === 0) return NOTHING;
  return kept.map(({ step, operand }) =>
    (steps & (1 << step)) === 0 ? undefined : boundedValue(readOperand(operand, event)),
  );
}

/** What is longer is compared and shown by its first characters. */
export function boundedValue(value: FieldValue): FieldValue {
  if (typeof value === 'string') return value.slice(0, LIMITS.keptText);
  return typeof value === 'object'
    ? value.slice(0, LIMITS.keptItems).map((item) => item.slice(0, LIMITS.keptText))
    : value;
}
