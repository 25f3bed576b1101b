const MAX_KEYS = 1024;

interface Bucket {
  tokens: number;
  at: number;
}

/** How many lines of one file or unit may pass: so many a second, and ten seconds' worth at once. */
export class LineLimit {
  readonly #perSecond: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** `now`: ms of a clock that never goes back */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** false: one too many. */
  take(key: string): boolean {
    const now = this.#now();
    const most = this.#perSecond * 10;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= MAX_KEYS) this.#buckets.delete(this.#buckets.keys().next().value as string);
      bucket = { tokens: most, at: now };
      this.#buckets.set(key, bucket);
    }
    bucket.tokens = Math.min(most, bucket.tokens + ((now - bucket.at) / 1000) * this.#perSecond);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}
