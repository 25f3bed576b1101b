import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressionsAlgorithms, crc32c, createRecordsBatch } from '@platformatic/kafka';
import { NOTHING, record, take, text, topic } from '@ringfence/bus/conformance';
import { openKafkaBus } from '../src/bus.ts';
import { readRecordSet } from '../src/client/record-sets.ts';
import { PartitionCursor } from '../src/consumer/partition-cursor.ts';
import type { Compression } from '../src/options.ts';
import { fleetOptions, missing } from './fleet.ts';

const PACKINGS: readonly Compression[] = ['none', 'gzip', 'lz4', 'zstd', 'snappy'];
const TEXT = 'a text that compresses well, '.repeat(500);

function batchOf(values: readonly string[], compression: Compression): Buffer {
  const messages = values.map((value) => ({
    topic: 't',
    partition: 0,
    key: Buffer.from('k'),
    value: Buffer.from(value),
  }));
  return createRecordsBatch(messages, { compression }).buffer;
}

/** Returns a batch of one record with other compressed bytes and a correct checksum. */
function batchWith(packed: Buffer, compression: Compression): Buffer {
  const batch = Buffer.concat([batchOf(['x'], compression).subarray(0, 61), packed]);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeUInt32BE(crc32c(batch.subarray(21)) >>> 0, 17);
  return batch;
}

describe('record batches', () => {
  test('of every codec are read', () => {
    for (const packing of PACKINGS) {
      const { records, next, unreadable } = readRecordSet(batchOf([TEXT, '', 'b'], packing), 1);
      assert.deepEqual(unreadable, [], packing);
      assert.deepEqual(
        records.map(({ value }) => String(value)),
        ['', 'b'],
      );
      assert.equal(next, 3);
    }
  });

  test('that are truncated are left for the next fetch', () => {
    const batch = batchOf(['a'], 'none');
    for (const cut of [0, 10, 60, batch.length - 1])
      assert.partialDeepStrictEqual(readRecordSet(batch.subarray(0, cut), 0), { records: [], next: 0, unreadable: [] });
  });

  test('that are damaged are skipped, and their neighbours are read', () => {
    const [first, bad, last] = [batchOf(['a'], 'zstd'), batchOf(['b', 'c'], 'zstd'), batchOf(['d'], 'zstd')];
    bad.writeBigInt64BE(1n);
    last.writeBigInt64BE(3n);
    bad[bad.length - 1]! ^= 1;
    const { records, next, unreadable } = readRecordSet(Buffer.concat([first, bad, last]), 0);
    assert.deepEqual(
      records.map(({ value, offset }) => `${offset} ${value}`),
      ['0 a', '3 d'],
    );
    assert.equal(next, 4);
    assert.deepEqual(unreadable, ['offsets 1 to 2: wrong checksum']);
  });

  test('are unpacked up to the limit, but at least one', () => {
    const batches = [0, 1, 2].map((offset) => {
      const batch = batchOf([TEXT], 'zstd');
      batch.writeBigInt64BE(BigInt(offset));
      return batch;
    });
    for (const [room, count] of [
      [0, 1],
      [TEXT.length, 1],
      [TEXT.length + 1000, 2],
      [Infinity, 3],
    ] as const)
      assert.equal(readRecordSet(Buffer.concat(batches), 0, room).next, count, `limit of ${room} bytes`);
  });

  test('of empty records are limited too, because each record counts', () => {
    const batches = [0, 1, 2].map((i) => {
      const batch = batchOf(Array(1000).fill(''), 'zstd');
      batch.writeBigInt64BE(BigInt(i * 1000));
      return batch;
    });
    const { records, next } = readRecordSet(Buffer.concat(batches), 0, 100_000);
    assert.equal(next, 1000);
    const cursor = new PartitionCursor({ topic: 't', partition: 0 }, 't', 0, 1000);
    cursor.push(records, next);
    assert.ok(cursor.bytes > 100_000, `${cursor.bytes} bytes`);
    while (cursor.length > 0) cursor.shift();
    assert.equal(cursor.bytes, 0);
    const many = readRecordSet(batchOf(Array(140_000).fill(''), 'zstd'), 0);
    assert.deepEqual([many.records.length, many.next], [0, 140_000]);
    assert.deepEqual(many.unreadable, ['offsets 0 to 139999: 140000 records, more than the limit of 131072']);
  });

  test('that would unpack to more than the limit are refused without unpacking them', () => {
    const bomb = Buffer.alloc(256 * 2 ** 20);
    const packed = {
      gzip: gzipSync(bomb),
      zstd: zstdCompressSync(bomb),
      lz4: compressionsAlgorithms.lz4.compressSync(bomb),
      snappy: compressionsAlgorithms.snappy.compressSync(bomb),
    };
    for (const packing of ['gzip', 'zstd', 'lz4', 'snappy'] as const) {
      const before = process.memoryUsage().rss;
      const { records, next, unreadable } = readRecordSet(batchWith(packed[packing], packing), 0);
      assert.deepEqual(records, []);
      assert.equal(next, 1);
      assert.equal(unreadable.length, 1, packing);
      assert.ok(process.memoryUsage().rss - before < 128 * 2 ** 20, `${packing} was not unpacked`);
    }
  });
});

