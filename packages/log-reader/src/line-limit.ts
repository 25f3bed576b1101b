const MAX_KEYS = 1024;
const BURST_SECONDS = 10;

interface Bucket {
  tokens: number;
  at: number;
}

/** Rate limit for the lines of each file or unit, with a burst of ten seconds' lines. */
export class LineLimit {
  readonly #perSecond: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param now returns ms of a monotonic clock */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** Returns false if the line exceeds the limit. */
  take(key: string): boolean {
    const now = this.#now();
    const burst = this.#perSecond * BURST_SECONDS;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= MAX_KEYS) this.#buckets.delete(this.#buckets.keys().next().value as string);
      bucket = { tokens: burst, at: now };
      this.#buckets.set(key, bucket);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * this.#perSecond);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}
