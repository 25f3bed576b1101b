import { LIMITS } from '../model/limits.ts';
import { fits, type Measure, type Summary } from '../model/rule.ts';

/** When a window began, µs, and its first event as its caller keeps it. */
export type Due = readonly [sinceUs: number, witness: string];

/** What a summary remembers of one key: its open window, and those that are over and still to be told. */
export interface KeySummary {
  /** µs of its first event; -1: none is open */
  sinceUs: number;
  /** µs of the newest event of the key: one that comes late counts as if it came now */
  newest: number;
  /** events */
  count: number;
  sum: number;
  /** that a number is rounded to; 0: it is as it was */
  digits: number;
  /** number → how often (median, percentile) */
  numbers: Map<number, number>;
  /** (distinct) */
  texts: Set<string>;
  /** characters of the texts */
  characters: number;
  /** the first event as its caller keeps it; empty: it isn't kept */
  witness: string;
  /** windows that are over and match, and are still to be told */
  due: Due[];
}

export const newSummary = (): KeySummary => ({
  ...{ sinceUs: -1, newest: 0, count: 0, sum: 0, digits: 0 },
  ...{ numbers: new Map(), texts: new Set(), characters: 0, witness: '', due: [] },
});

/** As if nothing had come; what is still to be told stays. */
export function reset(window: KeySummary): void {
  const { newest, due } = window;
  Object.assign(window, { ...newSummary(), newest, due });
}

/** What is greater is taken for this, and what is smaller than its inverse for nothing: so that few digits make few numbers. */
const GREATEST = 1e18;
const FIRST_DIGITS = 3;

/** Characters that a number, or what is around a text, takes as much memory as. */
const ENTRY = 32;

/** Characters that it holds, about. */
export function sizeOf({ characters, texts, numbers, witness, due }: KeySummary): number {
  const entries = texts.size + numbers.size;
  return due.reduce((sum, [, kept]) => sum + kept.length, characters + ENTRY * entries + witness.length);
}

/** `value`: how many events, a number that is measured, or a text that is told apart. */
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

/** Whether what the window has come to is within all bounds. */
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
      // Of an even number of them it is the mean of the two in the middle.
      return (atRank(numbers, Math.ceil(count / 2)) + atRank(numbers, Math.floor(count / 2) + 1)) / 2;
    case 'percentile':
      return atRank(numbers, Math.max(1, Math.ceil((percentile / 100) * count)));
  }
}

/** The number that has so many before it, itself included. */
function atRank(numbers: ReadonlyMap<number, number>, rank: number): number {
  const sorted = [...numbers].sort(([a], [b]) => a - b);
  let before = 0;
  for (const [number, times] of sorted) {
    before += times;
    if (before >= rank) return number;
  }
  return sorted.at(-1)?.[0] ?? 0;
}
