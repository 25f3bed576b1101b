import { setTimeout as sleep } from 'node:timers/promises';

export interface PollOptions {
  /** ms between two looks while records come: longer makes larger batches. @default 5 */
  readonly intervalMs?: number;
  /** ms; the interval doubles up to this while nothing comes, then the reader sleeps until the kernel wakes it. @default 80 */
  readonly backoffMs?: number;
  /** ms that one sleep lasts at most, for rings whose writers never wake anybody. @default 1000 */
  readonly sleepMs?: number;
  /** Called before each such sleep: sets the flag that makes the BPF side wake its reader (BPF_RB_FORCE_WAKEUP). The ring is looked at once more after it. */
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
  closed: () => boolean,
  options: PollOptions,
): AsyncGenerator<T, void, void> {
  const { intervalMs = 5, backoffMs = 80, sleepMs = 1000, arm, signal } = options;
  const over = (): boolean => closed() || signal?.aborted === true;
  let pause = intervalMs;
  while (!over()) {
    if (ring.pendingBytes() > 0) {
      ring.begin();
      yield ring;
      if (closed()) return;
      ring.release();
      // A ring that fills faster than it is read gets no pause.
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
