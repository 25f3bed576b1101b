import type { WriteStream } from 'node:tty';

/**
 * A block at the bottom of a terminal that is redrawn in place, with lines that scroll above it. On a stream that is no
 * terminal, only the lines are written.
 */
export class LiveView implements Disposable {
  readonly #stream: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns' | 'rows'>>;
  #block: readonly string[] = [];

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  get interactive(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Prints lines above the block. */
  print(text: string): void {
    this.#stream.write(`${this.#eraseSequence()}${text}\n${this.#drawSequence()}`);
  }

  /** Replaces the block. Its lines must not contain control characters other than colours. */
  draw(lines: readonly string[]): void {
    if (!this.interactive) return;
    const erased = this.#eraseSequence();
    this.#block = lines.slice(0, Math.max(1, (this.#stream.rows ?? 24) - 2));
    this.#stream.write(erased + this.#drawSequence());
  }

  /** Moves to the first line of the block and erases everything below. */
  #eraseSequence(): string {
    return this.#block.length === 0 ? '' : `\u001b[${this.#block.length}F\u001b[J`;
  }

  /** Turns line wrapping off for each line, because #eraseSequence moves up one row per line. */
  #drawSequence(): string {
    return this.#block.map((line) => `\u001b[?7l${line}\u001b[?7h\n`).join('');
  }

  [Symbol.dispose](): void {
    this.#block = [];
  }
}
