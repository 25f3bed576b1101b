import { WireError } from './wire.ts';

/** Rejects with TIMEOUT when the work takes longer; `late` is called then, to end what can't be awaited any more. */
export async function within<T>(work: Promise<T>, ms: number, what: string, late?: () => void): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new WireError('TIMEOUT', `${what}: no answer within ${ms} ms`));
    late?.();
  }, ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    // The loser of the race may still reject; its error has been told, or is of no interest any more.
    work.catch(() => {});
  }
}

/** Doubling from `baseMs`, with jitter so that what failed together doesn't come back together. */
export function backoffMs(attempt: number, baseMs: number, maxMs: number): number {
  return Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30)) * (0.5 + Math.random() / 2);
}
