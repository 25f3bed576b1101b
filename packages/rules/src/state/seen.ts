import { ByAge } from '@ringfence/base';
import { isNumber } from '@ringfence/sequence-store';
import { StateError } from '../diagnostics/errors.ts';
import type { CompiledRule, FirstSeen } from '../model/rule.ts';
import { type Changes, decodeEntry, encodeEntry, type StateChange } from './codec.ts';
import { keyOf } from './key.ts';

export interface SeenLimits {
  /** @default 10,000 */
  readonly keysPerRule?: number;
  /** @default 100,000 */
  readonly keys?: number;
}

export interface SeenStats {
  /** Known combinations. */
  readonly keys: number;
  /** Combinations evicted because a limit was reached: they will look new again. */
  readonly evicted: number;
}

/** When a combination was last seen. */
interface Seen {
  /** In µs. It may lag by a hundredth of `within`, so that frequent combinations are not written all the time. */
  readonly lastUs: number;
  /** Position in its rule's order of use: the least recently used are evicted first. */
  readonly ordinal: number;
}

/** The combinations that one rule has seen. */
interface Terms {
  readonly name: string;
  /** Time at which learning started, in µs. */
  sinceUs: number;
  /** Least recently used first. */
  readonly seen: ByAge<string, Seen>;
  nextOrdinal: number;
  /** Entries were restored, in an unknown order. */
  unsorted: boolean;
}

const VERSION = 1;
const GRAINS = 100;
const NOT_YET = Number.POSITIVE_INFINITY;

/**
 * The combinations of values that the `first_seen` rules of a host have seen. Times are wall-clock times of events, so
 * a replay finds the same. The state survives reboots and reloads: it belongs to the rule's name and fields. Memory is
 * bounded: over a limit the least recently used combination is evicted and counted.
 */
export class SeenState {
  readonly #keysPerRule: number;
  readonly #most: number;
  readonly #byName = new Map<string, Terms>();
  readonly #names = new WeakMap<object, string>();
  readonly #changelog: boolean;
  readonly #changed = new Set<string>();
  #keys = 0;
  #evicted = 0;

  constructor(limits: SeenLimits & Changes = {}) {
    this.#changelog = limits.changelog ?? true;
    this.#keysPerRule = limits.keysPerRule ?? 10_000;
    this.#most = limits.keys ?? 100_000;
  }

  /**
   * Records the event's combination. Returns true if the combination has not been seen for as long as the rule asks and
   * the learning time is over.
   */
  isFirst<E>(rule: CompiledRule<E>, firstSeen: FirstSeen<E>, event: E, nowUs: number): boolean {
    const key = keyOf(firstSeen.by, event);
    if (key === undefined) return false;
    const { withinUs, learnUs } = firstSeen;
    const terms = this.#termsOf(rule, firstSeen, nowUs);
    const known = terms.seen.get(key);
    const agoUs = known === undefined ? Number.POSITIVE_INFINITY : nowUs - known.lastUs;
    if (agoUs < withinUs / GRAINS) return false;
    this.#see(terms, key, nowUs);
    return agoUs >= withinUs && nowUs - terms.sinceUs >= learnUs;
  }

  /** Returns when an event's combination was last seen and when the rule started to learn, for explanations. */
  known<E>(rule: CompiledRule<E>, firstSeen: FirstSeen<E>, event: E): { lastUs: number | undefined; sinceUs: number } {
    const key = keyOf(firstSeen.by, event);
    const terms = this.#byName.get(nameOf(rule, firstSeen));
    return { lastUs: key === undefined ? undefined : terms?.seen.get(key)?.lastUs, sinceUs: terms?.sinceUs ?? NOT_YET };
  }

