import { backoffMs, pause } from '@ringfence/base';
import type { ReadOptions } from './port.ts';

export interface FollowOptions<R> {
  readonly bus: { read(options: ReadOptions & { readonly topic: string }): AsyncIterable<R> };
  readonly topic: string;
  readonly signal: AbortSignal;
  /**
   * Called with each record, and with earlier records again after an interruption. An error of it is an interruption.
   */
  readonly take: (record: R) => void | Promise<void>;
  /** Called when reading has failed. It starts again after a pause. */
  readonly interrupted: (error: unknown) => void;
  /** Longest pause, ms. The first pause is a second; it doubles with each attempt that yields no record. */
  readonly maxPauseMs: number;
}

const FIRST_PAUSE_MS = 1000;

/**
 * Reads a topic from its beginning and follows it, through all interruptions. Ends when `signal` aborts; never rejects.
 */
export async function followTopic<R>(options: FollowOptions<R>): Promise<void> {
  const { bus, topic, signal, take, interrupted, maxPauseMs } = options;
  const backoff = { firstMs: FIRST_PAUSE_MS, maxMs: maxPauseMs, jitter: false };
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      for await (const record of bus.read({ topic, follow: true, signal })) {
        await take(record);
        attempt = 0;
      }
    } catch (error) {
      if (!signal.aborted) interrupted(error);
    }
    await pause(backoffMs(attempt, backoff), signal, { ref: false });
  }
}
