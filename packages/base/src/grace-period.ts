export interface GracePeriodOptions {
  /** How long a name may stay missing, ms since it was first missed. 0: no name may. */
  readonly graceMs: number;
  /** Names that may get a grace period within a minute; more than that is a flood. @default 4 */
  readonly perMinute?: number;
  /** Current time, ms. @default performance.now */
  readonly now?: () => number;
}

const MINUTE_MS = 60_000;

/**
 * Decides whether a record may wait for a key that is still on its way, such as one whose enrolment was just
 * published. A waiting record holds up every record behind it: the wait is short, and only few names get one.
 */
export class GracePeriod {
  readonly #graceMs: number;
  readonly #perMinute: number;
  readonly #now: () => number;
  /** By name, when it was first missed; oldest first. */
  readonly #missedAt = new Map<string, number>();

  constructor(options: GracePeriodOptions) {
    this.#graceMs = options.graceMs;
    this.#perMinute = options.perMinute ?? 4;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Returns whether `name` is within its grace period, which starts with the first call for that name. */
  isWithin(name: string): boolean {
    if (this.#graceMs <= 0) return false;
    const now = this.#now();
    for (const [missed, since] of this.#missedAt) {
      if (now - since < Math.max(MINUTE_MS, this.#graceMs)) break;
      this.#missedAt.delete(missed);
    }
    const since = this.#missedAt.get(name);
    if (since !== undefined) return now - since < this.#graceMs;
    if (this.#missedAt.size >= this.#perMinute) return false;
    this.#missedAt.set(name, now);
    return true;
  }
}
