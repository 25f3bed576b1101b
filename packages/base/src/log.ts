/** The part of a pino logger that code below the entry points uses. */
export interface Log {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  /** Something is wrong, and nothing was lost. */
  warn(facts: object, message: string): void;
  /** Data was lost, or a person has to act. */
  error(facts: object, message: string): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Kinds that are throttled separately; all further kinds share one throttle. */
const MAX_KINDS = 64;

/** Limits each kind of log entry to one per interval, so that an attacker can't fill the log by provoking errors. */
export class LogThrottle {
  readonly #intervalMs: number;
  readonly #kinds = new Map<string, { loggedAt: number; suppressed: number }>();

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /**
   * Returns null when this entry must be suppressed, else how many entries of its kind were suppressed since the last
   * logged one.
   *
   * @param now ms, monotonic
   */
  shouldLog(kind: string, now: number = performance.now()): number | null {
    const key = this.#kinds.has(kind) || this.#kinds.size < MAX_KINDS ? kind : '';
    const previous = this.#kinds.get(key);
    if (previous !== undefined && now - previous.loggedAt < this.#intervalMs) {
      previous.suppressed++;
      return null;
    }
    this.#kinds.set(key, { loggedAt: now, suppressed: 0 });
    return previous?.suppressed ?? 0;
  }
}
