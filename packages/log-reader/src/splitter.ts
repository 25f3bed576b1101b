import { MAX_LINE } from './line.ts';

const LINE_BREAK = 10;
const CARRIAGE_RETURN = 13;

export interface SplitLine {
  readonly bytes: Buffer;
  /** of the whole line, without its line break */
  readonly length: number;
  /** of its first byte, as counted by the splitter */
  readonly offset: number;
}

/** Cuts a stream of bytes into lines. Holds at most one chunk and the head of one unfinished line, however long that gets. */
export class LineSplitter {
  /** offset of the first byte that is in no line handed out: where reading must go on after a restart */
  position: number;
  /** offset after the last byte that was put in */
  end: number;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  /** of the unfinished line */
  #head: Buffer[] = [];
  #headBytes = 0;
  readonly #keep: number;

  /** `keep`: bytes of a line that are kept */
  constructor(offset = 0, keep: number = MAX_LINE) {
    this.position = offset;
    this.end = offset;
    this.#keep = keep;
  }

  /** Every line of what was put in before must have been taken. The bytes are used in place. */
  put(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
    this.end += chunk.length;
  }

  /** There is no whole line left. */
  get idle(): boolean {
    return this.#at === this.#chunk.length;
  }

  /** The next whole line; null: put more in. */
  next(): SplitLine | null {
    if (this.idle) return null;
    const at = this.#chunk.indexOf(LINE_BREAK, this.#at);
    const end = at < 0 ? this.#chunk.length : at;
    const room = this.#keep - this.#headBytes;
    if (room > 0 && end > this.#at) {
      const part = this.#chunk.subarray(this.#at, Math.min(end, this.#at + room));
      this.#head.push(at < 0 ? Buffer.from(part) : part);
      this.#headBytes += part.length;
    }
    this.#at = at < 0 ? end : end + 1;
    return at < 0 ? null : this.#finish(this.end - this.#chunk.length + this.#at, 1);
  }

  /** What stands after the last line break; null: nothing. */
  rest(): SplitLine | null {
    return this.position === this.end ? null : this.#finish(this.end, 0);
  }

  #finish(next: number, breakBytes: number): SplitLine {
    const offset = this.position;
    const whole = this.#head.length === 1 ? (this.#head[0] as Buffer) : Buffer.concat(this.#head);
    const length = next - offset - breakBytes;
    const crlf = whole.length === length && whole.at(-1) === CARRIAGE_RETURN;
    this.#head = [];
    this.#headBytes = 0;
    this.position = next;
    return crlf ? { bytes: whole.subarray(0, -1), length: length - 1, offset } : { bytes: whole, length, offset };
  }
}
