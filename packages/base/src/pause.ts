import { setTimeout as sleep } from 'node:timers/promises';

export interface PauseOptions {
  /** Whether the pause keeps the process alive. @default true */
  readonly ref?: boolean;
}

/** Waits for `ms`; returns early, without an error, when `signal` aborts. */
export async function pause(ms: number, signal?: AbortSignal, { ref = true }: PauseOptions = {}): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? { ref } : { ref, signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
