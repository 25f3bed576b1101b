import type { FieldValue } from '../catalogue.ts';
import { type Operand, readOperand } from '../expression.ts';
import { LIMITS } from '../limits.ts';
import type { Sequence } from '../sequence.ts';
import type { Partial } from './partial.ts';

/** An event that fits steps of a sequence: all that is remembered of it. */
export class Hit {
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
  reported = false;
  /** What its key had come to before it, as long as others may still come before it. */
  before: Partial | undefined = undefined;
  /** The one after it of its key, as long as it has `before`. */
  newer: Hit | undefined = undefined;

  constructor(
    timeUs: number,
    steps: number,
    weight: number,
    id: string,
    values: readonly FieldValue[] = NOTHING,
    witness = '',
  ) {
    this.timeUs = timeUs;
    this.steps = steps;
    this.weight = weight;
    this.id = id;
    this.values = values;
    this.witness = witness;
  }
}

/** Characters of a witness that count as one more event. */
const WITNESS_SHARE = 256;

/** How many events' memory it takes, about. */
export const sizeOf = ({ witness }: Hit): number => (witness === '' ? 1 : 1 + Math.ceil(witness.length / WITNESS_SHARE));

const NOTHING: readonly FieldValue[] = [];

export function hitOf<E>(sequence: Sequence<E>, steps: number, event: E, timeUs: number, witness = ''): Hit {
  const id = sequence.id === undefined ? undefined : readOperand(sequence.id, event);
  return new Hit(
    timeUs,
    steps,
    weightOf(sequence.weight, event),
    typeof id === 'string' ? id : '',
    valuesOf(sequence, steps, event),
    witness,
  );
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
