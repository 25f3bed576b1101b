import { isListOf, isNumber, isText } from '@ringfence/sequence-store';
import { StateError } from '../diagnostics/errors.ts';
import { readOperand } from '../model/expression.ts';
import { LIMITS } from '../model/limits.ts';
import type { CompiledRule, Summary } from '../model/rule.ts';
import { type Changes, decodeEntry, encodeEntry, type StateChange } from './codec.ts';
import { groupKeyOf, keyText, weightOf } from './key.ts';
import { KeyStore } from './key-store.ts';
import { add, type Due, holds, type KeySummary, newSummary, reset, sizeOf } from './key-summary.ts';
import type { Witness, WitnessCheck } from './witness.ts';

export interface SummaryLimits {
  /** Fewer than for thresholds, because each key keeps an event. @default 1,000 */
  readonly keysPerRule?: number;
  /** @default 10,000 */
  readonly keys?: number;
  /** Approximate size of all windows (events, texts, numbers), in characters. @default 32,000,000 */
  readonly characters?: number;
}

export interface SummaryStats {
  /** Open windows. */
  readonly keys: number;
  /** Windows evicted because a limit was reached (also that of one key) or their time was far ahead. */
  readonly evicted: number;
}

type OnOver<E> = (rule: CompiledRule<E>, witness: string) => void;

/** Finished windows of one key that wait for the next tick; there are more only if ticks fail to come. */
const MOST_DUE = 16;
const VERSION = 1;

/**
 * State of the summaries between events: a window for each combination of values, from its first event on. A window is
 * evaluated on a tick once it is over. Only event time counts, so a replay reports the same.
 */
export class SummaryState {
  readonly #store: KeyStore<KeySummary>;
  readonly #names = new WeakMap<object, string>();
  /**
   * By rule: a time (µs) before which no window is over and none waits, so that most ticks need no search. Deleted when
   * unknown.
   */
  readonly #nextUs = new Map<string, number>();
  /** Windows that matched but were discarded because too many were waiting. */
  #discarded = 0;

  constructor(options: SummaryLimits & Changes = {}) {
    const { keysPerRule = 1000, keys = 10_000, characters = 32_000_000, changelog = true } = options;
    const type = { make: newSummary, sizeOf, encode, decode };
    this.#store = new KeyStore<KeySummary>(type, { keysPerRule, keys, characters, changelog });
  }

  /** Adds an event whose condition holds. */
  take<E>(rule: CompiledRule<E>, summary: Summary<E>, event: E, timeUs: number, witness?: Witness<E>): void {
    const value = broughtBy(summary, event);
    if (value === undefined) return;
    const name = this.#nameOf(rule, summary);
    const key = groupKeyOf(summary.by, event);
    const window = this.#store.touch(name, key, timeUs);
    const now = Math.max(timeUs, window.newest);
    if (isOver(window, summary, now)) {
      this.#close(window, summary);
      this.#nextUs.delete(name);
    }
    if (window.sinceUs === -1) {
      window.sinceUs = now;
      const nextUs = this.#nextUs.get(name);
      if (nextUs !== undefined) this.#nextUs.set(name, Math.min(nextUs, now + summary.withinUs));
      window.witness = witness?.keep(event) ?? '';
    }
    window.newest = now;
    add(window, summary.measure, value);
    this.#store.changed(name, key);
  }

  /** Returns the number of events in the window of an event's key, for explanations. */
  counted<E>(rule: CompiledRule<E>, summary: Summary<E>, event: E): number {
    return this.#store.get(this.#nameOf(rule, summary), groupKeyOf(summary.by, event))?.count ?? 0;
  }

