import { isListOf, isNumber } from '@ringfence/sequence-store';
import { StateError } from '../diagnostics/errors.ts';
import { type Operand, readOperand } from '../model/expression.ts';
import { LIMITS } from '../model/limits.ts';
import type { AlertLimit, CompiledRule, Threshold } from '../model/rule.ts';
import { type Changes, decodeEntry, encodeEntry, type StateChange } from './codec.ts';
import { groupKeyOf, keyText, weightOf } from './key.ts';
import { KeyStore } from './key-store.ts';

export interface ThresholdLimits {
  /** @default 10,000 */
  readonly keysPerRule?: number;
  /** @default 100,000 */
  readonly keys?: number;
}

export interface ThresholdStats {
  /** Keys with a count. */
  readonly keys: number;
  /** Keys evicted because a limit was reached or their time was far ahead: their counts are lost. */
  readonly evicted: number;
  /** Matches that `suppress` or `throttle` held back. */
  readonly held: number;
}

/** The count of one key. */
interface Count {
  /** Events are ignored until this time, in µs; 0: they count. */
  quietUntil: number;
  /** Time of the newest event, in µs; a late event counts as if it came now. */
  newest: number;
  /**
   * Times of the counted events in µs, oldest first (count, regular); for a large threshold one time stands for several
   * events, see unitOf.
   */
  times: number[];
  /** Events that do not make up a unit yet. */
  rest: number;
  /** Value → when it was last seen, in µs, oldest first (distinct). */
  values: Map<string, number>;
}

const VERSION = 1;

/**
 * State of the thresholds between events. It survives a reload: a count belongs to the rule's name and the threshold as
 * written. Memory is bounded: over a limit the least recently used key is evicted and counted. Only event time counts,
 * so a replay counts the same.
 */
export class ThresholdState {
  readonly #store: KeyStore<Count>;
  readonly #names = new WeakMap<object, string>();
  #held = 0;

  constructor({ keysPerRule = 10_000, keys = 100_000, changelog = true }: ThresholdLimits & Changes = {}) {
    this.#store = new KeyStore<Count>({ make: newCount, encode, decode }, { keysPerRule, keys, changelog });
  }

  /** Counts an event whose condition holds, and returns whether it crosses the threshold. */
  crosses<E>(rule: CompiledRule<E>, threshold: Threshold<E>, event: E, timeUs: number): boolean {
    const value = countedOf(threshold, event);
    if (value === undefined) return false;
    const name = this.#nameOf(rule, threshold);
    const key = groupKeyOf(threshold.by, event);
    const count = this.#store.touch(name, key, timeUs);
    this.#store.changed(name, key);
    return advance(count, threshold, value, timeUs);
  }

  /** Returns the count of an event's key, for explanations. */
  counted<E>(rule: CompiledRule<E>, threshold: Threshold<E>, event: E): { count: number; quietUntilUs: number } {
    const found = this.#store.get(this.#nameOf(rule, threshold), groupKeyOf(threshold.by, event));
    if (found === undefined) return { count: 0, quietUntilUs: 0 };
    return { count: countedIn(found, threshold) + found.values.size, quietUntilUs: found.quietUntil };
  }

  /** Whether a match may be reported; if not, it is counted as held. Without an event the group has no values. */
  admits<E>(rule: CompiledRule<E>, limits: readonly AlertLimit<E>[], event: E | undefined, timeUs: number): boolean {
    for (const limit of limits) {
      const name = this.#nameOf(rule, limit);
      const key = event === undefined ? '[]' : groupKeyOf(limit.by, event);
      const count = this.#store.touch(name, key, timeUs);
      if (Math.max(timeUs, count.newest) < count.quietUntil) {
        this.#held++;
        return false;
      }
      this.#store.changed(name, key);
      advance(count, limit, 1, timeUs);
    }
    return true;
  }

