const LATE = Symbol('late');

/**
 * Resolves with the result of `work`. Rejects with the error that `onLate` returns when `work` takes longer than `ms`;
 * `onLate` can also cancel the work.
 */
export async function withDeadline<T>(work: Promise<T>, ms: number, onLate: () => Error): Promise<T> {
  const { promise: late, resolve } = Promise.withResolvers<typeof LATE>();
  let lateError: Error | undefined;
  const timer = setTimeout(() => {
    // Resolve first, so that work which onLate cancels cannot win the race with its own error.
    resolve(LATE);
    lateError = onLate();
  }, ms);
  try {
    const result = await Promise.race([work, late]);
    if (result === LATE) throw lateError;
    return result;
  } finally {
    clearTimeout(timer);
    // Work that lost the race may still reject; the caller already has an error.
    work.catch(() => {});
  }
}

/** Waits for `work`, at most `ms`. Returns whether it has ended; rejects with its error. */
export async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const late = new Error('late');
  try {
    await withDeadline(work, ms, () => late);
    return true;
  } catch (error) {
    if (error === late) return false;
    throw error;
  }
}
