import { setTimeout as sleep } from 'node:timers/promises';

export interface PollOptions {
  /** milliseconds between two checks while records arrive; a longer interval makes larger batches. @default 5 */
  readonly intervalMs?: number;
  /** milliseconds up to which the interval doubles while the ring is empty; then the reader sleeps. @default 80 */
  readonly backoffMs?: number;
  /** limit on a sleep in milliseconds, for programs that never wake the reader. @default 1000 */
  readonly sleepMs?: number;
  /**
   * called before each sleep, to set the flag that makes the BPF program wake the reader (BPF_RB_FORCE_WAKEUP); the
   * ring is checked once more after it
   */
  readonly arm?: () => void;
  readonly signal?: AbortSignal;
}

export interface Pollable {
  /** bytes */
  readonly size: number;
  begin(): void;
  release(): void;
  pendingBytes(): number;
  wait(timeoutMs: number, signal?: AbortSignal): Promise<boolean>;
}

export async function* pollRing<T extends Pollable>(
  ring: T,
  isClosed: () => boolean,
  options: PollOptions,
): AsyncGenerator<T, void, void> {
  const { intervalMs = 5, backoffMs = 80, sleepMs = 1000, arm, signal } = options;
  const isOver = (): boolean => isClosed() || signal?.aborted === true;
  let pause = intervalMs;
  while (!isOver()) {
    if (ring.pendingBytes() > 0) {
      ring.begin();
      yield ring;
      if (isClosed()) return;
      ring.release();
      // Do not pause if the ring fills faster than it is read.
      pause = ring.pendingBytes() > ring.size / 4 ? 0 : intervalMs;
    } else {
      pause = 2 * Math.max(pause, intervalMs);
    }
    if (pause <= backoffMs) {
      await pauseFor(pause, signal);
    } else {
      arm?.();
      await ring.wait(sleepMs, signal);
    }
  }
}

async function pauseFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
