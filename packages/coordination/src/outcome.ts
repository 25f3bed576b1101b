import { backoffMs } from '@ringfence/base';
import { REASON_MAX } from './arguments.ts';
import { PostponeError } from './errors.ts';

/** The result of a job's handler. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'postponed'; readonly delayMs: number }
  | { readonly kind: 'retried'; readonly reason: string }
  | { readonly kind: 'dead'; readonly reason: string };

/** Runs the handler and maps its error to an outcome. `last` means that no attempt remains. */
export async function outcomeOf(handle: () => Promise<void>, last: boolean): Promise<Outcome> {
  try {
    await handle();
    return { kind: 'done' };
  } catch (error) {
    if (error instanceof PostponeError) return { kind: 'postponed', delayMs: Math.max(1, Math.ceil(error.delayMs)) };
    const poison = error instanceof Error && 'fate' in error && error.fate === 'poison';
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, REASON_MAX);
    return { kind: poison || last ? 'dead' : 'retried', reason };
  }
}

/** Bounds the backoff, so that jobs run soon after an outage of a minute ends. */
const BACKOFF_MAX_MS = 4000;

/** Returns the milliseconds to wait after attempt `attempt`. */
export function backoff(baseMs: number, attempt: number): number {
  return backoffMs(attempt - 1, { firstMs: baseMs, maxMs: Math.max(baseMs, BACKOFF_MAX_MS), jitter: false });
}
