/** The calls that wait for Results, by command id. */
export class Waiters {
  readonly #waiting = new Map<string, Set<PromiseWithResolvers<Uint8Array>>>();

  get size(): number {
    return this.#waiting.size;
  }

  has(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** Resolves with the Result. Rejects with the signal's reason when it aborts. */
  async wait(id: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const waiter = Promise.withResolvers<Uint8Array>();
    const set = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, set.add(waiter));
    const abort = (): void => waiter.reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await waiter.promise;
    } finally {
      signal?.removeEventListener('abort', abort);
      set.delete(waiter);
      if (set.size === 0 && this.#waiting.get(id) === set) this.#waiting.delete(id);
    }
  }

  /** Returns false when no call waits for this Result. */
  answer(id: string, result: Uint8Array): boolean {
    const set = this.#waiting.get(id);
    this.#waiting.delete(id);
    for (const { resolve } of set ?? []) resolve(result);
    return set !== undefined;
  }

  /** Rejects all waiting calls. */
  fail(error: Error): void {
    for (const set of this.#waiting.values()) for (const { reject } of set) reject(error);
    this.#waiting.clear();
  }
}
