import { ByAge } from '@ringfence/base';
import { StateError } from '../diagnostics/errors.ts';
import { LIMITS } from '../model/limits.ts';
import type { Changes, StateChange } from './codec.ts';

/** How values of keys are created, measured, encoded and decoded. */
export interface ValueType<V> {
  make(): V;
  /** Approximate size in characters. @default values are not measured */
  sizeOf?(value: V): number;
  encode(value: V): Uint8Array;
  /** @throws StateError */
  decode(id: string, bytes: Uint8Array): V;
}

interface Timed {
  /** Time of the key's newest event, in µs. */
  newest: number;
}

export interface StoreOptions extends Changes {
  readonly keysPerRule: number;
  readonly keys: number;
  /** Bound of the size of all values, in characters. @default unbounded */
  readonly characters?: number;
}

/** The values of one rule. */
interface Shelf<V> {
  /** By key. */
  readonly values: ByAge<string, V>;
  /** In characters. */
  size: number;
}

/**
 * Values by rule and key, least recently used first. Bounded: over a limit the least recently used key is evicted and
 * counted.
 */
export class KeyStore<V extends Timed> {
  readonly #type: ValueType<V>;
  readonly #limits: StoreOptions;
  readonly #byRule = new Map<string, Shelf<V>>();
  /** Sizes as they were counted last. */
  readonly #sizes = new WeakMap<V, number>();
  readonly #changed = new Map<string, readonly [rule: string, key: string]>();
  #size = 0;
  #characters = 0;
  #evicted = 0;
  /** Newest time of all keys, in µs. */
  #newestUs = Number.NEGATIVE_INFINITY;

  constructor(type: ValueType<V>, limits: StoreOptions) {
    this.#type = type;
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  get evicted(): number {
    return this.#evicted;
  }

  get(name: string, key: string): V | undefined {
    return this.#byRule.get(name)?.values.get(key);
  }

  *rules(): Iterable<[name: string, values: ReadonlyMap<string, V>]> {
    for (const [name, { values }] of this.#byRule) yield [name, values];
  }

  /**
   * Returns the value of a key and makes it the most recently used; creates it if there is none.
   * @param timeUs time of the event
   */
  touch(name: string, key: string, timeUs: number): V {
    this.#newestUs = Math.max(this.#newestUs, timeUs);
    const shelf = this.#byRule.get(name);
    const known = shelf?.values.get(key);
    if (known !== undefined) {
      shelf!.values.delete(key);
      shelf!.values.set(key, known);
      return known;
    }
    if (shelf !== undefined && shelf.values.size >= this.#limits.keysPerRule) this.#evictOldest(name, shelf);
    else if (this.#size >= this.#limits.keys) this.#evictFromLargest(({ values: { size } }) => size);
    const made = this.#type.make();
    this.#shelfOf(name).values.set(key, made);
    this.#size++;
    return made;
  }

  /** Look it up again after each eviction, which deletes an empty shelf. */
  #shelfOf(name: string): Shelf<V> {
    let shelf = this.#byRule.get(name);
    if (shelf === undefined) {
      shelf = { values: new ByAge(), size: 0 };
      this.#byRule.set(name, shelf);
    }
    return shelf;
  }

  /** Call it when a value has changed. */
  changed(name: string, key: string): void {
    this.#note(name, key);
    this.#measure(name, key);
  }

  delete(name: string, key: string): void {
    const shelf = this.#byRule.get(name);
    const value = shelf?.values.get(key);
    if (value === undefined) return;
    shelf!.values.delete(key);
    this.#forgotten(name, shelf!, key, value);
  }

  /**
   * An event or a restored entry may carry an absurd time, and every later event of its key would count as late. So
   * keys with times far ahead of the tick are evicted. Call it on ticks.
   */
  settle(tickUs: number): void {
    const latestUs = tickUs + LIMITS.clockAheadUs;
    if (this.#newestUs <= latestUs) return;
    for (const [name, { values }] of this.#byRule)
      for (const [key, { newest }] of values) if (newest > latestUs) this.#evict(name, key);
    this.#newestUs = latestUs;
  }

  /** Returns the keys that changed since the last call, as changelog entries. */
  takeChanges(): StateChange[] {
    const changes = [...this.#changed].map(([id, [name, key]]): StateChange => {
      const value = this.get(name, key);
      return { key: id, value: value === undefined ? null : this.#type.encode(value) };
    });
    this.#changed.clear();
    return changes;
  }

  /** Yields every key, in the form of `takeChanges`. */
  *snapshot(): Iterable<{ readonly key: string; readonly value: Uint8Array }> {
    for (const [name, { values }] of this.#byRule)
      for (const [key, value] of values) yield { key: `${name}\n${key}`, value: this.#type.encode(value) };
  }

  /**
   * Restores an entry.
   * @param check throws StateError if the value is damaged
   * @throws StateError if the entry can't be read
   */
  restore(id: string, bytes: Uint8Array, check?: (value: V) => void): void {
    const end = id.lastIndexOf('\n');
    if (end === -1) throw new StateError(id, 'the key has no rule');
    const restored = this.#type.decode(id, bytes);
    check?.(restored);
    const [name, key] = [id.slice(0, end), id.slice(end + 1)];
    Object.assign(this.touch(name, key, restored.newest), restored);
    this.#measure(name, key);
  }

  #measure(name: string, key: string): void {
    if (this.#type.sizeOf === undefined) return;
    const shelf = this.#byRule.get(name);
    const value = shelf?.values.get(key);
    if (value === undefined) return;
    this.#resize(shelf!, value, this.#type.sizeOf(value));
    const { characters: most = Number.POSITIVE_INFINITY } = this.#limits;
    while (this.#characters > most) this.#evictFromLargest((candidate) => candidate.size);
  }

  #evictFromLargest(sizeOf: (shelf: Shelf<V>) => number): void {
    let largest: [string, Shelf<V>] | undefined;
    for (const entry of this.#byRule)
      if (largest === undefined || sizeOf(entry[1]) > sizeOf(largest[1])) largest = entry;
    if (largest !== undefined) this.#evictOldest(...largest);
  }

  #evictOldest(name: string, shelf: Shelf<V>): void {
    const oldest = shelf.values.takeOldest();
    if (oldest === undefined) return;
    this.#forgotten(name, shelf, ...oldest);
    this.#evicted++;
  }

  #evict(name: string, key: string): void {
    this.delete(name, key);
    this.#evicted++;
  }

  #forgotten(name: string, shelf: Shelf<V>, key: string, value: V): void {
    this.#size--;
    this.#resize(shelf, value, 0);
    this.#note(name, key);
    // A deleted rule gets no more events, so nothing else would delete its shelf.
    if (shelf.values.size === 0) this.#byRule.delete(name);
  }

  #resize(shelf: Shelf<V>, value: V, size: number): void {
    const more = size - (this.#sizes.get(value) ?? 0);
    if (more === 0) return;
    this.#sizes.set(value, size);
    shelf.size += more;
    this.#characters += more;
  }

  #note(name: string, key: string): void {
    if (this.#limits.changelog !== false) this.#changed.set(`${name}\n${key}`, [name, key]);
  }
}
