import type { WriteStream } from 'node:tty';

export interface Progress extends Disposable {
  readonly tell: (done: number, of: number) => void;
}

/** What takes less isn't worth a line. */
const PATIENCE_MS = 2_000;
const BETWEEN_MS = 100;

/** A line that says how far a long work is, on terminals, once it has taken two seconds. Taken away at the end. */
export function progressOn(stream: NodeJS.WritableStream, what: string): Progress {
  const started = performance.now();
  let shownAt = Number.NEGATIVE_INFINITY;
  const terminal = (stream as Partial<WriteStream>).isTTY === true;
  return {
    tell(done, of) {
      const now = performance.now();
      if (!terminal || now - started < PATIENCE_MS || now - shownAt < BETWEEN_MS) return;
      shownAt = now;
      stream.write(`\r${done} of ${of} ${what}\u001b[K`);
    },
    [Symbol.dispose]() {
      if (shownAt > 0) stream.write('\r\u001b[K');
    },
  };
}
