import { HEADER, type WireRecord } from './records.ts';

const HEADER_KEY = Buffer.from(HEADER);
const EMPTY = Buffer.alloc(0);

export interface BatchedRecord extends WireRecord {
  readonly offsetDelta: number;
  /** ms */
  readonly timestampDelta: number;
}

/**
 * Reads the records of an unpacked batch, one after the other:
 *
 *   length varint | attributes i8 | timestampDelta varint | offsetDelta varint | key bytes | value bytes
 *   | headers: count varint, then key bytes and value bytes of each
 *
 * Bytes are a varint of their length, -1 for null, and the bytes. Other headers than `rf` are skipped, because a few
 * hundred bytes can unpack to millions of them.
 */
export class RecordReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Throws an Error when the record is cut off, or has an invalid length. */
  next(): BatchedRecord {
    this.#varint();
    this.#skip(1);
    const timestampDelta = this.#varint();
    const offsetDelta = this.#varint();
    const key = this.#take() ?? EMPTY;
    const value = this.#take();
    return { offsetDelta, timestampDelta, key, value, header: this.#header() };
  }

  /** Returns the value of the first header `rf`, or null. */
  #header(): Buffer | null {
    let header: Buffer | null | undefined;
    for (let left = this.#varint(); left > 0; left--) {
      const start = this.#at;
      const length = this.#length();
      this.#skip(length);
      const isOurs = header === undefined && length === HEADER_KEY.length && this.#endsWith(start, HEADER_KEY);
      if (isOurs) header = this.#take();
      else this.#skip(this.#length());
    }
    return header ?? null;
  }

  #endsWith(start: number, key: Buffer): boolean {
    return this.#at - key.length >= start && key.equals(this.#bytes.subarray(this.#at - key.length, this.#at));
  }

  #take(): Buffer | null {
    const length = this.#varint();
    if (length === -1) return null;
    const start = this.#at;
    this.#skip(length);
    return this.#bytes.subarray(start, this.#at);
  }

  /** Returns the length of the next bytes, 0 for null. */
  #length(): number {
    const length = this.#varint();
    return length === -1 ? 0 : length;
  }

  #skip(length: number): void {
    if (length < 0 || length > this.#bytes.length - this.#at) throw new Error('a record is longer than its batch');
    this.#at += length;
  }

  /** Reads a zigzag varint of at most 64 bits. Beyond 2^53 it is rounded. */
  #varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
    }
    throw new Error('a record is longer than its batch');
  }
}
