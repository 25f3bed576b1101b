export interface PatienceOptions {
  /** How long something may be on its way, ms from when it was first missed; 0: nothing is. */
  readonly graceMs: number;
  /** Names waited for within a minute; more than that is no coincidence, and nobody waits for a flood. @default 4 */
  readonly perMinute?: number;
  /** ms. @default performance.now */
  readonly now?: () => number;
}

const MINUTE_MS = 60_000;

/**
 * Whether to wait for what a record needs and is not there *yet*: a key whose enrolment is on its way. A `retriable` throw holds up everything behind the
 * record, so the wait is short, and only a few names a minute are waited for.
 */
export class Patience {
  readonly #graceMs: number;
  readonly #perMinute: number;
  readonly #now: () => number;
  /** when a name was first missed; oldest first */
  readonly #missed = new Map<string, number>();

  constructor(options: PatienceOptions) {
    this.#graceMs = options.graceMs;
    this.#perMinute = options.perMinute ?? 4;
    this.#now = options.now ?? (() => performance.now());
  }

  /** false: it has had its time, or too many others have. */
  waitsFor(name: string): boolean {
    if (this.#graceMs <= 0) return false;
    const now = this.#now();
    for (const [old, since] of this.#missed) {
      if (now - since < Math.max(MINUTE_MS, this.#graceMs)) break;
      this.#missed.delete(old);
    }
    const since = this.#missed.get(name);
    if (since !== undefined) return now - since < this.#graceMs;
    if (this.#missed.size >= this.#perMinute) return false;
    this.#missed.set(name, now);
    return true;
  }
}
