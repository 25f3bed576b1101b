import { pause } from '@ringfence/base';

/** Delays items so that at most `perSecond` are sent in a second, with bursts of one second. 0: no limit. */
export class RateLimit {
  readonly #perSecond: number;
  /** When the items that were admitted so far are paid for, of performance.now(). */
  #paidAt = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Resolves when `items` may be sent, or when `signal` aborts. */
  async admit(items: number, signal: AbortSignal): Promise<void> {
    if (this.#perSecond === 0) return;
    const now = performance.now();
    const from = Math.max(now - 1000, this.#paidAt);
    this.#paidAt = from + (items * 1000) / this.#perSecond;
    if (this.#paidAt > now) await pause(this.#paidAt - now, signal);
  }
}
