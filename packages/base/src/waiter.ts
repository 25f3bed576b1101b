/** Lets one caller sleep until a commit, a close or its signal wakes it. It has no timer: an idle bus costs nothing. */
export class Waiter {
  #resolve: (() => void) | null = null;

  readonly wake = (): void => {
    const resolve = this.#resolve;
    this.#resolve = null;
    resolve?.();
  };

  /** Resolves at the next `wake`, or when `signal` aborts. */
  async wait(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resolve = resolve;
    signal?.addEventListener('abort', this.wake, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', this.wake);
    }
  }
}
