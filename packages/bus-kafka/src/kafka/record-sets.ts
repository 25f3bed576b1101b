import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { compressionsAlgorithms, crc32c, Reader, readRecord } from '@platformatic/kafka';
import { type FetchedRecord, HEADER } from './wire.ts';

/**
 * A record batch (magic 2) as brokers keep it:
 *
 *   baseOffset i64 | length i32 | leaderEpoch i32 | magic i8 | crc u32 | attributes i16 | lastOffsetDelta i32 | baseTimestamp i64 | maxTimestamp i64
 *   | producerId i64 | producerEpoch i16 | baseSequence i32 | count i32 | records (packed as the attributes say)
 *
 * Read here and not by the clients: neither checks the sum, neither bounds what a batch unpacks to, and with both one bad batch hides all that comes with it.
 */
const LENGTH_AT = 8;
const FRAME_BYTES = 12;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const LAST_DELTA_AT = 23;
const BASE_TIME_AT = 27;
const MAX_TIME_AT = 35;
const COUNT_AT = 57;
const RECORDS_AT = 61;
const MAGIC = 2;
const CODEC = 0b111;
const LOG_APPEND_TIME = 0b1000;
const CONTROL = 0b10_0000;

/** What a batch may unpack to. Ours have at most some 2 MiB; other writers' may be larger. */
const MAX_UNPACKED_BYTES = 32 * 2 ** 20;
/** The same of records without content, each of which is an object here. */
const MAX_RECORDS = 2 ** 17;
/** What a record takes beside its key and value, about. */
const RECORD_OVERHEAD = 256;
const HEADER_KEY = Buffer.from(HEADER);
const EMPTY = Buffer.alloc(0);

/** What a record takes in memory: none is free, or those without content would be taken without end. */
export const sizeOf = ({ key, value }: { key: { length: number }; value: Uint8Array | null }): number =>
  key.length + (value?.length ?? 0) + RECORD_OVERHEAD;

export interface RecordSet {
  readonly records: readonly FetchedRecord[];
  /** where to go on: past batches that hold nothing to read, or can't be read */
  readonly next: number;
  /** why batches could not be read */
  readonly unreadable: readonly string[];
  /** what the brokers sent, and what it takes in memory */
  readonly packedBytes: number;
  readonly unpackedBytes: number;
}

/**
 * The records of a fetched partition from an offset on. A broker gives whole batches, and may cut off the last. Once `maxBytes` are unpacked the rest is
 * left for the next fetch: a few kB may hold GBs.
 */
export function readRecordSet(bytes: Buffer, from: number, maxBytes: number = Infinity): RecordSet {
  const records: FetchedRecord[] = [];
  const unreadable: string[] = [];
  let [next, unpackedBytes] = [from, 0];
  for (let at = 0; at + RECORDS_AT <= bytes.length && (at === 0 || unpackedBytes < maxBytes); ) {
    const end = at + FRAME_BYTES + bytes.readInt32BE(at + LENGTH_AT);
    if (end > bytes.length || end < at + RECORDS_AT) break;
    const batch = bytes.subarray(at, end);
    const base = Number(batch.readBigInt64BE(0));
    const last = base + Math.max(0, batch.readInt32BE(LAST_DELTA_AT));
    try {
      for (const record of readBatch(batch, base)) {
        unpackedBytes += sizeOf(record);
        if (record.offset >= from) records.push(record);
      }
    } catch (error) {
      unreadable.push(`offsets ${base} to ${last}: ${(error as Error).message}`);
    }
    next = Math.max(next, last + 1);
    at = end;
  }
  return { records, next, unreadable, packedBytes: bytes.length, unpackedBytes };
}

/** Of all partitions of one response, which share what may be unpacked; each gets a batch at least. */
export function readRecordSets<P extends { readonly batches: Buffer }>(
  partitions: readonly P[],
  fromOf: (partition: P) => number,
  maxBytes: number,
): (readonly [P, RecordSet])[] {
  let left = maxBytes;
  return partitions.map((partition) => {
    const set = readRecordSet(partition.batches, fromOf(partition), left);
    left -= set.unpackedBytes;
    return [partition, set];
  });
}

