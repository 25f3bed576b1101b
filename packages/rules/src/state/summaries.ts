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
  /** each has an event of its own: fewer than of thresholds. @default 1,000 */
  readonly keysPerRule?: number;
  /** @default 10,000 */
  readonly keys?: number;
  /** that all windows hold, about: events, texts, numbers. @default 32,000,000 */
  readonly characters?: number;
}

export interface SummaryStats {
  /** windows that are open */
  readonly keys: number;
  /** windows forgotten because there were too many, of one key too, or they held too much, or because their time was far ahead */
  readonly evicted: number;
}

type OnOver<E> = (rule: CompiledRule<E>, witness: string) => void;

/** Windows that were over, matched, and wait for the next tick; of one key there are more only where ticks stay away. */
const MOST_DUE = 16;
const VERSION = 1;

/**
 * What summaries remember between events: a window for each combination of values, from its first event on. It is judged when it is over, on a tick. Event
 * time only, so a replay tells the same.
 */
export class SummaryState {
  readonly #store: KeyStore<KeySummary>;
  readonly #names = new WeakMap<object, string>();
  /** By rule: µs before which none of its windows is over, and none that is waits; looked for when it isn't known. Most ticks find none. */
  readonly #nextUs = new Map<string, number>();
  /** windows that matched, and had no place among those that are due */
  #untold = 0;

  constructor(options: SummaryLimits & Changes = {}) {
    const { keysPerRule = 1000, keys = 10_000, characters = 32_000_000, changelog = true } = options;
    const type = { make: newSummary, sizeOf, encode, decode };
    this.#store = new KeyStore<KeySummary>(type, { keysPerRule, keys, characters, changelog });
  }

  /** Takes an event whose condition holds into account. */
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

  /** How many events the window of an event's key has had, to be looked at. */
  counted<E>(rule: CompiledRule<E>, summary: Summary<E>, event: E): number {
    return this.#store.get(this.#nameOf(rule, summary), groupKeyOf(summary.by, event))?.count ?? 0;
  }

  /**
   * Call it on ticks: reports windows that are over and match, with their first events, in the order in which they began, and forgets them. Events may come
   * late for a moment.
   */
  tick<E>(rules: readonly CompiledRule<E>[], timeUs: number, report: OnOver<E>): void {
    const known = new Map<string, CompiledRule<E>>();
    for (const rule of rules) if (rule.summary !== undefined) known.set(this.#nameOf(rule, rule.summary), rule);
    for (const name of this.#nextUs.keys()) if (!known.has(name)) this.#nextUs.delete(name);
    const overUs = timeUs - LIMITS.latenessUs;
    const told: { readonly rule: CompiledRule<E>; readonly id: string; readonly due: Due }[] = [];
    for (const [name, windows] of this.#store.rules()) {
      const rule = known.get(name);
      if (rule === undefined) for (const key of windows.keys()) this.#store.delete(name, key);
      else if (overUs >= (this.#nextUs.get(name) ?? Number.NEGATIVE_INFINITY))
        for (const [id, due] of this.#takeDue(name, windows, rule.summary!, overUs)) told.push({ rule, id, due });
    }
    this.#store.settle(timeUs);
    // What is kept may come back from a restart in another order.
    told.sort((a, b) => a.due[0] - b.due[0] || (a.id < b.id ? -1 : 1));
    for (const { rule, due } of told) report(rule, due[1]);
  }

  /** What is to be told of a rule, by key; windows that are over go. */
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
    return { keys: this.#store.size, evicted: this.#store.evicted + this.#untold };
  }

  /** Keys changed since the last call, as they are now: entries for a changelog. */
  takeChanges(): StateChange[] {
    return this.#store.takeChanges();
  }

  /** Everything, in the form of `takeChanges`. */
  snapshot(): Iterable<{ readonly key: string; readonly value: Uint8Array }> {
    return this.#store.snapshot();
  }

  /** Puts an entry back. @throws StateError when it can't be read */
  restore(id: string, value: Uint8Array, witness?: WitnessCheck): void {
    this.#nextUs.clear();
    this.#store.restore(id, value, ({ due, witness: first }) => {
      const kept = [...due.map(([, one]) => one), first].filter((one) => one !== '');
      if (witness !== undefined && !kept.every((one) => witness.isKept(one)))
        throw new StateError(id, 'an event that it keeps is none');
    });
  }

  #close<E>(window: KeySummary, summary: Summary<E>): void {
    if (holds(window, summary)) {
      if (window.due.length < MOST_DUE) window.due.push([window.sinceUs, window.witness]);
      else this.#untold++;
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
