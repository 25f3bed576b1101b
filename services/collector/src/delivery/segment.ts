import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Tally } from './batch.ts';

/**
 * A segment is a file of records:
 *
 *   0        4        8         16            20
 *   +--------+--------+---------+-------------+----------------+---------------+
 *   | length | crc32  | order   | tally bytes | tally (JSON)   | batch         |
 *   +--------+--------+---------+-------------+----------------+---------------+
 *
 * `length` and `crc32` cover everything after the first 8 bytes. `order` numbers the batches of both classes together.
 */
const HEAD_BYTES = 20;
const RECORD_MAX = 4 << 20;

export interface SpoolRecord {
  readonly order: number;
  readonly tally: Tally;
  readonly batch: Buffer;
}

/** Position and content of a record, without its batch. */
export interface SegmentEntry {
  readonly order: number;
  readonly tally: Tally;
  /** Offset of the record in the file */
  readonly at: number;
  /** Size of the record */
  readonly length: number;
}

export class Segment {
  readonly path: string;
  readonly entries: SegmentEntry[] = [];
  /** Size of the valid records */
  bytes = 0;
  /** Bytes cut off when the file was opened: a write torn by a crash, or damage */
  readonly cutBytes: number;
  readonly #fd: number;

  /** Opens or creates the file. Cuts it off at the first invalid record. */
  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, 'a+', 0o600);
    const size = fstatSync(this.#fd).size;
    for (let entry = this.#entryAt(0, size); entry !== null; entry = this.#entryAt(this.bytes, size)) {
      this.entries.push(entry);
      this.bytes = entry.at + entry.length;
    }
    this.cutBytes = size - this.bytes;
    if (this.cutBytes > 0) ftruncateSync(this.#fd, this.bytes);
  }

  #entryAt(at: number, size: number): SegmentEntry | null {
    const record = at + HEAD_BYTES <= size ? this.#readRecord(at, size - at) : null;
    if (record === null) return null;
    const order = Number(record.readBigUInt64LE(8));
    const tallyBytes = record.readUInt32LE(16);
    const tally = JSON.parse(record.toString('utf8', HEAD_BYTES, HEAD_BYTES + tallyBytes)) as Tally;
    return { order, tally, at, length: record.length };
  }

  /** Returns the record when it has at most `maxBytes` and its checksum is right, otherwise null. */
  #readRecord(at: number, maxBytes: number): Buffer | null {
    const head = Buffer.allocUnsafe(HEAD_BYTES);
    if (readSync(this.#fd, head, 0, HEAD_BYTES, at) !== HEAD_BYTES) return null;
    const length = head.readUInt32LE(0) + 8;
    if (length < HEAD_BYTES || length > RECORD_MAX || length > maxBytes) return null;
    const record = Buffer.allocUnsafe(length);
    if (readSync(this.#fd, record, 0, length, at) !== length) return null;
    if (crc32(record.subarray(8)) !== record.readUInt32LE(4)) return null;
    return HEAD_BYTES + record.readUInt32LE(16) <= length ? record : null;
  }

  /**
   * Writes a record, which then survives this process. It is not fsynced, because the kernel's rings do not survive a
   * power failure either. Throws the write's error, such as ENOSPC, after cutting off the partly written record.
   */
  append({ order, tally, batch }: SpoolRecord): void {
    const text = Buffer.from(JSON.stringify(tally));
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32LE(HEAD_BYTES - 8 + text.length + batch.length, 0);
    head.writeBigUInt64LE(BigInt(order), 8);
    head.writeUInt32LE(text.length, 16);
    const record = Buffer.concat([head, text, batch]);
    record.writeUInt32LE(crc32(record.subarray(8)), 4);
    try {
      for (let at = 0; at < record.length; ) at += writeSync(this.#fd, record, at);
    } catch (error) {
      ftruncateSync(this.#fd, this.bytes);
      throw error;
    }
    this.entries.push({ order, tally, at: this.bytes, length: record.length });
    this.bytes += record.length;
  }

  /** Returns the batch of an entry, or null when the file was damaged after it was opened. */
  read(entry: SegmentEntry): Buffer | null {
    const record = this.#readRecord(entry.at, entry.length);
    return record === null ? null : record.subarray(HEAD_BYTES + record.readUInt32LE(16));
  }

  close(): void {
    closeSync(this.#fd);
  }
}
