import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { LineSplitter, type SplitLine } from './splitter.ts';

const CHUNK = 64 * 1024;
/** Bytes before a position by which the place is known again: two files hardly have the same ones at the same offset. */
const ANCHOR = 64;
/** Fewer bytes would be found in any file. */
export const MIN_ANCHOR = 16;
const LINE_BREAK = 10;

/** Where reading goes on after a restart. */
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

const scratch = Buffer.allocUnsafe(CHUNK + ANCHOR);

/** An open log file and how far it was read. It is known by device and inode, and by what stands before the place: names are moved about. */
export class Tail implements FileIdentity {
  /** under which it was found first */
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  /** ms of performance.now: when it was found to have grown */
  grewAt: number = performance.now();
  /** no path that is watched leads to it any more */
  retired = false;
  readonly #fd: number;
  #splitter = new LineSplitter();
  /** the last chunk with what stands before it, and where in the file it begins */
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;
  /** the file's first bytes, by which a copy of it is known */
  #head: Buffer = Buffer.alloc(0);
  /** before the unfinished line, when that began before the window */
  #anchor: Buffer = Buffer.alloc(0);

  private constructor(fd: number, path: string) {
    const stat = fstatSync(fd, { bigint: true });
    this.#fd = fd;
    this.path = path;
    this.device = String(stat.dev);
    this.inode = String(stat.ino);
  }

  /** Opens a regular file; null when it is anything else. `label`: what its lines say their path is. Throws what node:fs throws. */
  static open(path: string, label: string = path): Tail | null {
    // A link could lead to a file that is none of a log's readers' business; a FIFO would wait for a writer.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (fstatSync(fd).isFile()) return new Tail(fd, label);
    closeSync(fd);
    return null;
  }

  get size(): number {
    return fstatSync(this.#fd).size;
  }

  /** From here on; false when what stands there is not what stood there. */
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

  /** Behind the last whole line there is now. */
  seekEnd(): void {
    const { size } = this;
    const last = this.#read(Math.max(0, size - CHUNK), Math.min(size, CHUNK));
    const end = size - last.length + last.lastIndexOf(LINE_BREAK) + 1;
    this.seek(end, Buffer.from(this.#read(Math.max(0, end - ANCHOR), Math.min(end, ANCHOR))));
  }

  /** Again from the beginning: what was read is gone. */
  restart(): void {
    this.seek(0, Buffer.alloc(0));
  }

  /** The next whole line; null: there is none yet; 'rewritten': what was read is not there any more. */
  next(): SplitLine | null | 'rewritten' {
    for (;;) {
      const line = this.#splitter.next();
      if (line !== null) return line;
      const more = this.#fill();
      if (more !== true) return more;
    }
  }

  /** All there is was read; an unfinished line may be left. */
  get drained(): boolean {
    return this.#splitter.idle && this.size <= this.#splitter.end;
  }

  /** What stands after the last line break of a file that grows no more. */
  rest(): SplitLine | null {
    return this.#splitter.rest();
  }

  get position(): TailPosition {
    const { path, device, inode } = this;
    return { path, device, inode, offset: this.#splitter.position, anchor: this.#anchorNow().toString('hex') };
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

  /** It begins as the other one did when that was read. */
  isCopyOf(original: Tail): boolean {
    const head = original.#head;
    return head.length >= MIN_ANCHOR && this.#read(0, head.length).equals(head);
  }

  #anchorNow(): Buffer {
    const at = this.#splitter.position - this.#windowAt;
    const inside = at > 0 && at >= Math.min(ANCHOR, this.#splitter.position);
    return inside ? this.#window.subarray(Math.max(0, at - ANCHOR), at) : this.#anchor;
  }

  #read(at: number, bytes: number): Buffer {
    return scratch.subarray(0, bytes === 0 ? 0 : readSync(this.#fd, scratch, 0, bytes, at));
  }
}
