import { type FileIdentity, isSameFile } from './file-identity.ts';
import type { ProcessEntry } from './process.ts';

/** The last open of a file for writing. */
export interface Write extends FileIdentity {
  tgid: number;
  startLow: number;
  startHigh: number;
  /** µs, CLOCK_BOOTTIME */
  ktime: number;
  /** the segment that contains it */
  segment: number;
}

/**
 * The last writer of each file; the oldest writes are evicted first. The writes of one batch form a segment, which is
 * one state entry. So the changelog has each write once, and restoring the segments in order gives the same state.
 */
export class WrittenFiles {
  /** by device, then by inode */
  readonly #files = new Map<number, Map<number, Write>>();
  readonly #segments = new Map<number, Write[]>();
  #current: Write[] = [];
  #count = 0;
  readonly #max: number;
  nextSegment = 1;
  readonly #evicted: number[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  find(file: FileIdentity): Write | undefined {
    const write = this.#files.get(file.device)?.get(inodeKey(file.inodeLow, file.inodeHigh));
    return write !== undefined && isSameFile(write, file) ? write : undefined;
  }

  note(file: FileIdentity, writer: ProcessEntry, ktime: number): void {
    const known = this.find(file);
    if (known !== undefined && known.segment === this.nextSegment) {
      known.ktime = ktime;
      known.tgid = writer.tgid;
      known.startLow = writer.startLow;
      known.startHigh = writer.startHigh;
      return;
    }
    const { tgid, startLow, startHigh } = writer;
    const write = { ...file, tgid, startLow, startHigh, ktime, segment: this.nextSegment };
    this.#index(write);
    this.#current.push(write);
  }

  segments(): Iterable<number> {
    return this.#segments.keys();
  }

  /** Closes the current segment. `written` is undefined if it is empty. */
  drain(): {
    readonly written: { readonly segment: number; readonly writes: readonly Write[] } | undefined;
    readonly evicted: readonly number[];
  } {
    const writes = this.#current;
    if (writes.length === 0) return { written: undefined, evicted: [] };
    const segment = this.nextSegment;
    this.restore(segment, writes);
    return { written: { segment, writes }, evicted: this.#evicted.splice(0) };
  }

  /** Must be called in ascending order of segments. */
  restore(segment: number, writes: Write[]): void {
    this.nextSegment = segment;
    for (const write of writes) if (write.segment !== segment) this.#index(write);
    this.#segments.set(segment, writes);
    this.#count += writes.length;
    this.#current = [];
    this.nextSegment = segment + 1;
    for (const [oldest, oldestWrites] of this.#segments) {
      if (this.#count <= this.#max) break;
      this.#evict(oldest, oldestWrites);
    }
  }

  #index(write: Write): void {
    write.segment = this.nextSegment;
    let files = this.#files.get(write.device);
    if (files === undefined) {
      files = new Map();
      this.#files.set(write.device, files);
    }
    files.set(inodeKey(write.inodeLow, write.inodeHigh), write);
  }

  #evict(segment: number, writes: readonly Write[]): void {
    for (const write of writes) {
      const files = this.#files.get(write.device);
      const key = inodeKey(write.inodeLow, write.inodeHigh);
      if (files?.get(key) === write) files.delete(key);
      if (files?.size === 0) this.#files.delete(write.device);
    }
    this.#segments.delete(segment);
    this.#count -= writes.length;
    this.#evicted.push(segment);
  }
}

/** Rounds above 2^53. `find` compares the whole identity, so that of two files with one key only the later is found. */
const inodeKey = (low: number, high: number): number => high * 4294967296 + low;