  /**
   * Starts the learning time of new rules, and forgets combinations that have not been seen for long enough. Call it on
   * ticks.
   */
  tick<E>(rules: readonly CompiledRule<E>[], nowUs: number): void {
    const inForce = new Set<Terms>();
    for (const rule of rules) {
      const { firstSeen } = rule;
      if (firstSeen === undefined) continue;
      const terms = this.#termsOf(rule, firstSeen, nowUs);
      inForce.add(terms);
      // The clock was set back: learning would not end.
      if (nowUs < terms.sinceUs) this.#begin(terms, nowUs);
      for (const [key, { lastUs }] of terms.seen) {
        if (lastUs + firstSeen.withinUs > nowUs) break;
        this.#forget(terms, key);
      }
    }
    for (const terms of this.#byName.values()) if (!inForce.has(terms)) this.#drop(terms);
  }

  stats(): SeenStats {
    return { keys: this.#keys, evicted: this.#evicted };
  }

  /** Returns the entries that changed since the last call, for a changelog. */
  takeChanges(): StateChange[] {
    const changes = [...this.#changed].map((id) => ({ key: id, value: this.#encoded(id) }));
    this.#changed.clear();
    return changes;
  }

  /** Yields everything, in the form of `takeChanges`. */
  *snapshot(): Iterable<{ readonly key: string; readonly value: Uint8Array }> {
    for (const { name, sinceUs, seen } of this.#byName.values()) {
      yield { key: name, value: encodeEntry(VERSION, [sinceUs]) };
      for (const [key, entry] of seen) yield { key: idOf(name, key), value: encoded(entry) };
    }
  }

  /** Restores an entry, before the first event. @throws StateError if it can't be read */
  restore(id: string, value: Uint8Array): void {
    const [name, key] = partsOf(id);
    const fields = decodeEntry(id, value, VERSION);
    const [first, ordinal] = fields;
    if (!isNumber(first) || (key !== undefined && !isNumber(ordinal)))
      throw new StateError(id, 'its fields are not what this version writes');
    const terms = this.#named(name);
    if (key === undefined) terms.sinceUs = first;
    else {
      this.#keys += terms.seen.has(key) ? 0 : 1;
      terms.seen.set(key, { lastUs: first, ordinal: ordinal as number });
      terms.unsorted = true;
    }
  }

  #termsOf<E>(rule: CompiledRule<E>, firstSeen: FirstSeen<E>, nowUs: number): Terms {
    let name = this.#names.get(firstSeen);
    if (name === undefined) {
      name = nameOf(rule, firstSeen);
      this.#names.set(firstSeen, name);
    }
    const terms = this.#named(name);
    if (terms.sinceUs === NOT_YET) this.#begin(terms, nowUs);
    if (terms.unsorted) sort(terms);
    return terms;
  }

  #named(name: string): Terms {
    const terms = this.#byName.get(name) ?? {
      name,
      sinceUs: NOT_YET,
      seen: new ByAge(),
      nextOrdinal: 0,
      unsorted: false,
    };
    this.#byName.set(name, terms);
    return terms;
  }

  #begin(terms: Terms, nowUs: number): void {
    terms.sinceUs = nowUs;
    this.#note(terms.name);
  }

  #see(terms: Terms, key: string, nowUs: number): void {
    if (!terms.seen.delete(key)) this.#keys++;
    terms.seen.set(key, { lastUs: nowUs, ordinal: terms.nextOrdinal++ });
    this.#note(idOf(terms.name, key));
    if (terms.seen.size > this.#keysPerRule) this.#evict(terms);
    else if (this.#keys > this.#most) this.#evict(this.#largest());
  }

  #largest(): Terms {
    const isLarger = (a: Terms, b: Terms): boolean =>
      a.seen.size > b.seen.size || (a.seen.size === b.seen.size && a.name < b.name);
    return [...this.#byName.values()].reduce((largest, terms) => (isLarger(terms, largest) ? terms : largest));
  }

  #evict(terms: Terms): void {
    if (terms.unsorted) sort(terms);
    const oldest = terms.seen.takeOldest();
    if (oldest === undefined) return;
    this.#forgotten(terms, oldest[0]);
    this.#evicted++;
  }

  #forget(terms: Terms, key: string): void {
    terms.seen.delete(key);
    this.#forgotten(terms, key);
  }

  #forgotten(terms: Terms, key: string): void {
    this.#keys--;
    this.#note(idOf(terms.name, key));
  }

  #drop(terms: Terms): void {
    for (const key of terms.seen.keys()) this.#forget(terms, key);
    this.#byName.delete(terms.name);
    this.#note(terms.name);
  }

  #note(id: string): void {
    if (this.#changelog) this.#changed.add(id);
  }

  #encoded(id: string): Uint8Array | null {
    const [name, key] = partsOf(id);
    const terms = this.#byName.get(name);
    if (terms === undefined) return null;
    if (key === undefined) return encodeEntry(VERSION, [terms.sinceUs]);
    const entry = terms.seen.get(key);
    return entry === undefined ? null : encoded(entry);
  }
}

const nameOf = <E>(rule: CompiledRule<E>, { by }: FirstSeen<E>): string =>
  JSON.stringify([rule.name, ...by.map((operand) => operand.key)]);
const encoded = ({ lastUs, ordinal }: Seen): Uint8Array => encodeEntry(VERSION, [lastUs, ordinal]);
/** A name is JSON and has no line breaks. */
const idOf = (name: string, key: string): string => `${name}\n${key}`;

function partsOf(id: string): [name: string, key: string | undefined] {
  const end = id.indexOf('\n');
  return end === -1 ? [id, undefined] : [id.slice(0, end), id.slice(end + 1)];
}

/** Restores the order of use: a store returns entries in its own order. */
function sort(terms: Terms): void {
  const inOrder = [...terms.seen].sort(([, a], [, b]) => a.ordinal - b.ordinal);
  terms.seen.clear();
  for (const [key, entry] of inOrder) terms.seen.set(key, entry);
  terms.nextOrdinal = (inOrder.at(-1)?.[1].ordinal ?? -1) + 1;
  terms.unsorted = false;
}
