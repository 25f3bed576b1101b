export interface Backoff {
  /** Pause after the first failure, ms. */
  readonly firstMs: number;
  /** Longest pause, ms. */
  readonly maxMs: number;
  /** Shortens each pause at random, down to half, so that clients do not retry at the same time. @default true */
  readonly jitter?: boolean;
}

/** Keeps 2 ** attempt a finite number. */
const MAX_DOUBLINGS = 30;

/** Returns the pause after failure number `attempt` (from 0), ms. The pause doubles with each failure. */
export function backoffMs(attempt: number, { firstMs, maxMs, jitter = true }: Backoff): number {
  const ms = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, MAX_DOUBLINGS));
  return jitter ? ms * (0.5 + Math.random() / 2) : ms;
}
