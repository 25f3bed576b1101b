import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { compressionsAlgorithms, crc32c } from '@platformatic/kafka';
import { RecordReader } from './record-reader.ts';
import { type FetchedRecord, memoryBytes } from './records.ts';

/**
 * Layout of a record batch (magic 2), as brokers store and send it:
 *
 *   baseOffset i64 | length i32 | leaderEpoch i32 | magic i8 | crc u32 | attributes i16 | lastOffsetDelta i32
 *   | baseTimestamp i64 | maxTimestamp i64 | producerId i64 | producerEpoch i16 | baseSequence i32 | count i32
 *   | records (compressed with the codec in the attributes)
 *
 * The decoders of the two clients are not used: they verify no checksum, do not bound the unpacked size or the number
 * of headers, and lose the whole response to one damaged batch.
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

/** Limit for one unpacked batch. This bus writes at most 2 MiB; other writers may use larger batches. */
const MAX_UNPACKED_BYTES = 32 * 2 ** 20;
/** Limits batches of empty records, because each record becomes an object. */
const MAX_RECORDS = 2 ** 17;

export interface RecordSet {
  readonly records: readonly FetchedRecord[];
  /** The offset to fetch next. Lies behind control batches and unreadable batches. */
  readonly next: number;
  /** The reasons why batches could not be read. */
  readonly unreadable: readonly string[];
  /** Bytes that the broker sent. */
  readonly packedBytes: number;
  /** Bytes of memory of the unpacked records. */
  readonly unpackedBytes: number;
}

/**
 * Returns the records of a fetched partition from an offset on. A broker sends whole batches, starting with the batch
 * that contains the offset, and may truncate the last one. After `maxBytes` unpacked bytes the remaining batches are
 * left for the next fetch, because a few kB can unpack to GBs.
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
        unpackedBytes += memoryBytes(record);
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

/** Reads all partitions of a response, which share the limit `maxBytes`. Each yields at least one batch. */
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
  if (batch[MAGIC_AT] !== MAGIC) throw new Error(`unsupported format ${batch[MAGIC_AT]}, from before Kafka 0.11`);
  if (crc32c(batch.subarray(ATTRIBUTES_AT)) >>> 0 !== batch.readUInt32BE(CRC_AT)) throw new Error('wrong checksum');
  const attributes = batch.readInt16BE(ATTRIBUTES_AT);
  if ((attributes & CONTROL) !== 0) return [];
  // With log append time the broker stores its own time in maxTimestamp, for all records.
  const isAppendTime = (attributes & LOG_APPEND_TIME) !== 0;
  const baseTime = Number(batch.readBigInt64BE(isAppendTime ? MAX_TIME_AT : BASE_TIME_AT));
  const reader = new RecordReader(unpack(batch.subarray(RECORDS_AT), attributes & CODEC));
  const records: FetchedRecord[] = [];
  const count = batch.readInt32BE(COUNT_AT);
  if (count > MAX_RECORDS) throw new Error(`${count} records, more than the limit of ${MAX_RECORDS}`);
  for (let left = count; left > 0; left--) {
    const { offsetDelta, timestampDelta, ...record } = reader.next();
    const timestampMs = isAppendTime ? baseTime : baseTime + timestampDelta;
    records.push({ offset: base + offsetDelta, timestampMs, ...record });
  }
  return records;
}

/** Throws when the bytes are damaged, or unpack to more than MAX_UNPACKED_BYTES. */
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
      throw new Error(`unknown compression codec ${codec}`);
  }
}

const TOO_LARGE = `unpacks to more than ${MAX_UNPACKED_BYTES} bytes`;
const LZ4_MAGIC = 0x184d2204;
/** Highest compression ratio of LZ4. */
const LZ4_MAX_RATIO = 255;

/** Returns an upper bound for the unpacked size of an LZ4 frame, from the sizes of its blocks. */
function lz4Bytes(bytes: Buffer): number {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== LZ4_MAGIC) throw new Error('not an LZ4 frame');
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

/** Returns the unpacked size that Snappy declares. Java's writer (Xerial framing) writes several blocks. */
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
  throw new Error('invalid Snappy length');
}
