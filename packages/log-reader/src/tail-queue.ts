import type { SplitLine } from './line-splitter.ts';
import type { Tail } from './tail.ts';

/** Lines of one file before the next file has its turn. */
const LINES_PER_TURN = 64;

/** The open files, which take turns in being read. */
export class TailQueue {
  #tails: readonly Tail[] = [];
  #turn = 0;
  #linesLeft = LINES_PER_TURN;

  get tails(): readonly Tail[] {
    return this.#tails;
  }

  add(tail: Tail): void {
    this.#tails = [...this.#tails, tail];
  }

  remove(tail: Tail): void {
    this.#tails = this.#tails.filter((candidate) => candidate !== tail);
    this.#turn = 0;
  }

  clear(): void {
    this.#tails = [];
  }

  /** Returns the next complete line with its file, or a file that was rewritten. Returns null if no file has a line. */
  next(): { readonly tail: Tail; readonly line: SplitLine | 'rewritten' } | null {
    for (let tried = 0; tried < this.#tails.length; ) {
      const tail = this.#tails[this.#turn % this.#tails.length] as Tail;
      const line = tail.next();
      if (line === 'rewritten') return { tail, line };
      if (line === null) tried++;
      if (line === null || --this.#linesLeft <= 0) {
        this.#turn = (this.#turn + 1) % this.#tails.length;
        this.#linesLeft = LINES_PER_TURN;
      }
      if (line !== null) return { tail, line };
    }
    return null;
  }
}
