import type { Position, StateChange, StateEntry } from '@ringfence/bus';

/** Which input an entry was last changed by. */
export interface InputPosition extends Position {
  readonly partition: number;
}

export interface StateTableOptions<T> {
  /** name of the store, `ringfence.state.*` */
  readonly store: string;
  readonly encode: (value: T) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => T;
  /** Beyond it the entry that was set longest ago goes, and is counted. */
  readonly maxEntries: number;
  /** Told of each eviction, so that the owner can count it or let go of what hangs on it. */
  readonly onEvict?: (key: string, value: T) => void;
}

interface Entry<T> {
  readonly value: T;
  readonly at: InputPosition;
}

/**
 * A Map over one state store. `drain` gives what changed since the last one, for the commit; `rollback` takes it back after a throw. Values are
 * immutable by convention: set a new one, don't change the one you got, or neither would notice.
 */
export class StateTable<T> {
  readonly #options: StateTableOptions<T>;
  readonly #entries: Map<string, Entry<T>> = new Map();
  /** before the first change since the last drain; undefined: there was none */
  readonly #before: Map<string, Entry<T> | undefined> = new Map();
  /** where the last change of a changed key came from: a deleted entry has no place of its own to say it */
  readonly #changedAt: Map<string, InputPosition> = new Map();
  #evicted = 0;

  constructor(options: StateTableOptions<T>) {
    if (!(options.maxEntries >= 1)) throw new RangeError(`maxEntries is ${options.maxEntries}, expected at least 1`);
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** entries that had to go for lack of room */
  get evicted(): number {
    return this.#evicted;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.value;
  }

  keys(): MapIterator<string> {
    return this.#entries.keys();
  }

  *entries(): Generator<[string, T], void, undefined> {
    for (const [key, { value }] of this.#entries) yield [key, value];
  }

  /** The entry has seen this input: a redelivery must not change it again. */
  isApplied(key: string, at: InputPosition): boolean {
    const last = this.#entries.get(key)?.at;
    if (last === undefined || last.partition !== at.partition) return false;
    return at.offset < last.offset || (at.offset === last.offset && at.index <= last.index);
  }

  set(key: string, value: T, at: InputPosition): void {
    this.#remember(key, at);
    // Deleted first, so that the order of the Map is the order of the last set.
    this.#entries.delete(key);
    this.#entries.set(key, { value, at });
    if (this.#entries.size > this.#options.maxEntries) this.#evictOldest(at);
  }

  delete(key: string, at: InputPosition): void {
    if (!this.#entries.has(key)) return;
    this.#remember(key, at);
    this.#entries.delete(key);
  }

  /** What changed since the last drain, one change a key; from here there is no way back. */
  drain(): StateChange[] {
    const { store, encode } = this.#options;
    const changes: StateChange[] = [];
    for (const [key, before] of this.#before) {
      const entry = this.#entries.get(key);
      // An entry that moved to another input partition leaves its old place.
      if (before !== undefined && before.at.partition !== entry?.at.partition) {
        changes.push({ store, partition: before.at.partition, key, value: null, position: this.#changedAt.get(key)! });
      }
      if (entry !== undefined) {
        const { partition, offset, index } = entry.at;
        changes.push({ store, partition, key, value: encode(entry.value), position: { offset, index } });
      }
    }
    this.#before.clear();
    this.#changedAt.clear();
    return changes;
  }

  /** Takes back what changed since the last drain. */
  rollback(): void {
    for (const [key, before] of this.#before) {
      if (before === undefined) this.#entries.delete(key);
      else this.#entries.set(key, before);
    }
    this.#before.clear();
    this.#changedAt.clear();
  }

  /** Adds what the store holds for a partition that has just been assigned. */
  async restore(entries: AsyncIterable<StateEntry>, partition: number): Promise<void> {
    const { decode, maxEntries } = this.#options;
    const found: [string, Entry<T>][] = [];
    for await (const { key, value, position } of entries) {
      found.push([key, { value: decode(value), at: { partition, ...position } }]);
    }
    // The order of the last set again, as near as positions tell it.
    found.sort(([, a], [, b]) => a.at.offset - b.at.offset || a.at.index - b.at.index);
    for (const [key, entry] of found) this.#entries.set(key, entry);
    for (let left = this.#entries.size - maxEntries; left > 0; left--) this.#evictOldest();
  }

  #remember(key: string, at: InputPosition): void {
    if (!this.#before.has(key)) this.#before.set(key, this.#entries.get(key));
    this.#changedAt.set(key, at);
  }

  /** `because`: the input that needed the room; at a restore, what the entry itself came from. */
  #evictOldest(because?: InputPosition): void {
    for (const [key, { value, at }] of this.#entries) {
      this.#remember(key, because ?? at);
      this.#entries.delete(key);
      this.#evicted++;
      this.#options.onEvict?.(key, value);
      return;
    }
  }
}