  /**
   * Reports the finished windows that match, with their first events, in the order of their start, and forgets them.
   * Waits a moment for late events. Call it on ticks.
   */
  tick<E>(rules: readonly CompiledRule<E>[], timeUs: number, report: OnOver<E>): void {
    const known = new Map<string, CompiledRule<E>>();
    for (const rule of rules) if (rule.summary !== undefined) known.set(this.#nameOf(rule, rule.summary), rule);
    for (const name of this.#nextUs.keys()) if (!known.has(name)) this.#nextUs.delete(name);
    const overUs = timeUs - LIMITS.latenessUs;
    const reports: { readonly rule: CompiledRule<E>; readonly id: string; readonly due: Due }[] = [];
    for (const [name, windows] of this.#store.rules()) {
      const rule = known.get(name);
      if (rule === undefined) for (const key of windows.keys()) this.#store.delete(name, key);
      else if (overUs >= (this.#nextUs.get(name) ?? Number.NEGATIVE_INFINITY))
        for (const [id, due] of this.#takeDue(name, windows, rule.summary!, overUs)) reports.push({ rule, id, due });
    }
    this.#store.settle(timeUs);
    // After a restart the windows may be in another order.
    reports.sort((a, b) => a.due[0] - b.due[0] || (a.id < b.id ? -1 : 1));
    for (const { rule, due } of reports) report(rule, due[1]);
  }

  /** Takes the matches of a rule, by key, and deletes the finished windows. */
  #takeDue<E>(
    name: string,
    windows: ReadonlyMap<string, KeySummary>,
    summary: Summary<E>,
    overUs: number,
  ): (readonly [id: string, due: Due])[] {
    const taken: (readonly [id: string, due: Due])[] = [];
    let nextUs = Number.POSITIVE_INFINITY;
    for (const [key, window] of windows) {
      if (isOver(window, summary, overUs)) this.#close(window, summary);
      if (window.due.length > 0) {
        for (const due of window.due) taken.push([`${name}\n${key}`, due]);
        window.due = [];
        this.#store.changed(name, key);
      }
      if (window.sinceUs === -1) this.#store.delete(name, key);
      else nextUs = Math.min(nextUs, window.sinceUs + summary.withinUs);
    }
    this.#nextUs.set(name, nextUs);
    return taken;
  }

  stats(): SummaryStats {
    return { keys: this.#store.size, evicted: this.#store.evicted + this.#discarded };
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
  restore(id: string, value: Uint8Array, witness?: WitnessCheck): void {
    this.#nextUs.clear();
    this.#store.restore(id, value, ({ due, witness: first }) => {
      const kept = [...due.map(([, text]) => text), first].filter((text) => text !== '');
      if (witness !== undefined && !kept.every((text) => witness.isKept(text)))
        throw new StateError(id, 'a kept event is damaged');
    });
  }

  #close<E>(window: KeySummary, summary: Summary<E>): void {
    if (holds(window, summary)) {
      if (window.due.length < MOST_DUE) window.due.push([window.sinceUs, window.witness]);
      else this.#discarded++;
    }
    reset(window);
  }

  #nameOf<E>(rule: CompiledRule<E>, summary: Summary<E>): string {
    const known = this.#names.get(summary);
    if (known !== undefined) return known;
    const { measure, of, percentile, bounds, by, withinUs } = summary;
    const keys = by.map((operand) => operand.key);
    const name = JSON.stringify([rule.name, measure, of?.key ?? null, percentile ?? null, bounds, keys, withinUs]);
    this.#names.set(summary, name);
    return name;
  }
}

function broughtBy<E>({ measure, of, weight }: Summary<E>, event: E): number | string | undefined {
  if (of === undefined) return weightOf(weight, event);
  const value = readOperand(of, event);
  if (measure === 'distinct') return keyText(value) ?? undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

const isOver = <E>({ sinceUs }: KeySummary, { withinUs }: Summary<E>, timeUs: number): boolean =>
  sinceUs !== -1 && timeUs >= sinceUs + withinUs;

function encode({ sinceUs, newest, count, sum, digits, numbers, texts, witness, due }: KeySummary): Uint8Array {
  return encodeEntry(VERSION, [sinceUs, newest, count, sum, digits, [...numbers], [...texts], witness, due]);
}

function decode(id: string, bytes: Uint8Array): KeySummary {
  const [sinceUs, newest, count, sum, digits, numbers, texts, witness, due] = decodeEntry(id, bytes, VERSION);
  if (
    ![sinceUs, newest, count, sum].every(isNumber) ||
    ![0, 1, 2, 3].includes(digits as number) ||
    !isListOf(numbers, LIMITS.summaryNumbers, isTally) ||
    !isListOf(texts, LIMITS.thresholdCount + 1, isText) ||
    !isText(witness) ||
    !isListOf(due, MOST_DUE, isDue)
  )
    throw new StateError(id, 'its fields are not what this version writes');
  const [counted, added] = [count as number, sum as number];
  const times = { sinceUs: sinceUs as number, newest: newest as number };
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  const kept = { numbers: new Map(numbers), texts: new Set(texts), characters, witness, due };
  return { ...times, count: counted, sum: added, digits: digits as number, ...kept };
}

const isDue = (value: unknown): value is Due =>
  Array.isArray(value) && value.length === 2 && isNumber(value[0]) && isText(value[1]);

const isTally = (value: unknown): value is [number, number] => isListOf(value, 2, isNumber) && value.length === 2;
