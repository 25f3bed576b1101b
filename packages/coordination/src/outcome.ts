import { REASON_MAX } from './arguments.ts';
import { PostponeError } from './errors.ts';

/** What becomes of a job after its handler. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'postponed'; readonly delayMs: number }
  | { readonly kind: 'retried'; readonly reason: string }
  | { readonly kind: 'dead'; readonly reason: string };

/** Runs `handle` and judges what it throws; `last`: there is no further attempt. */
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

/** Who comes back after a minute of outages must not wait for another one. */
const BACKOFF_MAX_MS = 4000;

/** ms, before attempt `attempt` + 1 */
export function backoff(baseMs: number, attempt: number): number {
  return Math.min(baseMs * 2 ** Math.min(attempt - 1, 16), Math.max(baseMs, BACKOFF_MAX_MS));
}
