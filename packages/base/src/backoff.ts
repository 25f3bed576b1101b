export interface Backoff {
  /** Pause after the first failure, ms. */
  readonly firstMs: number;
  /** Longest pause, ms. */
  readonly maxMs: number;
}

/** Keeps 2 ** attempt a finite number. */
const MAX_DOUBLINGS = 30;

/**
 * Returns the pause after failure number `attempt` (from 0): it doubles each time, with jitter, so that clients which failed together do not
 * come back together.
 */
export function backoffMs(attempt: number, { firstMs, maxMs }: Backoff): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(attempt, MAX_DOUBLINGS)) * (0.5 + Math.random() / 2);
}
