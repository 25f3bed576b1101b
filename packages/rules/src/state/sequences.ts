import { StateError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { CompiledRule } from '../rule.ts';
import type { Sequence, SequenceMatch } from '../sequence.ts';
import type { Changes, StateChange } from './codec.ts';
import { Hits } from './hits.ts';
import { decodeKeyed, latestOf, witnessesOf } from './keyed-codec.ts';
import { Links } from './links.ts';
import { sequenceName } from './program.ts';
import type { Progress } from './progress.ts';
import { SequenceKeys, type Totals } from './sequence-keys.ts';
import type { Witness, WitnessCheck } from './witness.ts';

export interface SequenceLimits {
  /** @default 10,000 */
  readonly keysPerRule?: number;
  /** @default 100,000 */
  readonly keys?: number;
  /** events remembered for all keys of all rules, about. @default 500,000 */
  readonly hits?: number;
  /** µs by which an event may come late and still take its place in the order. @default 2 s */
  readonly latenessUs?: number;
}

export interface SequenceStats {
  /** keys in which something has begun */
  readonly keys: number;
  /** events that they remember, about */
  readonly hits: number;
  /** keys forgotten because there were too many: what they had begun is lost */
  readonly evicted: number;
  /** events that came later than the order waits: taken as if they had happened a little later than they did */
  readonly late: number;
  /** entries restored that are not what the sequence of their name remembers: dropped */
  readonly damaged: number;
}

/**
 * What sequences remember between events. It outlives a reload of the rules: a rule that is the same goes on. Memory is bounded; when there is too
 * much, the key that began first goes, and is counted. Event time only, so a replay finds the same.
 */
export class SequenceState {
  readonly #keysPerRule: number;
  readonly #mostKeys: number;
  readonly #mostHits: number;
  readonly #latenessUs: number;
  readonly #changelog: boolean;
  readonly #links = new Links(new Hits());
  readonly #byName = new Map<string, SequenceKeys>();
  readonly #bySequence = new WeakMap<object, SequenceKeys>();
  /** µs, of the newest event or tick */
  #clockUs = Number.NEGATIVE_INFINITY;
  readonly #totals: Totals = { keys: 0, hits: 0 };
  #evicted = 0;
  #late = 0;

  constructor(limits: SequenceLimits & Changes = {}) {
    this.#changelog = limits.changelog ?? true;
    this.#keysPerRule = limits.keysPerRule ?? 10_000;
    this.#mostKeys = limits.keys ?? 100_000;
    this.#mostHits = limits.hits ?? 500_000;
    this.#latenessUs = limits.latenessUs ?? LIMITS.latenessUs;
  }

  /** Takes an event that fits the steps of `bits` into account, and tells what it finishes. */
  take<E>(
    rule: CompiledRule<E>,
    sequence: Sequence<E>,
    bits: number,
    event: E,
    timeUs: number,
    witness?: Witness<E>,
  ): readonly SequenceMatch[] {
    const keys = this.#keysOf(rule, sequence);
    // Before the first event nothing is late.
    const clockUs = this.#clockUs === Number.NEGATIVE_INFINITY ? timeUs : this.#clockUs;
    const openSinceUs = clockUs - this.#latenessUs;
    if (timeUs < openSinceUs) this.#late++;
    const completed = keys.take(bits, event, Math.max(timeUs, openSinceUs), clockUs, openSinceUs, witness);
    this.#clockUs = Math.max(clockUs, timeUs);
    if (keys.size > this.#keysPerRule) this.#evict(keys);
    while (this.#totals.keys > this.#mostKeys || this.#totals.hits > this.#mostHits) this.#evict(this.#largest());
    return completed;
  }

  /** What one key of a rule has come to, to be looked at until the next event; undefined: nothing has begun for it. */
  progress<E>(rule: CompiledRule<E>, sequence: Sequence<E>, key: string): Progress | undefined {
    return this.#keysOf(rule, sequence).progress(key);
  }

  /** Call it on ticks: forgets what no longer matters at `timeUs`, and reports what is finished because something did not come. */
  tick<E>(
    rules: readonly CompiledRule<E>[],
    timeUs: number,
    report: (rule: CompiledRule<E>, match: SequenceMatch) => void,
  ): void {
    const known = new Map<CompiledRule<E>, SequenceKeys>();
    for (const rule of rules) if (rule.sequence !== undefined) known.set(rule, this.#keysOf(rule, rule.sequence));
    const inUse = new Set(known.values());
    for (const keys of this.#byName.values()) if (!inUse.has(keys)) keys.clear();
    this.#clockUs = this.#settled(timeUs);
    const openSinceUs = this.#clockUs - this.#latenessUs;
    for (const [rule, keys] of known) {
      for (const match of keys.due(openSinceUs)) report(rule, match);
      keys.expire(this.#clockUs, openSinceUs);
    }
  }

  /** An event, or what was restored, may say a time that was never: with a clock that far ahead all events would be late for ever. */
  #settled(tickUs: number): number {
    if (this.#clockUs - tickUs <= LIMITS.clockAheadUs) return Math.max(this.#clockUs, tickUs);
    for (const keys of this.#byName.values()) this.#evicted += keys.forgetAfter(tickUs + LIMITS.clockAheadUs);
    return tickUs;
  }

  stats(): SequenceStats {
    let damaged = 0;
    for (const keys of this.#byName.values()) damaged += keys.damaged;
    return { ...this.#totals, evicted: this.#evicted, late: this.#late, damaged };
  }

  /** Keys changed since the last call, as they are now: entries for a changelog. */
  takeChanges(): StateChange[] {
    const changes: StateChange[] = [];
    for (const keys of this.#byName.values())
      for (const [key, value] of keys.takeChanged()) changes.push({ key: `${keys.name}\n${key}`, value });
    return changes;
  }

  /** Everything, in the form of `takeChanges`. */
  *snapshot(): Iterable<{ readonly key: string; readonly value: Uint8Array }> {
    for (const keys of this.#byName.values())
      for (const [key, value] of keys.snapshot()) yield { key: `${keys.name}\n${key}`, value };
  }

  /** Puts an entry back, before the first event. @throws StateError when it, or an event that it kept, can't be read */
  restore(id: string, value: Uint8Array, witness?: WitnessCheck): void {
    const end = id.indexOf('\n');
    if (end === -1) throw new StateError(id, 'the key has no rule');
    const saved = decodeKeyed(id, id.slice(end + 1), value);
    if (witness !== undefined && !witnessesOf(saved).every((kept) => witness.isKept(kept)))
      throw new StateError(id, 'the event that it keeps is damaged');
    this.#named(id.slice(0, end)).restore(saved);
    this.#clockUs = Math.max(this.#clockUs, latestOf(saved));
  }

  #keysOf<E>(rule: CompiledRule<E>, sequence: Sequence<E>): SequenceKeys {
    const known = this.#bySequence.get(sequence);
    if (known !== undefined) return known;
    const keys = this.#named(sequenceName(rule, sequence));
    keys.use(sequence as Sequence<unknown>);
    this.#bySequence.set(sequence, keys);
    return keys;
  }

  #named(name: string): SequenceKeys {
    const keys = this.#byName.get(name) ?? new SequenceKeys(name, this.#links, this.#totals, this.#changelog);
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