/** Returns a batch of one record with as many headers without key and value as `count` says. */
function batchOfHeaders(count: number, headers: Buffer): Buffer {
  const number = Buffer.alloc(5);
  let length = 0;
  for (let rest = count * 2; ; rest = Math.floor(rest / 128), length++) {
    number[length] = rest < 128 ? rest : (rest % 128) | 0x80;
    if (rest < 128) break;
  }
  // Length, attributes, time and offset, no key, no value; the length is not used.
  const record = Buffer.concat([Buffer.from([0, 0, 0, 0, 1, 1]), number.subarray(0, length + 1), headers]);
  return batchWith(zstdCompressSync(record), 'zstd');
}

describe('headers of records', () => {
  test('that a few bytes unpack to take no memory', (t) => {
    const count = 2_000_000;
    const batch = batchOfHeaders(count, Buffer.alloc(2 * count, 1));
    const before = process.memoryUsage().heapUsed;
    const { records, unreadable } = readRecordSet(batch, 0);
    const used = process.memoryUsage().heapUsed - before;
    assert.deepEqual([records.length, unreadable], [1, []]);
    t.diagnostic(`${count} headers in ${batch.length} bytes: ${(used / 2 ** 20).toFixed(1)} MiB`);
    assert.ok(used < 32 * 2 ** 20, `${used} bytes`);
  });

  test('with negative lengths, or more than their batch has, make it unreadable', () => {
    for (const [count, headers] of [
      [2 ** 31 - 1, Buffer.alloc(100, 3)],
      [2 ** 31 - 1, Buffer.alloc(100, 1)],
      [1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])],
    ] as const) {
      const { records, next, unreadable } = readRecordSet(batchOfHeaders(count, headers), 0);
      assert.deepEqual([records, next, unreadable.length], [[], 1, 1]);
    }
  });
});

describe('each client reads the batches of the other', { skip: missing }, () => {
  for (const compression of PACKINGS) {
    test(compression, async () => {
      const options = await fleetOptions({ compression });
      await using platformatic = await openKafkaBus({ ...options, client: 'platformatic' });
      await using kafkajs = await openKafkaBus({ ...options, client: 'kafkajs' });
      await platformatic.ensureTopics([topic('t')]);
      for (const [writer, reader] of [
        [platformatic, kafkajs],
        [kafkajs, platformatic],
      ] as const) {
        await using consumer = await reader.consumer({ group: 'g', topics: ['t'] });
        await writer.produce([record('t', 'k', TEXT), record('t', 'k', 'end')]);
        const records = await take(consumer, 2);
        assert.deepEqual(records.map(text), [TEXT, 'end']);
        await consumer.commit(records, NOTHING);
      }
    });
  }
});
