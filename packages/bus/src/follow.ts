import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadOptions } from './port.ts';

export interface FollowOptions<R> {
  readonly bus: { read(options: ReadOptions & { readonly topic: string }): AsyncIterable<R> };
  readonly topic: string;
  readonly signal: AbortSignal;
  /** Told every record, of which those that it has had come again after an interruption. What it throws is one. */
  readonly take: (record: R) => void | Promise<void>;
  /** Told that the topic could not be read on. */
  readonly interrupted: (error: unknown) => void;
  /** The pause before it is read again is a second, and twice as long each time that nothing comes, up to this. */
  readonly maxPauseMs: number;
}

const PAUSE_MS = 1000;

/** Reads a topic from its beginning and on for ever, whatever happens to the bus. Ends when `signal` aborts; never rejects. */
export async function followTopic<R>(options: FollowOptions<R>): Promise<void> {
  const { bus, topic, signal, take, interrupted, maxPauseMs } = options;
  for (let pauseMs = PAUSE_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
    try {
      for await (const record of bus.read({ topic, follow: true, signal })) {
        await take(record);
        pauseMs = PAUSE_MS;
      }
    } catch (error) {
      if (!signal.aborted) interrupted(error);
    }
    await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {});
  }
}
