import { ByAge } from '@ringfence/base';

/** Values are immutable by convention: set a new one. JSON. */
interface Entry<T> {
  readonly value: T;
  /** in the order of the last set, over the memory */
  readonly ordinal: number;
}

/** A bounded Map that tells what has changed since it was last asked; beyond the bound the entry goes that was set longest ago. */
export class Remembered<T> {
  readonly #max: number;
  readonly #entries = new ByAge<string, Entry<T>>();
  readonly #changed = new Set<string>();
  #ordinal = 1;
  /** entries that had to go for lack of room */
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

  /** What had to go for it, if anything. */
  set(key: string, value: T): readonly [key: string, value: T] | undefined {
    // Deleted first, so that the order of the Map is the order of the last set.
    this.#entries.delete(key);
    this.#entries.set(key, { value, ordinal: this.#ordinal++ });
    this.#changed.add(key);
    if (this.#entries.size <= this.#max) return undefined;
    const [oldest, gone] = this.#entries.takeOldest() as [string, Entry<T>];
    this.#changed.add(oldest);
    this.evicted++;
    return [oldest, gone.value];
  }

  delete(key: string): void {
    if (this.#entries.delete(key)) this.#changed.add(key);
  }

  /** What changed since the last call: the entry to be kept, null for one that is gone. */
  drain(): [key: string, entry: unknown | null][] {
    const changes = [...this.#changed].map((key): [string, unknown] => [key, this.#entries.get(key) ?? null]);
    this.#changed.clear();
    return changes;
  }

  /** Fills empty memory with what `drain` gave, in any order. */
  restore(entries: readonly (readonly [key: string, entry: Entry<T>])[]): void {
    for (const [key, entry] of entries.toSorted(([, a], [, b]) => a.ordinal - b.ordinal)) {
      this.#entries.set(key, entry);
      this.#ordinal = entry.ordinal + 1;
    }
  }
}
