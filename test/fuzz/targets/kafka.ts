import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { readRecordSet } from '@ringfence/bus-kafka/record-sets';
import { long } from '../lib/avro.ts';
import { mutate } from '../lib/mutate.ts';
import type { Random } from '../lib/random.ts';
import type { FuzzTarget } from '../lib/target.ts';

const HEAD_BYTES = 61;
const CRC_FROM = 21;
const NO_COMPRESSION = 0;
const MAX_UNPACKED = 1 << 20;

const CRC32C = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc >>> 0;
});

function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC32C[(crc ^ byte) & 0xff] as number);
  return ~crc >>> 0;
}

/** Kafka's varints are those of Avro. */
function bytesOf(random: Random, value: Buffer): Buffer {
  return Buffer.concat([long(random.once(40) ? random.integer() : value.length), value]);
}

function recordBy(random: Random, offset: number): Buffer {
  const headers = Array.from({ length: random.below(3) }, () =>
    Buffer.concat([
      bytesOf(random, Buffer.from(random.once(2) ? 'rf' : random.text())),
      bytesOf(random, random.bytes(40)),
    ]),
  );
  const body = Buffer.concat([
    Buffer.from([0]),
    long(random.integer()),
    long(random.once(20) ? random.integer() : offset),
    random.once(5) ? long(-1) : bytesOf(random, random.bytes(30)),
    random.once(5) ? long(-1) : bytesOf(random, random.bytes(200)),
    long(random.once(40) ? random.integer() : headers.length),
    ...headers,
  ]);
  return Buffer.concat([long(random.once(40) ? random.integer() : body.length), body]);
}

/** Xerial framing and a block of literals, as Java's writer makes them. */
function snappy(bytes: Buffer, random: Random): Buffer {
  const block = Buffer.concat([unsigned(random.once(9) ? Math.abs(random.integer()) : bytes.length), literal(bytes)]);
  if (random.once(2)) return block;
  const head = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(random.once(9) ? random.next() : block.length);
  return Buffer.concat([head, length, block]);
}

function literal(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16LE(Math.max(0, bytes.length - 1) & 0xffff);
  return Buffer.concat([Buffer.from([61 << 2]), length, bytes]);
}

function unsigned(value: number): Buffer {
  const out: number[] = [];
  for (let rest = BigInt.asUintN(35, BigInt(Math.trunc(value))); ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...out, Number(rest)]);
    out.push(Number(rest & 0x7fn) | 0x80);
  }
}

/** A frame of one block that is not compressed. */
function lz4(bytes: Buffer, random: Random): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(random.once(9) ? random.next() : (bytes.length | 0x80000000) >>> 0);
  const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, random.pick([0x40, 0x50, 0x60, 0x70]), random.next() & 0xff]);
  return Buffer.concat([head, size, bytes, Buffer.alloc(4)]);
}

const CODECS: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes) => bytes,
  (bytes) => gzipSync(bytes),
  snappy,
  lz4,
  (bytes) => zstdCompressSync(bytes),
  (bytes) => deflateRawSync(bytes),
];

/** Returns a batch with a right checksum, so that what is behind it is read. */
function batchBy(random: Random): Buffer {
  const count = random.below(6);
  const plain = Buffer.concat(Array.from({ length: count }, (_, offset) => recordBy(random, offset)));
  // Repeated records compress well.
  const records = random.once(20) ? Buffer.concat(Array.from({ length: 400 }, () => plain)) : plain;
  const codec = random.once(2) ? NO_COMPRESSION : random.below(CODECS.length);
  const packed = (CODECS[codec] as (bytes: Buffer, random: Random) => Buffer)(records, random);
  const batch = Buffer.concat([Buffer.alloc(HEAD_BYTES), random.once(4) ? mutate(packed, random) : packed]);
  batch.writeBigInt64BE(BigInt(Math.trunc(random.once(20) ? random.integer() : random.below(1000))) % 2n ** 62n, 0);
  batch.writeInt32BE(random.once(20) ? random.integer() | 0 : batch.length - 12, 8);
  batch.writeUInt8(random.once(20) ? random.below(5) : 2, 16);
  batch.writeInt16BE(codec | (random.once(5) ? 8 : 0) | (random.once(20) ? 0x20 : 0), CRC_FROM);
  batch.writeInt32BE(random.once(20) ? random.integer() | 0 : count, 23);
  batch.writeInt32BE(random.once(10) ? random.integer() | 0 : count, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(CRC_FROM)), 17);
  return batch;
}

export const kafka: FuzzTarget = {
  name: 'kafka',
  description: 'record sets that a broker sends, with every compression, and with right checksums',
  shortRuns: 1000,
  outcomes: ['accepted', 'unreadable', 'nothing'],
  // A batch may unpack to 32 MiB, and have 131,072 records.
  memoryMax: 160 << 20,
  open: () => ({
    generate(random) {
      const batches = Buffer.concat(Array.from({ length: 1 + random.below(3) }, () => batchBy(random)));
      return random.once(5) ? mutate(batches, random) : batches;
    },
    run(input) {
      const { records, unreadable, next } = readRecordSet(input, 0, MAX_UNPACKED);
      if (Number.isNaN(next)) throw new Error('the next offset is no number');
      if (unreadable.length > 0) return 'unreadable';
      return records.length > 0 ? 'accepted' : 'nothing';
    },
  }),
};
