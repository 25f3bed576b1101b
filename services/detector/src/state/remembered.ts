import { ByAge } from '@ringfence/base';

/** Values are immutable by convention: set a new one. */
interface Entry<T> {
  readonly value: T;
  /** In the order of the last set, over the table */
  readonly ordinal: number;
}

/** A bounded Map that reports its changes. Beyond the bound, the entry that was set longest ago is evicted. */
export class Remembered<T> {
  readonly #max: number;
  readonly #entries = new ByAge<string, Entry<T>>();
  readonly #changed = new Set<string>();
  #ordinal = 1;
  /** Entries that were evicted for lack of room */
  evicted = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.value;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** In the order of the last set. */
  *entries(): Generator<[string, T], void, undefined> {
    for (const [key, { value }] of this.#entries) yield [key, value];
  }

  /** Returns the entry that was evicted for it, if any. */
  set(key: string, value: T): readonly [key: string, value: T] | undefined {
    // Deleted first, so that the order of the Map is the order of the last set.
    this.#entries.delete(key);
    this.#entries.set(key, { value, ordinal: this.#ordinal++ });
    this.#changed.add(key);
    if (this.#entries.size <= this.#max) return undefined;
    const [oldest, evicted] = this.#entries.takeOldest() as [string, Entry<T>];
    this.#changed.add(oldest);
    this.evicted++;
    return [oldest, evicted.value];
  }

  delete(key: string): void {
    if (this.#entries.delete(key)) this.#changed.add(key);
  }

  /** Returns the entries that changed since the last call; null for one that is gone. */
  drain(): [key: string, entry: Entry<T> | null][] {
    const changes = [...this.#changed].map((key): [string, Entry<T> | null] => [key, this.#entries.get(key) ?? null]);
    this.#changed.clear();
    return changes;
  }

  /** Fills empty memory with entries that `drain` returned, in any order; the newest ones if there are too many. */
  restore(entries: readonly (readonly [key: string, entry: Entry<T>])[]): void {
    for (const [key, entry] of entries.toSorted(([, a], [, b]) => a.ordinal - b.ordinal).slice(-this.#max)) {
      this.#entries.set(key, entry);
      this.#ordinal = entry.ordinal + 1;
    }
  }
}
