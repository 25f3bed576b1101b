import type { FieldValue } from '../catalogue.ts';
import { type Operand, readOperand } from '../expression.ts';
import { LIMITS } from '../limits.ts';
import type { Sequence } from '../sequence.ts';
import type { Partial } from './partial.ts';

/** What few events have. */
export interface Extras {
  /** how many events it stands for */
  readonly weight: number;
  /** by index in the sequence's `kept`; empty: nothing is kept */
  readonly values: readonly FieldValue[];
  /** the event as its caller keeps it, when an alert may be about it later; empty: it isn't kept */
  readonly witness: string;
}

export const NO_EXTRAS: Extras = { weight: 1, values: [], witness: '' };

/** An event that fits steps of a sequence: all that is remembered of it. There are as many as events: each field counts. */
export class Hit {
  /** µs of event time; of one that comes too late the earliest that is still open */
  readonly timeUs: number;
  /** bit n: it fits step n */
  readonly steps: number;
  readonly id: string;
  readonly extras: Extras;
  /** it is part of an alert, and of no other */
  reported = false;
  /** What its key had come to before it, as long as others may still come before it. */
  before: Partial | undefined = undefined;
  /** The one after it of its key, as long as it has `before`. */
  newer: Hit | undefined = undefined;

  constructor(timeUs: number, steps: number, id: string, extras: Extras) {
    this.timeUs = timeUs;
    this.steps = steps;
    this.id = id;
    this.extras = extras;
  }
}

/** Characters of a witness that count as one more event. */
const WITNESS_SHARE = 256;

/** How many events' memory it takes, about. */
export const sizeOf = ({ extras }: Hit): number =>
  extras === NO_EXTRAS ? 1 : 1 + Math.ceil(extras.witness.length / WITNESS_SHARE);

export function hitOf<E>(sequence: Sequence<E>, steps: number, event: E, timeUs: number, witness = ''): Hit {
  const id = sequence.id === undefined ? undefined : readOperand(sequence.id, event);
  const weight = weightOf(sequence.weight, event);
  const isPlain = weight === 1 && witness === '' && sequence.kept.length === 0;
  const extras = isPlain ? NO_EXTRAS : { weight, values: valuesOf(sequence, steps, event), witness };
  return new Hit(timeUs, steps, typeof id === 'string' ? id : '', extras);
}

/** How many events it stands for. */
export function weightOf<E>(weight: Operand<E> | undefined, event: E): number {
  const count = weight === undefined ? undefined : readOperand(weight, event);
  return typeof count === 'number' && count > 1 ? Math.min(count, Number.MAX_SAFE_INTEGER) : 1;
}

function valuesOf<E>({ kept }: Sequence<E>, steps: number, event: E): readonly FieldValue[] {
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
