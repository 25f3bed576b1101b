/** Numbers that programs compare lengths, counts and positions with. */
const EDGES: readonly number[] = [
  ...[0, 1, -1, 2, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000],
  ...[0x7fffffff, 0x80000000, 0xffffffff, 2 ** 32, 2 ** 52, 2 ** 53 - 1, 2 ** 53, 2 ** 62, 2 ** 63],
];

/** A generator of random values from a seed: an input is found again by its seed and number. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Returns a number of 32 bits (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** Returns a whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    return limit <= 1 ? 0 : this.next() % limit;
  }

  /** Returns true once in `times` calls, on average. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  /** Returns a whole number, small in most cases, often one at which programs decide. */
  integer(): number {
    if (this.once(3)) return this.pick(EDGES) * (this.once(3) ? -1 : 1);
    return this.once(2) ? this.below(8) : (this.next() | 0) >> this.below(32);
  }

  bytes(maxLength: number): Buffer {
    const bytes = Buffer.alloc(this.below(maxLength + 1));
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.next();
    return bytes;
  }

  /** Returns a text that may have any character, half surrogates too. */
  text(maxLength = 12): string {
    const codes = Array.from({ length: this.below(maxLength + 1) }, () =>
      this.once(4) ? this.below(0x10000) : 0x20 + this.below(0x5f),
    );
    return String.fromCharCode(...codes);
  }
}
