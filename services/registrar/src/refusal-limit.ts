const MAX_ADDRESSES = 10_000;
const MINUTE_MS = 60_000;

/** Blocks an address that guesses or floods, for the rest of a minute. Accepted requests are not counted. */
export class RefusalLimit {
  readonly #perMinute: number;
  readonly #counts = new Map<string, { count: number; startedMs: number }>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** `now` is in ms of a monotonic clock. */
  isBlocked(address: string, now: number): boolean {
    const entry = this.#counts.get(address);
    return entry !== undefined && now - entry.startedMs < MINUTE_MS && entry.count >= this.#perMinute;
  }

  count(address: string, now: number): void {
    const entry = this.#counts.get(address);
    if (entry !== undefined && now - entry.startedMs < MINUTE_MS) {
      entry.count++;
      return;
    }
    this.#counts.delete(address);
    this.#counts.set(address, { count: 1, startedMs: now });
    if (this.#counts.size > MAX_ADDRESSES) this.#counts.delete(this.#counts.keys().next().value as string);
  }
}
