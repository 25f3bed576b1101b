import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { LineSplitter, type SplitLine } from './line-splitter.ts';

const CHUNK = 64 * 1024;
/**
 * Bytes before a position by which it is recognized. Two files hardly ever have the same ones at the same offset.
 */
const ANCHOR = 64;
/** With fewer bytes, a match would not be significant. */
export const MIN_ANCHOR = 16;
const LINE_BREAK = 10;

/** Where reading continues after a restart. */
export interface TailPosition {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  readonly offset: number;
  /** hex of the bytes before `offset`, at most 64 */
  readonly anchor: string;
}

export interface FileIdentity {
  readonly device: string;
  readonly inode: string;
}

export const idOf = ({ device, inode }: FileIdentity): string => `${device}:${inode}`;

/** Shared by all reads. */
const scratch = Buffer.allocUnsafe(CHUNK + ANCHOR);

/**
 * An open log file, and how far it was read. It is identified by device and inode, and by the bytes before the
 * position, because files are renamed.
 */
export class Tail implements FileIdentity {
  /** path under which the file was first found */
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  /** when the file was last seen to have grown: ms of performance.now */
  grewAt: number = performance.now();
  /** no watched path leads to the file any more */
  retired = false;
  readonly #fd: number;
  #splitter = new LineSplitter();
  /** The last chunk, with the bytes before it. */
  #window: Buffer = Buffer.alloc(0);
  /** Position of the window in the file. */
  #windowAt = 0;
  /** The first bytes of the file, by which a copy of it is recognized. */
  #head: Buffer = Buffer.alloc(0);
  /** Bytes before the unfinished line, if it began before the window. */
  #anchor: Buffer = Buffer.alloc(0);

  private constructor(fd: number, path: string) {
    const stat = fstatSync(fd, { bigint: true });
    this.#fd = fd;
    this.path = path;
    this.device = String(stat.dev);
    this.inode = String(stat.ino);
  }

  /**
   * Opens a regular file. Returns null for anything else. Throws the errors of node:fs.
   * @param label path that the lines of the file report
   */
  static open(path: string, label: string = path): Tail | null {
    // A link could lead to a file that readers of logs must not see, and a FIFO would block until it has a writer.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (fstatSync(fd).isFile()) return new Tail(fd, label);
    closeSync(fd);
    return null;
  }

  get size(): number {
    return fstatSync(this.#fd).size;
  }

  /** Moves to a position. Returns false if the bytes before it are not `anchor`. */
  seek(offset: number, anchor: Buffer): boolean {
    const before = this.#read(Math.max(0, offset - anchor.length), anchor.length);
    if (!before.equals(anchor)) return false;
    this.#splitter = new LineSplitter(offset);
    this.#window = Buffer.from(before);
    this.#head = Buffer.alloc(0);
    this.#windowAt = offset - anchor.length;
    this.#anchor = this.#window;
    return true;
  }

  /** Moves behind the last complete line. */
  seekEnd(): void {
    const { size } = this;
    const last = this.#read(Math.max(0, size - CHUNK), Math.min(size, CHUNK));
    const end = size - last.length + last.lastIndexOf(LINE_BREAK) + 1;
    this.seek(end, Buffer.from(this.#read(Math.max(0, end - ANCHOR), Math.min(end, ANCHOR))));
  }

  /** Moves to the start, because the file was truncated or rewritten. */
  restart(): void {
    this.seek(0, Buffer.alloc(0));
  }

  /**
   * Returns the next complete line, null if there is none yet, or 'rewritten' if the bytes that were read have changed.
   */
  next(): SplitLine | null | 'rewritten' {
    for (;;) {
      const line = this.#splitter.next();
      if (line !== null) return line;
      const more = this.#fill();
      if (more !== true) return more;
    }
  }

  /** Whether everything was read, except for an unfinished line. */
  get drained(): boolean {
    return this.#splitter.idle && this.size <= this.#splitter.end;
  }

  /** Returns the unfinished line of a file that does not grow any more. */
  rest(): SplitLine | null {
    return this.#splitter.rest();
  }

  get position(): TailPosition {
    const { path, device, inode } = this;
    return { path, device, inode, offset: this.#splitter.position, anchor: this.#anchorNow().toString('hex') };
  }

  /** Whether the file begins like the original did when that was read. */
  isCopyOf(original: Tail): boolean {
    const head = original.#head;
    return head.length >= MIN_ANCHOR && this.#read(0, head.length).equals(head);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #fill(): true | null | 'rewritten' {
    const { end } = this.#splitter;
    const lead = Math.min(ANCHOR, end, this.#window.length);
    const bytes = this.#read(end - lead, lead + CHUNK);
    if (!bytes.subarray(0, lead).equals(this.#window.subarray(this.#window.length - lead))) return 'rewritten';
    if (bytes.length === lead) return null;
    this.#anchor = Buffer.from(this.#anchorNow());
    this.#window = Buffer.from(bytes);
    this.#windowAt = end - lead;
    this.#splitter.put(this.#window.subarray(lead));
    this.grewAt = performance.now();
    if (this.#head.length < ANCHOR) this.#head = Buffer.from(this.#read(0, Math.min(ANCHOR, this.#splitter.end)));
    return true;
  }

  #anchorNow(): Buffer {
    const at = this.#splitter.position - this.#windowAt;
    const isInWindow = at > 0 && at >= Math.min(ANCHOR, this.#splitter.position);
    return isInWindow ? this.#window.subarray(Math.max(0, at - ANCHOR), at) : this.#anchor;
  }

  #read(at: number, bytes: number): Buffer {
    return scratch.subarray(0, bytes === 0 ? 0 : readSync(this.#fd, scratch, 0, bytes, at));
  }
}
