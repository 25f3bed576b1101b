import {
  type Compare,
  decodeKey,
  EventRows,
  KEY_VERSION,
  latestOf,
  NO_MATCHES,
  PartialRows,
  type Progress,
  SequenceKeys,
  type SequenceMatch,
  type Totals,
  witnessesOf,
} from '@ringfence/sequence-store';
import { holdsBetween } from '../compile/evaluate.ts';
import { StateError } from '../diagnostics/errors.ts';
import type { Test } from '../model/expression.ts';
import { LIMITS } from '../model/limits.ts';
import type { CompiledRule } from '../model/rule.ts';
import type { Sequence } from '../model/sequence.ts';
import { type Changes, decodeEntry, encodeEntry, type StateChange } from './codec.ts';
import { EventReader } from './event-reader.ts';
import { keyOf } from './key.ts';
import type { Witness, WitnessCheck } from './witness.ts';

export interface SequenceLimits {
  /** @default 10,000 */
  readonly keysPerRule?: number;
  /** @default 100,000 */
  readonly keys?: number;
  /** Events remembered for all keys of all rules, about. @default 500,000 */
  readonly hits?: number;
  /** How late an event may come and still take its place in the order, in µs. @default 2 s */
  readonly latenessUs?: number;
}

export interface SequenceStats {
  /** Keys with an unfinished sequence. */
  readonly keys: number;
  /** Events that they remember, about. */
  readonly hits: number;
  /** Keys evicted because a limit was reached: their unfinished sequences are lost. */
  readonly evicted: number;
  /** Events that came later than the order waits for: they are taken as if they had happened a little later. */
  readonly late: number;
  /** Restored entries that did not fit the sequence of their name, and were dropped. */
  readonly damaged: number;
}

/** A sequence's state in the store, and the reader of its events. */
interface Entry {
  readonly keys: SequenceKeys;
  readonly reader: EventReader;
}

const compare: Compare<Test<unknown>> = holdsBetween;

/**
 * State of the sequences between events. It survives a reload of the rules: an unchanged rule continues. Memory is
 * bounded: over a limit the oldest key is evicted and counted. Only event time counts, so a replay finds the same.
 */
export class SequenceState {
  readonly #keysPerRule: number;
  readonly #maxKeys: number;
  readonly #maxHeld: number;
  readonly #latenessUs: number;
  readonly #changelog: boolean;
  readonly #partials = new PartialRows(new EventRows());
  readonly #byName = new Map<string, SequenceKeys>();
  readonly #bySequence = new WeakMap<object, Entry>();
  /** Time of the newest event or tick, in µs. */
  #clockUs = Number.NEGATIVE_INFINITY;
  readonly #totals: Totals = { keys: 0, held: 0 };
  #evicted = 0;
  #late = 0;

  constructor(limits: SequenceLimits & Changes = {}) {
    this.#changelog = limits.changelog ?? true;
    this.#keysPerRule = limits.keysPerRule ?? 10_000;
    this.#maxKeys = limits.keys ?? 100_000;
    this.#maxHeld = limits.hits ?? 500_000;
    this.#latenessUs = limits.latenessUs ?? LIMITS.latenessUs;
  }

