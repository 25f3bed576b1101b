import { LIMITS } from '../model/limits.ts';
import { fits, type Measure, type Summary } from '../model/rule.ts';

/** The start of a window in µs, and its first event in its caller's encoding. */
export type Due = readonly [sinceUs: number, witness: string];

/** State of one key of a summary: its open window, and the finished windows that are still to be reported. */
export interface KeySummary {
  /** Time of the window's first event, in µs; -1: no window is open. */
  sinceUs: number;
  /** Time of the key's newest event, in µs; a late event counts as if it came now. */
  newest: number;
  /** Number of events. */
  count: number;
  sum: number;
  /** Digits that numbers are rounded to; 0: exact. */
  digits: number;
  /** Number → how often (median, percentile). */
  numbers: Map<number, number>;
  /** Distinct values. */
  texts: Set<string>;
  /** Characters of the texts. */
  characters: number;
  /** The first event in its caller's encoding; empty: not kept. */
  witness: string;
  /** Finished windows that match and are still to be reported. */
  due: Due[];
}

export const newSummary = (): KeySummary => ({
  ...{ sinceUs: -1, newest: 0, count: 0, sum: 0, digits: 0 },
  ...{ numbers: new Map(), texts: new Set(), characters: 0, witness: '', due: [] },
});

/** Resets the window; finished windows stay. */
export function reset(window: KeySummary): void {
  const { newest, due } = window;
  Object.assign(window, { ...newSummary(), newest, due });
}

/**
 * Larger numbers are capped, and numbers below the inverse count as zero: this bounds the distinct values of few
 * digits.
 */
const GREATEST = 1e18;
const FIRST_DIGITS = 3;

/** Memory of a number, or overhead of a text, in characters. */
const ENTRY = 32;

/** Approximate size, in characters. */
export function sizeOf({ characters, texts, numbers, witness, due }: KeySummary): number {
  const entries = texts.size + numbers.size;
  return due.reduce((sum, [, kept]) => sum + kept.length, characters + ENTRY * entries + witness.length);
}

/** Adds an event. `value`: a number of events, a measured number, or a distinct text. */
export function add(window: KeySummary, measure: Measure, value: number | string): void {
  if (typeof value === 'string') {
    window.count++;
    if (window.texts.size > LIMITS.thresholdCount || window.texts.has(value)) return;
    window.texts.add(value);
    window.characters += value.length;
    return;
  }
  if (measure === 'count') {
    window.count = Math.min(window.count + value, GREATEST);
    return;
  }
  const size = Math.min(Math.abs(value), GREATEST);
  const number = size < 1 / GREATEST ? 0 : Math.sign(value) * size;
  window.count++;
  window.sum += number;
  if (measure === 'median' || measure === 'percentile') addNumber(window, number, 1);
}

function addNumber(window: KeySummary, value: number, times: number): void {
  const { digits, numbers } = window;
  const rounded = digits === 0 ? value : Number(value.toPrecision(digits));
  numbers.set(rounded, (numbers.get(rounded) ?? 0) + times);
  if (numbers.size <= LIMITS.summaryNumbers) return;
  window.digits = digits === 0 ? FIRST_DIGITS : digits - 1;
  window.numbers = new Map();
  for (const [number, count] of numbers) addNumber(window, number, count);
}

/** Whether the window's number is within all bounds. */
export function holds<E>(window: KeySummary, summary: Summary<E>): boolean {
  const measured = measuredOf(window, summary);
  return summary.bounds.every((bound) => fits(measured, bound));
}

function measuredOf<E>({ count, sum, numbers, texts }: KeySummary, { measure, percentile = 50 }: Summary<E>): number {
  switch (measure) {
    case 'count':
      return count;
    case 'distinct':
      return texts.size;
    case 'sum':
      return sum;
    case 'average':
      return sum / count;
    case 'median':
      // The median of an even count is the mean of the two middle numbers.
      return (atRank(numbers, Math.ceil(count / 2)) + atRank(numbers, Math.floor(count / 2) + 1)) / 2;
    case 'percentile':
      return atRank(numbers, Math.max(1, Math.ceil((percentile / 100) * count)));
  }
}

/** Returns the number with this rank, counted from 1. */
function atRank(numbers: ReadonlyMap<number, number>, rank: number): number {
  const sorted = [...numbers].sort(([a], [b]) => a - b);
  let before = 0;
  for (const [number, times] of sorted) {
    before += times;
    if (before >= rank) return number;
  }
  return sorted.at(-1)?.[0] ?? 0;
}