  /** Expires counts at `timeUs`. Call it on ticks. */
  expire<E>(rules: readonly CompiledRule<E>[], timeUs: number): void {
    this.#store.settle(timeUs);
    const within = new Map<string, number>();
    for (const rule of rules)
      for (const threshold of [...(rule.threshold === undefined ? [] : [rule.threshold]), ...(rule.limits ?? [])])
        within.set(this.#nameOf(rule, threshold), threshold.withinUs);
    for (const [name, counts] of this.#store.rules()) {
      const withinUs = within.get(name);
      for (const [key, count] of counts) {
        const over = withinUs === undefined || (count.newest + withinUs <= timeUs && count.quietUntil <= timeUs);
        if (!over) break;
        this.#store.delete(name, key);
      }
    }
  }

  stats(): ThresholdStats {
    return { keys: this.#store.size, evicted: this.#store.evicted, held: this.#held };
  }

  /** Returns the keys that changed since the last call, as changelog entries. */
  takeChanges(): StateChange[] {
    return this.#store.takeChanges();
  }

  /** Yields every key, in the form of `takeChanges`. */
  snapshot(): Iterable<{ readonly key: string; readonly value: Uint8Array }> {
    return this.#store.snapshot();
  }

  /** Restores an entry. @throws StateError if it can't be read */
  restore(id: string, value: Uint8Array): void {
    this.#store.restore(id, value);
  }

  #nameOf<E>(rule: CompiledRule<E>, threshold: Threshold<E>): string {
    const known = this.#names.get(threshold);
    if (known !== undefined) return known;
    const { atLeast, distinct, sum, by, withinUs, tumbling, everyUs } = threshold;
    const name = JSON.stringify([
      rule.name,
      atLeast,
      distinct?.key ?? null,
      by.map((operand) => operand.key),
      withinUs,
      ...(tumbling === true ? ['tumbling'] : []),
      ...(everyUs === undefined ? [] : ['every', everyUs]),
      ...(sum === undefined ? [] : ['sum', sum.key]),
      ...('limit' in threshold ? [threshold.limit] : []),
    ]);
    this.#names.set(threshold, name);
    return name;
  }
}

const newCount = (): Count => ({ quietUntil: 0, newest: 0, times: [], rest: 0, values: new Map() });

/** Returns what an event adds; undefined: it does not count. */
function countedOf<E>({ distinct, sum, weight }: Threshold<E>, event: E): Counted | undefined {
  if (sum !== undefined) return addedOf(sum, event);
  if (distinct === undefined) return weightOf(weight, event);
  return keyText(readOperand(distinct, event)) ?? undefined;
}

/** Returns the number that an event adds to a sum; undefined: it has no positive number. */
function addedOf<E>(sum: Operand<E>, event: E): number | undefined {
  const value = readOperand(sum, event);
  return typeof value === 'number' && value > 0 ? Math.min(value, Number.MAX_SAFE_INTEGER) : undefined;
}

/** A number of events, or one distinct value. */
type Counted = number | string;

/** Counts one event. Returns true if it crosses the threshold, which also starts the quiet time. */
function advance<E>(count: Count, threshold: Threshold<E>, value: Counted, timeUs: number): boolean {
  const now = Math.max(timeUs, count.newest);
  const pause = now - count.newest;
  if (pause >= threshold.withinUs) count.rest = 0;
  count.newest = now;
  if (now < count.quietUntil) return false;
  const { withinUs, tumbling, everyUs } = threshold;
  if (everyUs !== undefined && isTooSoon(count, pause, everyUs)) return false;
  const began = tumbling === true ? Math.floor(now / withinUs) * withinUs : now;
  const since = tumbling === true ? began - 1 : now - withinUs;
  const reached =
    typeof value === 'number' ? countEvents(count, value, threshold, now, since) : countValue(count, value, now, since);
  if (reached < threshold.atLeast || (everyUs !== undefined && !isRegular(count.times))) return false;
  count.quietUntil = began + withinUs;
  count.times = [];
  count.rest = 0;
  count.values.clear();
  return true;
}

/** An event this soon after another one belongs to the same call: a second address, a second connection. */
const TOGETHER_US = 1_000_000;
/**
 * The share of their mean by which gaps may differ from it: a pause between half and all of a period is still regular.
 */
const JITTER = 1 / 3;

/**
 * Whether an event is too soon to count. An event that belongs neither to the previous call nor to the period restarts
 * the count.
 */
function isTooSoon(count: Count, pause: number, everyUs: number): boolean {
  if (count.times.length === 0 || pause >= everyUs) return false;
  if (pause >= TOGETHER_US) count.times = [];
  return true;
}

/** Whether the gaps between the times are alike. If not, the oldest is dropped: the others may still be regular. */
function isRegular(times: number[]): boolean {
  const mean = (times.at(-1)! - times[0]!) / (times.length - 1);
  const regular = times.every((time, n) => n === 0 || Math.abs(time - times[n - 1]! - mean) <= mean * JITTER);
  if (!regular) times.shift();
  return regular;
}

/**
 * Returns how much one time stands for. A count is exact up to LIMITS.thresholdCount; above that, like every sum, it is
 * exact to about a thousandth of the threshold. Units below 1 are powers of two, so that sums of them are exact.
 */
function unitOf<E>({ atLeast, sum }: Threshold<E>): number {
  const thousandth = atLeast / LIMITS.thresholdCount;
  return sum === undefined || thousandth > 1 ? Math.ceil(thousandth) : 2 ** Math.ceil(Math.log2(thousandth));
}

/** Holds at most twice LIMITS.thresholdCount times, because reaching the threshold empties the list. */
function countEvents<E>(count: Count, events: number, threshold: Threshold<E>, now: number, since: number): number {
  const { times } = count;
  const unit = unitOf(threshold);
  while (times.length > 0 && times[0]! <= since) times.shift();
  count.rest = Math.min(count.rest + events, threshold.atLeast);
  for (; count.rest >= unit; count.rest -= unit) times.push(now);
  return countedIn(count, threshold);
}

/** Returns the counted events or the sum. */
const countedIn = <E>({ times, rest }: Count, threshold: Threshold<E>): number =>
  times.length * unitOf(threshold) + rest;

function countValue(count: Count, value: string, now: number, since: number): number {
  for (const [old, seen] of count.values) {
    if (seen > since) break;
    count.values.delete(old);
  }
  count.values.delete(value);
  count.values.set(value, now);
  return count.values.size;
}

function encode({ quietUntil, newest, times, rest, values }: Count): Uint8Array {
  return encodeEntry(VERSION, [quietUntil, newest, times, [...values], ...(rest === 0 ? [] : [rest])]);
}

function decode(id: string, bytes: Uint8Array): Count {
  const [quietUntil, newest, times, values, rest = 0] = decodeEntry(id, bytes, VERSION);
  if (
    !isNumber(quietUntil) ||
    !isNumber(newest) ||
    !isNumber(rest) ||
    rest < 0 ||
    rest > LIMITS.thresholdSum / LIMITS.thresholdCount ||
    !isListOf(times, LIMITS.thresholdCount, isNumber) ||
    !isListOf(values, LIMITS.thresholdCount, isSeen)
  ) {
    throw new StateError(id, 'its fields are not what this version writes');
  }
  return { quietUntil, newest, times, rest, values: new Map(values) };
}

function isSeen(value: unknown): value is [string, number] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && isNumber(value[1]);
}
