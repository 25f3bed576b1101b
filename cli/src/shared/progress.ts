import type { WriteStream } from 'node:tty';

export interface Progress extends Disposable {
  /** @param total unknown if it is left out */
  readonly report: (done: number, total?: number) => void;
}

/** Work that takes less shows no progress. */
const DELAY_MS = 2_000;
const MIN_INTERVAL_MS = 100;

/** Shows the progress of long work as one line: on terminals only, after two seconds. Disposing erases the line. */
export function progressOn(stream: NodeJS.WritableStream, noun: string): Progress {
  const startedAt = performance.now();
  let shownAt = Number.NEGATIVE_INFINITY;
  const isTerminal = (stream as Partial<WriteStream>).isTTY === true;
  return {
    report(done, total) {
      const now = performance.now();
      if (!isTerminal || now - startedAt < DELAY_MS || now - shownAt < MIN_INTERVAL_MS) return;
      shownAt = now;
      stream.write(`\r${total === undefined ? done : `${done} of ${total}`} ${noun}\u001b[K`);
    },
    [Symbol.dispose]() {
      if (shownAt > 0) stream.write('\r\u001b[K');
    },
  };
}
