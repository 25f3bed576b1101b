import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressionsAlgorithms, crc32c, createRecordsBatch } from '@platformatic/kafka';
import { NOTHING, record, take, text, topic } from '@ringfence/bus/conformance';
import { openKafkaBus } from '../../src/kafka/bus.ts';
import { Feed } from '../../src/kafka/feed.ts';
import type { Compression } from '../../src/kafka/options.ts';
import { readRecordSet } from '../../src/kafka/record-sets.ts';
import { fleetOptions, missing } from './fleet.ts';

const PACKINGS: readonly Compression[] = ['none', 'gzip', 'lz4', 'zstd', 'snappy'];
const CLIENTS = ['platformatic', 'kafkajs'] as const;
const TEXT = 'the same words again and again, '.repeat(500);

function batchOf(values: readonly string[], compression: Compression): Buffer {
  const messages = values.map((value) => ({
    topic: 't',
    partition: 0,
    key: Buffer.from('k'),
    value: Buffer.from(value),
  }));
  return createRecordsBatch(messages, { compression }).buffer;
}

/** A batch of one record whose packed bytes are replaced, with a sum that is right. */
function batchWith(packed: Buffer, compression: Compression): Buffer {
  const batch = Buffer.concat([batchOf(['x'], compression).subarray(0, 61), packed]);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeUInt32BE(crc32c(batch.subarray(21)) >>> 0, 17);
  return batch;
}

describe('record batches', () => {
  test('of every packing are read', () => {
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

  test('that are cut off are left for the next fetch', () => {
    const batch = batchOf(['a'], 'none');
    for (const cut of [0, 10, 60, batch.length - 1])
      assert.partialDeepStrictEqual(readRecordSet(batch.subarray(0, cut), 0), { records: [], next: 0, unreadable: [] });
  });

  test('that are damaged cost themselves and not their neighbours', () => {
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
    assert.deepEqual(unreadable, ['offsets 1 to 2: its sum is wrong']);
  });

  test('are unpacked only as far as there is room, one at least', () => {
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
      assert.equal(readRecordSet(Buffer.concat(batches), 0, room).next, count, `${room} bytes of room`);
  });

  test('of records without content are bounded too: each takes its room', () => {
    const batches = [0, 1, 2].map((i) => {
      const batch = batchOf(Array(1000).fill(''), 'zstd');
      batch.writeBigInt64BE(BigInt(i * 1000));
      return batch;
    });
    const { records, next } = readRecordSet(Buffer.concat(batches), 0, 100_000);
    assert.equal(next, 1000);
    const feed = new Feed({ topic: 't', partition: 0 }, 't', 0, 1000);
    feed.push(records, next);
    assert.ok(feed.bytes > 100_000, `${feed.bytes} bytes`);
    while (feed.length > 0) feed.shift();
    assert.equal(feed.bytes, 0);
    const many = readRecordSet(batchOf(Array(140_000).fill(''), 'zstd'), 0);
    assert.deepEqual([many.records.length, many.next], [0, 140_000]);
    assert.deepEqual(many.unreadable, ['offsets 0 to 139999: it has 140000 records, at most 131072 are taken']);
  });

  test('that would unpack to more than is taken are refused before they do', () => {
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

describe('what one client packs the other reads', { skip: missing }, () => {
  for (const compression of PACKINGS) {
    test(compression, async () => {
      const options = await fleetOptions({ compression });
      const [one, other] = await Promise.all(CLIENTS.map((client) => openKafkaBus({ ...options, client })));
      await using _ = { [Symbol.asyncDispose]: async () => void (await Promise.all([one!.close(), other!.close()])) };
      await one!.ensureTopics([topic('t')]);
      for (const [writer, reader] of [
        [one!, other!],
        [other!, one!],
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
