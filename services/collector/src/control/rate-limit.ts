const WINDOW_MS = 60_000;

/** Allows at most `perMinute` actions in any 60 s. */
export class RateLimit {
  readonly #perMinute: number;
  readonly #times: number[] = [];

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Returns whether the limit allows an action now, and counts it. `nowMs` is of a monotonic clock. */
  take(nowMs: number): boolean {
    while (this.#times.length > 0 && (this.#times[0] as number) <= nowMs - WINDOW_MS) this.#times.shift();
    if (this.#times.length >= this.#perMinute) return false;
    this.#times.push(nowMs);
    return true;
  }
}
