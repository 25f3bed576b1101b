import { MAX_LINE } from './log-source.ts';

const LINE_BREAK = 10;
const CARRIAGE_RETURN = 13;

export interface SplitLine {
  readonly bytes: Buffer;
  /** length of the whole line without its line break */
  readonly length: number;
  /** position of its first byte */
  readonly offset: number;
}

/** Splits a stream of bytes into lines. Holds at most a chunk and the head of an unfinished line of any length. */
export class LineSplitter {
  /** position after the last line returned, where reading must continue after a restart */
  position: number;
  /** position after the last byte that was put in */
  end: number;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Head of the unfinished line. */
  #head: Buffer[] = [];
  #headBytes = 0;
  readonly #maxLine: number;

  /** @param maxLine bytes of a line that are kept */
  constructor(offset = 0, maxLine: number = MAX_LINE) {
    this.position = offset;
    this.end = offset;
    this.#maxLine = maxLine;
  }

  /** Adds a chunk. Take every line of the previous chunk first. The bytes are not copied. */
  put(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
    this.end += chunk.length;
  }

  /** Whether the chunk is used up. */
  get idle(): boolean {
    return this.#at === this.#chunk.length;
  }

  /** Returns the next complete line, or null if there is none in this chunk. */
  next(): SplitLine | null {
    if (this.idle) return null;
    const at = this.#chunk.indexOf(LINE_BREAK, this.#at);
    const end = at < 0 ? this.#chunk.length : at;
    const room = this.#maxLine - this.#headBytes;
    if (room > 0 && end > this.#at) {
      const part = this.#chunk.subarray(this.#at, Math.min(end, this.#at + room));
      this.#head.push(at < 0 ? Buffer.from(part) : part);
      this.#headBytes += part.length;
    }
    this.#at = at < 0 ? end : end + 1;
    return at < 0 ? null : this.#finish(this.end - this.#chunk.length + this.#at, 1);
  }

  /** Returns the bytes after the last line break as a line, or null if there are none. */
  rest(): SplitLine | null {
    return this.position === this.end ? null : this.#finish(this.end, 0);
  }

  #finish(next: number, breakBytes: number): SplitLine {
    const offset = this.position;
    const kept = this.#head.length === 1 ? (this.#head[0] as Buffer) : Buffer.concat(this.#head);
    const length = next - offset - breakBytes;
    const crlf = kept.length === length && kept.at(-1) === CARRIAGE_RETURN;
    this.#head = [];
    this.#headBytes = 0;
    this.position = next;
    return crlf ? { bytes: kept.subarray(0, -1), length: length - 1, offset } : { bytes: kept, length, offset };
  }
}
