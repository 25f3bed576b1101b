import { ByAge } from '@ringfence/base';

/** Bounded table of facts of one boot, with its changes for the store. The least recently put fact is evicted. */
export class Remembered<T extends { readonly ordinal: number }> {
  readonly #known = new ByAge<string, T>();
  readonly #dirty = new Set<string>();
  readonly #max: number;
  #nextOrdinal = 1;
  evicted = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#known.size;
  }

  /** `value`: the entry without its ordinal. */
  protected put(key: string, value: Omit<T, 'ordinal'>): void {
    this.#known.delete(key);
    this.restore(key, { ...value, ordinal: this.#nextOrdinal } as T);
    this.#dirty.add(key);
    if (this.#known.size <= this.#max) return;
    const [oldest] = this.#known.takeOldest() as [string, T];
    this.#dirty.add(oldest);
    this.evicted++;
  }

  /** Must be called in the order of ordinals. */
  restore(key: string, known: T): void {
    this.#known.set(key, known);
    this.#nextOrdinal = known.ordinal + 1;
  }

  get(key: string): T | undefined {
    return this.#known.get(key);
  }

  keys(): Iterable<string> {
    return this.#known.keys();
  }

  /** Returns the keys that changed since the last call. */
  drain(): string[] {
    const keys = [...this.#dirty];
    this.#dirty.clear();
    return keys;
  }
}