  /** Applies an event that fits the steps of `bits`, and returns the matches that it completes. */
  take<E>(
    rule: CompiledRule<E>,
    sequence: Sequence<E>,
    bits: number,
    event: E,
    timeUs: number,
    witness?: Witness<E>,
  ): readonly SequenceMatch[] {
    const entry = this.#entryOf(rule, sequence);
    // Before the first event no event is late.
    const clockUs = this.#clockUs === Number.NEGATIVE_INFINITY ? timeUs : this.#clockUs;
    const openSinceUs = clockUs - this.#latenessUs;
    if (timeUs < openSinceUs) this.#late++;
    const completed = takeByKey(entry, bits, event, Math.max(timeUs, openSinceUs), clockUs, openSinceUs, witness);
    this.#clockUs = Math.max(clockUs, timeUs);
    if (entry.keys.size > this.#keysPerRule) this.#evict(entry.keys);
    while (this.#totals.keys > this.#maxKeys || this.#totals.held > this.#maxHeld) this.#evict(this.#largest());
    return completed;
  }

  /** Returns a view of one key of a rule; undefined: no sequence has begun for it. Valid until the next event. */
  progress<E>(rule: CompiledRule<E>, sequence: Sequence<E>, key: string): Progress | undefined {
    return this.#entryOf(rule, sequence).keys.progress(key);
  }

  /** Expires keys and reports the matches that are complete because an event did not come. Call it on ticks. */
  tick<E>(
    rules: readonly CompiledRule<E>[],
    timeUs: number,
    report: (rule: CompiledRule<E>, match: SequenceMatch) => void,
  ): void {
    const known = new Map<CompiledRule<E>, SequenceKeys>();
    for (const rule of rules) if (rule.sequence !== undefined) known.set(rule, this.#entryOf(rule, rule.sequence).keys);
    const inUse = new Set(known.values());
    for (const keys of this.#byName.values()) if (!inUse.has(keys)) keys.clear();
    this.#clockUs = this.#correctedClock(timeUs);
    const openSinceUs = this.#clockUs - this.#latenessUs;
    for (const [rule, keys] of known) {
      for (const match of keys.due(openSinceUs)) report(rule, match);
      keys.expire(this.#clockUs, openSinceUs);
    }
  }

  /**
   * An event or a restored entry may carry an absurd time, and a clock that far ahead would make all events late for
   * ever. So the clock is set back to the tick, and keys with such times are evicted.
   */
  #correctedClock(tickUs: number): number {
    if (this.#clockUs - tickUs <= LIMITS.clockAheadUs) return Math.max(this.#clockUs, tickUs);
    for (const keys of this.#byName.values()) this.#evicted += keys.forgetAfter(tickUs + LIMITS.clockAheadUs);
    return tickUs;
  }

  stats(): SequenceStats {
    let damaged = 0;
    for (const keys of this.#byName.values()) damaged += keys.damaged;
    const { keys, held } = this.#totals;
    return { keys, hits: held, evicted: this.#evicted, late: this.#late, damaged };
  }

  /** Returns the keys that changed since the last call, as changelog entries. */
  takeChanges(): StateChange[] {
    const changes: StateChange[] = [];
    for (const keys of this.#byName.values())
      for (const [key, fields] of keys.takeChanged())
        changes.push({ key: `${keys.name}\n${key}`, value: fields === null ? null : encodeEntry(KEY_VERSION, fields) });
    return changes;
  }

  /** Yields every key, in the form of `takeChanges`. */
  *snapshot(): Iterable<{ readonly key: string; readonly value: Uint8Array }> {
    for (const keys of this.#byName.values())
      for (const [key, fields] of keys.snapshot())
        yield { key: `${keys.name}\n${key}`, value: encodeEntry(KEY_VERSION, fields) };
  }

  /** Restores an entry, before the first event. Throws StateError if the entry or a kept event is damaged. */
  restore(id: string, value: Uint8Array, witness?: WitnessCheck): void {
    const end = id.indexOf('\n');
    if (end === -1) throw new StateError(id, 'the key has no rule');
    const saved = decodeKey(id.slice(end + 1), decodeEntry(id, value, KEY_VERSION));
    if (saved === undefined) throw new StateError(id, 'its fields are not what this version writes');
    if (witness !== undefined && !witnessesOf(saved).every((kept) => witness.isKept(kept)))
      throw new StateError(id, 'a kept event is damaged');
    this.#named(id.slice(0, end)).restore(saved);
    this.#clockUs = Math.max(this.#clockUs, latestOf(saved));
  }

  #entryOf<E>(rule: CompiledRule<E>, sequence: Sequence<E>): Entry {
    const known = this.#bySequence.get(sequence);
    if (known !== undefined) return known;
    const keys = this.#named(sequenceName(rule, sequence));
    keys.use(sequence as Sequence<unknown>, compare);
    const entry = { keys, reader: new EventReader(sequence as Sequence<unknown>, keys.events) };
    this.#bySequence.set(sequence, entry);
    return entry;
  }

  #named(name: string): SequenceKeys {
    const keys = this.#byName.get(name) ?? new SequenceKeys(name, this.#partials, this.#totals, this.#changelog);
    this.#byName.set(name, keys);
    return keys;
  }

  #largest(): SequenceKeys {
    let largest: SequenceKeys | undefined;
    for (const keys of this.#byName.values()) if (largest === undefined || keys.held > largest.held) largest = keys;
    return largest!;
  }

  #evict(keys: SequenceKeys): void {
    if (keys.forgetOldest()) this.#evicted++;
  }
}

/** Applies an event under each key that its steps have. Steps with different fields of one value share one event. */
export function takeByKey<E>(
  { keys, reader }: Entry,
  bits: number,
  event: E,
  timeUs: number,
  clockUs: number,
  openSinceUs: number,
  witness?: Witness<E>,
): readonly SequenceMatch[] {
  const { groups } = reader;
  let completed = NO_MATCHES;
  let remaining = bits;
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i]!;
    if ((remaining & group.bits) === 0) continue;
    const key = keyOf(group.by, event);
    if (key === undefined) continue;
    const steps = reader.bitsOf(key, event, remaining, i);
    remaining &= ~steps;
    const row = reader.add(steps, event, timeUs, witness);
    const found = keys.take(key, row, clockUs, openSinceUs);
    keys.events.release(row);
    if (found.length > 0) completed = [...completed, ...found];
  }
  return completed;
}

/** Names a sequence by its rule, condition and kept values: an equal rule continues, whatever file it comes from. */
function sequenceName<E>(rule: CompiledRule<E>, { kept }: Sequence<E>): string {
  const condition = rule.condition.trim().replace(/\s+/g, ' ');
  return JSON.stringify([rule.name, condition, kept.map(({ step, operand }) => `${step} ${operand.key}`)]);
}
