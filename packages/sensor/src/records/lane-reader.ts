import type { RingMark, RingReader } from '@ringfence/libbpf-ts';
import { nanosToMicros, records } from '@ringfence/wire';
import { isSound } from './record-check.ts';
import type { RecordSource } from './transcode.ts';

/** A ring as the merge reads it: one record is always looked at ahead. Malformed records are counted by CPU and skipped. */
export class LaneReader {
  readonly lane: number;
  readonly source: RecordSource;
  /** whether there is a record to take */
  ready = false;
  /** µs, CLOCK_BOOTTIME, of that record */
  ktime = 0;
  /** where it begins in `source` */
  at = 0;
  /** records taken since this start */
  taken = 0;
  /** by CPU; where the CPU is nonsense too, under 0 */
  readonly malformed: Uint32Array = new Uint32Array(records.CountersLimit.CPUS_MAX);
  /** all of them */
  skipped = 0;
  readonly #ring: RingReader;
  #before: RingMark;

  constructor(lane: number, ring: RingReader) {
    this.lane = lane;
    this.#ring = ring;
    this.#before = ring.mark();
    const { view, bytes } = ring;
    this.source = { view, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) };
  }

  /** Looks at what has come since; what is not released yet stays. */
  open(): void {
    this.#ring.resume();
    this.advance();
  }

  /** Goes to the next record. */
  advance(): void {
    const ring = this.#ring;
    const { view, bytes } = this.source;
    for (;;) {
      this.#before = ring.mark();
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
    this.skipped++;
  }

  /** The record that was looked at ahead is to come again. */
  pause(): void {
    if (this.ready) this.#ring.rewind(this.#before);
    this.ready = false;
  }

  /** Everything taken is safe: its room goes back to the kernel. */
  release(): void {
    this.#ring.release();
  }

  /** the last look ended at a record that is still being written */
  get busy(): boolean {
    return this.#ring.busy;
  }

  get pendingBytes(): number {
    return this.#ring.pendingBytes();
  }
}
