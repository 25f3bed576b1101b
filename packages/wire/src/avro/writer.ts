import type avro from 'avsc';
import { asBuffer } from '../values/bytes.ts';

/** Appends Avro primitives to a growing buffer, which is reused. */
export class AvroWriter {
  buffer: Buffer;
  at = 0;

  constructor(bytes: number = 64 * 1024) {
    this.buffer = Buffer.allocUnsafe(bytes);
  }

  /** Reserves space for `bytes` more. */
  ensure(bytes: number): void {
    const needed = this.at + bytes;
    if (needed <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }

  /** Writes an int or long. `value` must be a safe integer. Does not reserve space: call `ensure(10)` first. */
  long(value: number): void {
    let zigzag = value < 0 ? -2 * value - 1 : 2 * value;
    const buffer = this.buffer;
    let at = this.at;
    while (zigzag > 0x7fffffff) {
      buffer[at++] = (zigzag % 128) | 0x80;
      zigzag = Math.floor(zigzag / 128);
    }
    while (zigzag > 0x7f) {
      buffer[at++] = (zigzag & 0x7f) | 0x80;
      zigzag >>>= 7;
    }
    buffer[at++] = zigzag;
    this.at = at;
  }

  /** Does not reserve space. */
  boolean(value: boolean): void {
    this.buffer[this.at++] = value ? 1 : 0;
  }

  /** Writes `length` bytes of `from` as a fixed. Does not reserve space. */
  fixed(from: Uint8Array, start: number, length: number): void {
    const { buffer, at } = this;
    if (length <= 16) for (let i = 0; i < length; i++) buffer[at + i] = from[start + i] as number;
    else buffer.set(from.subarray(start, start + length), at);
    this.at = at + length;
  }

  /** Writes `length` bytes of `from` as Avro bytes. */
  bytes(from: Uint8Array, start: number, length: number): void {
    this.ensure(length + 10);
    this.long(length);
    this.fixed(from, start, length);
  }

  string(text: string): void {
    const length = Buffer.byteLength(text);
    this.ensure(length + 10);
    this.long(length);
    this.at += this.buffer.write(text, this.at, length, 'utf8');
  }

  /** Writes a value with avsc, as fast as a record field by field. */
  value(type: avro.Type, value: unknown): void {
    const end = type.encode(value, this.buffer, this.at);
    if (end >= 0) {
      this.at = end;
      return;
    }
    // avsc returns how many bytes were missing, as a negative number.
    this.ensure(this.buffer.length - this.at - end);
    this.at = type.encode(value, this.buffer, this.at);
  }

  /** Writes bytes that are encoded already. */
  append(from: Uint8Array, start = 0, end: number = from.length): void {
    this.ensure(end - start);
    asBuffer(from).copy(this.buffer, this.at, start, end);
    this.at += end - start;
  }

  /** Returns a copy of the written bytes and resets the writer. */
  take(): Buffer {
    const out = Buffer.allocUnsafe(this.at);
    this.buffer.copy(out, 0, 0, this.at);
    this.at = 0;
    return out;
  }
}
