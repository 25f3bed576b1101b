import type { RingMark, RingReader } from '@ringfence/libbpf-ts';
import { nanosToMicros, records } from '@ringfence/wire';
import { isSound } from './record-check.ts';
import type { RecordSource } from './transcode.ts';

/** Reads a ring one record ahead, for the merge. Malformed records are counted by CPU and skipped. */
export class LaneReader {
  readonly lane: number;
  readonly source: RecordSource;
  /** whether there is a next record */
  ready = false;
  /** time of the next record: µs, CLOCK_BOOTTIME */
  ktime = 0;
  /** start of the next record in `source` */
  at = 0;
  /** records taken since this start */
  taken = 0;
  /** by CPU; a record whose CPU can't be read counts for CPU 0 */
  readonly malformed: Uint32Array = new Uint32Array(records.CountersLimit.CPUS_MAX);
  /** sum of `malformed` */
  malformedTotal = 0;
  readonly #ring: RingReader;
  /** Position before the next record. */
  #mark: RingMark;

  constructor(lane: number, ring: RingReader) {
    this.lane = lane;
    this.#ring = ring;
    this.#mark = ring.mark();
    const { view, bytes } = ring;
    this.source = { view, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) };
  }

  /** Begins a read of what was written so far, after the records that were taken and not released. */
  open(): void {
    this.#ring.resume();
    this.advance();
  }

  /** Moves on to the next valid record. */
  advance(): void {
    const ring = this.#ring;
    const { view, bytes } = this.source;
    for (;;) {
      this.#mark = ring.mark();
      this.ready = ring.next();
      if (!this.ready) return;
      if (isSound(view, ring.offset, ring.length)) break;
      this.#countMalformed(ring.offset, ring.length);
    }
    this.at = ring.offset;
    this.ktime = nanosToMicros(bytes, this.at + records.HEADER_KTIME);
  }

  #countMalformed(at: number, length: number): void {
    const cpu = length < records.SIZEOF_HEADER ? 0 : records.headerCpu(this.source.view, at);
    this.malformed[cpu] = (this.malformed[cpu] as number) + 1;
    this.malformedTotal++;
  }

  /** Ends a read. The next read begins with the record that was read ahead. */
  pause(): void {
    if (this.ready) this.#ring.rewind(this.#mark);
    this.ready = false;
  }

  /** Returns the space of the taken records to the kernel. Call it when their events are safe. */
  release(): void {
    this.#ring.release();
  }

  /** Whether the last read stopped at a record that is still being written. */
  get busy(): boolean {
    return this.#ring.busy;
  }

  get pendingBytes(): number {
    return this.#ring.pendingBytes();
  }
}
