import { BpfError, disposed, usage } from './errors.ts';

/*
 * A record in the data pages. Positions count bytes and only grow; masking by the ring's size gives the offset.
 *
 *   0          4             8
 *   +----------+-------------+----------------------+
 *   | B D len  | page offset | len bytes, padded to 8
 *   +----------+-------------+----------------------+
 *
 * B (busy): the record is reserved and not yet submitted, so the reader stops before it. D (discard): the reader skips
 * the record. The beginning of the data pages is mapped again after their end, so a record that wraps is contiguous.
 */
const BUSY = 0x8000_0000;
const DISCARD = 0x4000_0000;
const HEADER = 8;

/** A position between two records: its low 32 bits. */
export type RingMark = number;

/**
 * Reads records in place, without copying or allocating per record. {@link release} returns the space to the kernel;
 * call it when the records were processed.
 *
 * ```ts
 * ring.begin();
 * while (ring.next()) handle(ring.view, ring.offset, ring.length);
 * ring.release();
 * ```
 */
export class RingReader {
  /** byte offset of the current record in {@link view} and {@link bytes} */
  offset = 0;
  /** bytes of the current record */
  length = 0;
  /** whether the last {@link next} stopped before a record that is not yet submitted */
  busy = false;
  /** bytes; a power of two */
  readonly size: number;
  readonly mask: number;
  /** data pages, followed by a second mapping of their beginning; writing to them kills the process (SIGSEGV) */
  readonly view: DataView;
  readonly bytes: Uint8Array;

  readonly #consumer: BigInt64Array;
  readonly #producer: Int32Array;
  readonly #words: Int32Array;
  /** consumer position, as the kernel sees it */
  #released: bigint;
  /** low 32 bits of it, because positions are compared modulo 2^32 */
  #releasedLow: number;
  #cursor: number;
  /** producer position at the last begin() or resume() */
  #end: number;

  /**
   * @param consumer page with the consumer position
   * @param producer page with the producer position, then the data, then its beginning again for records that wrap
   * @param dataOffset bytes from the start of `producer` to the data: one page
   * @param size size of the ring in bytes
   */
  constructor(consumer: ArrayBuffer, producer: ArrayBuffer, dataOffset: number, size: number) {
    const mapped = producer.byteLength - dataOffset;
    this.size = size;
    this.mask = size - 1;
    this.view = new DataView(producer, dataOffset, mapped);
    this.bytes = new Uint8Array(producer, dataOffset, mapped);
    this.#words = new Int32Array(producer, dataOffset, mapped / 4);
    this.#consumer = new BigInt64Array(consumer, 0, 1);
    this.#producer = new Int32Array(producer, 0, 2);
    this.#released = Atomics.load(this.#consumer, 0);
    this.#releasedLow = Number(BigInt.asIntN(32, this.#released));
    this.#cursor = this.#releasedLow;
    this.#end = this.#cursor;
  }

  /** Returns the bytes, including headers, that were written and not yet read. */
  pendingBytes(): number {
    this.#checkMapped();
    return (Atomics.load(this.#producer, 0) - this.#cursor) >>> 0;
  }

  /** Returns the bytes, including headers, that were read and not yet released. */
  unreleasedBytes(): number {
    return (this.#cursor - this.#releasedLow) >>> 0;
  }

  /** Starts again at the first unreleased record. */
  begin(): void {
    this.#cursor = this.#releasedLow;
    this.resume();
  }

  /** Continues after the last record read and includes the records that were written since. */
  resume(): void {
    this.#checkMapped();
    this.#end = Atomics.load(this.#producer, 0);
    if ((this.#end - this.#releasedLow) >>> 0 > this.size)
      throw this.#corrupt('the distance of its positions exceeds its size');
  }

  /**
   * Moves to the next record that existed at begin() or resume(). Returns false if there is none.
   * @throws ERR_BPF_RING when the pages are inconsistent
   */
  next(): boolean {
    this.busy = false;
    while (this.#cursor !== this.#end) {
      const at = this.#cursor & this.mask;
      const header = Atomics.load(this.#words, at >>> 2);
      if ((header & BUSY) !== 0) {
        this.busy = true;
        return false;
      }
      const length = header & ~(BUSY | DISCARD);
      const step = (length + HEADER + 7) & ~7;
      if (step > (this.#end - this.#cursor) >>> 0)
        throw this.#corrupt(`a record of ${length} bytes extends past the producer position`);
      this.#cursor = (this.#cursor + step) | 0;
      if ((header & DISCARD) !== 0) continue;
      if (at + HEADER + length > this.bytes.length)
        throw this.#corrupt(`a record of ${length} bytes is longer than recordMaxBytes`);
      this.offset = at + HEADER;
      this.length = length;
      return true;
    }
    return false;
  }

  /** Returns the position after the last record read. */
  mark(): RingMark {
    return this.#cursor;
  }

  /** Moves back to a mark taken since the last release, to read the records after it again. */
  rewind(mark: RingMark): void {
    this.#checkMark(mark);
    this.#cursor = mark;
  }

  /**
   * Returns the space before the mark to the kernel, which may overwrite it.
   * @default the position after the last record read
   */
  release(mark: RingMark = this.#cursor): void {
    if (mark === this.#releasedLow) return;
    this.#checkMark(mark);
    this.#released += BigInt((mark - this.#releasedLow) >>> 0);
    this.#releasedLow = mark;
    Atomics.store(this.#consumer, 0, this.#released);
  }

  #checkMapped(): void {
    if (this.#words.length === 0) throw disposed('the ring buffer');
  }

  #checkMark(mark: RingMark): void {
    if ((mark - this.#releasedLow) >>> 0 > this.unreleasedBytes())
      throw usage('this mark was already released or belongs to another ring');
  }

  #corrupt(reason: string): BpfError {
    return new BpfError(
      'ERR_BPF_RING',
      `the ring's pages are inconsistent: ${reason}; is another process reading it too?`,
    );
  }
}