function readBatch(batch: Buffer, base: number): FetchedRecord[] {
  if (batch[MAGIC_AT] !== MAGIC) throw new Error(`format ${batch[MAGIC_AT]}, which brokers stopped writing with 0.11`);
  if (crc32c(batch.subarray(ATTRIBUTES_AT)) >>> 0 !== batch.readUInt32BE(CRC_AT)) throw new Error('its sum is wrong');
  const attributes = batch.readInt16BE(ATTRIBUTES_AT);
  if ((attributes & CONTROL) !== 0) return [];
  const stamped = (attributes & LOG_APPEND_TIME) !== 0;
  const baseTime = Number(batch.readBigInt64BE(stamped ? MAX_TIME_AT : BASE_TIME_AT));
  const reader = Reader.from(unpack(batch.subarray(RECORDS_AT), attributes & CODEC));
  const records: FetchedRecord[] = [];
  const count = batch.readInt32BE(COUNT_AT);
  if (count > MAX_RECORDS) throw new Error(`it has ${count} records, at most ${MAX_RECORDS} are taken`);
  for (let left = count; left > 0; left--) {
    const { key, value, headers, offsetDelta, timestampDelta } = readRecord(reader);
    if (reader.position > reader.length) throw new Error('a record is longer than its batch');
    records.push({
      offset: base + offsetDelta,
      timestampMs: stamped ? baseTime : baseTime + Number(timestampDelta),
      key: key ?? EMPTY,
      value: value ?? null,
      header: headers.find(([name]) => name !== null && HEADER_KEY.equals(name))?.[1] ?? null,
    });
  }
  return records;
}

/** Throws when it is damaged, or unpacks to more than we take. */
function unpack(bytes: Buffer, codec: number): Buffer {
  switch (codec) {
    case 0:
      return bytes;
    case 1:
      return gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
    case 2:
      if (snappyBytes(bytes) > MAX_UNPACKED_BYTES) throw new Error(TOO_LARGE);
      return compressionsAlgorithms.snappy.decompressSync(bytes);
    case 3:
      if (lz4Bytes(bytes) > MAX_UNPACKED_BYTES) throw new Error(TOO_LARGE);
      return compressionsAlgorithms.lz4.decompressSync(bytes);
    case 4:
      return zstdDecompressSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
    default:
      throw new Error(`compression ${codec} is not known`);
  }
}

const TOO_LARGE = `it unpacks to more than ${MAX_UNPACKED_BYTES} bytes`;
const LZ4_MAGIC = 0x184d2204;
/** A byte of LZ4 gives at most so many. */
const LZ4_MAX_RATIO = 255;

/** At most so many bytes come out of an LZ4 frame, by the sizes of its blocks. */
function lz4Bytes(bytes: Buffer): number {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== LZ4_MAGIC) throw new Error('no LZ4 frame');
  const flags = bytes[4]!;
  const blockMax = 2 ** (8 + 2 * ((bytes[5]! >> 4) & 7));
  let at = 7 + ((flags & 8) !== 0 ? 8 : 0) + ((flags & 1) !== 0 ? 4 : 0);
  let total = 0;
  while (at + 4 <= bytes.length) {
    const word = bytes.readUInt32LE(at);
    const size = word & 0x7fff_ffff;
    if (size === 0) break;
    total += word >>> 31 === 1 ? size : Math.min(blockMax, size * LZ4_MAX_RATIO);
    at += 4 + size + ((flags & 16) !== 0 ? 4 : 0);
  }
  return total;
}

const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const XERIAL_HEADER_BYTES = 16;

/** What Snappy says it unpacks to; Java's writer cuts it in chunks. */
function snappyBytes(bytes: Buffer): number {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return uvarint(bytes);
  let total = 0;
  for (let at = XERIAL_HEADER_BYTES; at + 4 < bytes.length; at += 4 + bytes.readUInt32BE(at))
    total += uvarint(bytes.subarray(at + 4));
  return total;
}

function uvarint(bytes: Buffer): number {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    value += (bytes[i]! & 0x7f) * 2 ** (7 * i);
    if (bytes[i]! < 0x80) return value;
  }
  throw new Error('no length of Snappy');
}
