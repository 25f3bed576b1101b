import { ByAge } from '@ringfence/base';

/** Facts of one boot by key, the one noted longest ago forgotten first, with what changed for the store. */
export class Remembered<T extends { readonly ordinal: number }> {
  readonly #known = new ByAge<string, T>();
  readonly #dirty = new Set<string>();
  readonly #most: number;
  #nextOrdinal = 1;
  /** forgotten for lack of room */
  evicted = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#known.size;
  }

  /** `value`: all of it but the ordinal. */
  protected put(key: string, value: Omit<T, 'ordinal'>): void {
    this.#known.delete(key);
    this.restore(key, { ...value, ordinal: this.#nextOrdinal } as T);
    this.#dirty.add(key);
    if (this.#known.size <= this.#most) return;
    const [oldest] = this.#known.takeOldest() as [string, T];
    this.#dirty.add(oldest);
    this.evicted++;
  }

  /** Called in the order of ordinals. */
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

  /** Keys of what changed since the last call. */
  drain(): string[] {
    const keys = [...this.#dirty];
    this.#dirty.clear();
    return keys;
  }
}
