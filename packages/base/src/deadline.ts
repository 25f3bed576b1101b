/** Resolves with `work`; rejects with the error that `onLate` returns when it takes longer than `ms`. `onLate` can also cancel the work. */
export async function withDeadline<T>(work: Promise<T>, ms: number, onLate: () => Error): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(onLate()), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // Work that lost the race may still reject; the caller already has an error.
    work.catch(() => {});
  }
}
