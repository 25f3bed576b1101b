import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/**
 * A file of records:
 *
 *   0        4        8         16            20
 *   +--------+--------+---------+-------------+----------------+---------------+
 *   | length | crc32  | order   | tally bytes | tally (JSON)   | batch         |
 *   +--------+--------+---------+-------------+----------------+---------------+
 *
 * `length` counts what follows the first 8 bytes, and so does the checksum. `order` numbers the batches of both classes together.
 */
const HEAD = 20;
const RECORD_MAX = 4 << 20;

/** How many events of which lane and CPU a batch holds: what a drop is counted by. */
export type Tally = readonly (readonly [lane: number, cpu: number, events: number])[];

export interface SpoolRecord {
  readonly order: number;
  readonly tally: Tally;
  readonly batch: Buffer;
}

/** What a segment holds, known without its batches. */
export interface Entry {
  readonly order: number;
  readonly tally: Tally;
  readonly at: number;
  readonly length: number;
}

export class Segment {
  readonly path: string;
  readonly entries: Entry[] = [];
  bytes = 0;
  /** bytes cut off at open: a write that a crash ended, or damage */
  readonly cut: number = 0;
  readonly #fd: number;

  /** Opens or creates. A tail that doesn't check is cut off. */
  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, 'a+', 0o600);
    const size = fstatSync(this.#fd).size;
    for (let entry = this.#entryAt(0, size); entry !== null; entry = this.#entryAt(this.bytes, size)) {
      this.entries.push(entry);
      this.bytes = entry.at + entry.length;
    }
    this.cut = size - this.bytes;
    if (this.cut > 0) ftruncateSync(this.#fd, this.bytes);
  }

  #entryAt(at: number, size: number): Entry | null {
    const record = at + HEAD <= size ? this.#read(at, size - at) : null;
    if (record === null) return null;
    const order = Number(record.readBigUInt64LE(8));
    const tallyBytes = record.readUInt32LE(16);
    return {
      order,
      tally: JSON.parse(record.toString('utf8', HEAD, HEAD + tallyBytes)) as Tally,
      at,
      length: record.length,
    };
  }

  /** A whole record that checks, or null. */
  #read(at: number, room: number): Buffer | null {
    const head = Buffer.allocUnsafe(HEAD);
    if (readSync(this.#fd, head, 0, HEAD, at) !== HEAD) return null;
    const length = head.readUInt32LE(0) + 8;
    if (length < HEAD || length > RECORD_MAX || length > room) return null;
    const record = Buffer.allocUnsafe(length);
    if (readSync(this.#fd, record, 0, length, at) !== length) return null;
    if (crc32(record.subarray(8)) !== record.readUInt32LE(4)) return null;
    return HEAD + record.readUInt32LE(16) <= length ? record : null;
  }

  /**
   * In the file when it returns, so it outlives this process. No fsync: what the kernel's rings held doesn't outlive the machine either.
   * When the disk is full the half-written record is cut off again, and the error goes on.
   */
  append({ order, tally, batch }: SpoolRecord): void {
    const text = Buffer.from(JSON.stringify(tally));
    const head = Buffer.alloc(HEAD);
    head.writeUInt32LE(HEAD - 8 + text.length + batch.length, 0);
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

  /** The batch of an entry; null when the file was damaged since. */
  read(entry: Entry): Buffer | null {
    const record = this.#read(entry.at, entry.length);
    return record === null ? null : record.subarray(HEAD + record.readUInt32LE(16));
  }

  close(): void {
    closeSync(this.#fd);
  }
}
