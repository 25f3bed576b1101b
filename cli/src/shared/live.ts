import type { WriteStream } from 'node:tty';

/** A block at the foot of a terminal that is drawn again and again, with lines that scroll away above it. On anything else: only the lines. */
export class LiveView implements Disposable {
  readonly #stream: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns' | 'rows'>>;
  #block: readonly string[] = [];

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  get interactive(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Lines that stay. */
  print(text: string): void {
    this.#stream.write(`${this.#erased()}${text}\n${this.#drawn()}`);
  }

  /** Replaces the block; each line must be free of control characters but for colours. */
  draw(lines: readonly string[]): void {
    if (!this.interactive) return;
    const erased = this.#erased();
    this.#block = lines.slice(0, Math.max(1, (this.#stream.rows ?? 24) - 2));
    this.#stream.write(erased + this.#drawn());
  }

  /** Back to the block's first line, and everything below gone. */
  #erased(): string {
    return this.#block.length === 0 ? '' : `\u001b[${this.#block.length}F\u001b[J`;
  }

  /** Lines are cut at the terminal's width, or the cursor would come back to the wrong one. */
  #drawn(): string {
    return this.#block.map((line) => `\u001b[?7l${line}\u001b[?7h\n`).join('');
  }

  [Symbol.dispose](): void {
    this.#block = [];
  }
}
