import { BpfError, disposed, usage } from './errors.ts';

/*
 * A record in the data pages, at a position that counts bytes for ever and is masked by the ring's size:
 *
 *   0          4             8
 *   +----------+-------------+----------------------+
 *   | B D len  | page offset | len bytes, padded to 8
 *   +----------+-------------+----------------------+
 *
 * B (busy): reserved, not yet submitted; everything behind it has to wait. D (discard): skip it. Behind the data pages their beginning is
 * mapped again, so a record that wraps around the end is read in one piece.
 */
const BUSY = 0x8000_0000;
const DISCARD = 0x4000_0000;
const HEADER = 8;

/** A place between two records: the low 32 bits of a position. */
export type RingMark = number;

/**
 * Reads records where the kernel wrote them. Nothing is copied and nothing is allocated per record; the space is given back by {@link release},
 * once what was read is safe elsewhere.
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
  /** the last {@link next} stopped before a record that its writer has not submitted yet */
  busy = false;
  /** bytes; a power of two */
  readonly size: number;
  readonly mask: number;
  /** the data, and its beginning once more: never write to it, the processor kills the process */
  readonly view: DataView;
  readonly bytes: Uint8Array;

  readonly #consumer: BigInt64Array;
  readonly #producer: Int32Array;
  readonly #words: Int32Array;
  /** what the kernel sees as consumed; low 32 bits beside it because positions are compared modulo 2^32 */
  #released: bigint;
  #releasedLow: number;
  #cursor: number;
  /** where the producer was at the last begin() or resume() */
  #end: number;

  /**
   * @param consumer page with the consumer position
   * @param producer page with the producer position, behind it the data, and behind that as much of its beginning as a record may have bytes
   * @param dataOffset bytes from the start of `producer` to the data: one page
   * @param size bytes of the ring
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

  /** bytes (headers included) written and not yet passed by the cursor */
  pendingBytes(): number {
    this.#checkMapped();
    return (Atomics.load(this.#producer, 0) - this.#cursor) >>> 0;
  }

  /** bytes passed by the cursor and not yet released */
  unreleasedBytes(): number {
    return (this.#cursor - this.#releasedLow) >>> 0;
  }

  /** Starts at the first record that was not released: what was read and not released is read again. */
  begin(): void {
    this.#cursor = this.#releasedLow;
    this.resume();
  }

  /** Goes on behind the last record read, with what has come since. */
  resume(): void {
    this.#checkMapped();
    this.#end = Atomics.load(this.#producer, 0);
    if ((this.#end - this.#releasedLow) >>> 0 > this.size)
      throw this.#corrupt('its positions are further apart than its size');
  }

  /** Steps to the next record that was there at begin() or resume(). @throws ERR_BPF_RING when the pages make no sense */
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
        throw this.#corrupt(`a record of ${length} bytes reaches past the last one`);
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

  /** Behind the record that next() returned last. */
  mark(): RingMark {
    return this.#cursor;
  }

  /** Puts the cursor back to a mark taken since the last release: the records behind it come again. */
  rewind(mark: RingMark): void {
    this.#checkMark(mark);
    this.#cursor = mark;
  }

  /** Gives the space of everything up to the mark back to the kernel. Views into it must not be used any more. @default up to the cursor */
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
      throw usage('this mark was released already, or is not of this ring');
  }

  #corrupt(why: string): BpfError {
    return new BpfError(
      'ERR_BPF_RING',
      `the ring's pages are inconsistent: ${why}; is another process consuming it too?`,
    );
  }
}
