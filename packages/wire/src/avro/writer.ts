import type avro from 'avsc';
import { asBuffer } from '../values/bytes.ts';

/** Appends Avro primitives to one growing buffer that is used again and again. */
export class AvroWriter {
  buffer: Buffer;
  at = 0;

  constructor(bytes: number = 64 * 1024) {
    this.buffer = Buffer.allocUnsafe(bytes);
  }

  /** Makes room for `bytes` more. */
  ensure(bytes: number): void {
    const needed = this.at + bytes;
    if (needed <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }

  /** Avro int and long: zigzag varint. `value` must be a safe integer. Call `ensure(10)` or more first. */
  long(value: number): void {
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    const buffer = this.buffer;
    let at = this.at;
    while (rest > 0x7fffffff) {
      buffer[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      buffer[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[at++] = rest;
    this.at = at;
  }

  boolean(value: boolean): void {
    this.buffer[this.at++] = value ? 1 : 0;
  }

  /** `length` bytes of `from`, as a fixed. Room must be there. */
  fixed(from: Uint8Array, start: number, length: number): void {
    const { buffer, at } = this;
    if (length <= 16) for (let i = 0; i < length; i++) buffer[at + i] = from[start + i] as number;
    else buffer.set(from.subarray(start, start + length), at);
    this.at = at + length;
  }

  /** Avro bytes. */
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

  /** A value as avsc encodes it, in place: as fast as writing a record field by field. */
  value(type: avro.Type, value: unknown): void {
    const end = type.encode(value, this.buffer, this.at);
    if (end >= 0) {
      this.at = end;
      return;
    }
    // It says by how many bytes the room was short.
    this.ensure(this.buffer.length - this.at - end);
    this.at = type.encode(value, this.buffer, this.at);
  }

  /** Bytes that are Avro already. */
  append(from: Uint8Array, start = 0, end: number = from.length): void {
    this.ensure(end - start);
    asBuffer(from).copy(this.buffer, this.at, start, end);
    this.at += end - start;
  }

  /** A copy of what was written; the writer starts anew. */
  take(): Buffer {
    const out = Buffer.allocUnsafe(this.at);
    this.buffer.copy(out, 0, 0, this.at);
    this.at = 0;
    return out;
  }
}
