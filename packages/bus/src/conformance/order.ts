import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partitionOf } from '../murmur2.ts';
import type { Make } from './driver.ts';
import { assertAscending, record, take, text, topic } from './helpers.ts';

/** Leaves room for the key and its framing. */
const LARGEST = 2 ** 20 - 1024;

export function order(make: Make): void {
  test('records of one key arrive in the order of production, in the partition that murmur2 chooses', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t', { partitions: 4 })]);
    const keys = Array.from({ length: 20 }, (_, i) => `host-${i}`);
    for (let round = 0; round < 5; round++) await bus.produce(keys.map((key) => record('t', key, `${round}`)));
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    const records = await take(consumer, 100);
    for (const key of keys) {
      const ofKey = records.filter((received) => received.key === key);
      assert.deepEqual(ofKey.map(text), ['0', '1', '2', '3', '4']);
      assert.deepEqual([...new Set(ofKey.map(({ partition }) => partition))], [partitionOf(key, 4)]);
    }
    assertAscending(records);
  });

  test('a poll returns at most the requested records and bytes, but at least one record', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    await bus.produce(Array.from({ length: 10 }, (_, i) => ({ topic: 't', key: 'k', value: Buffer.alloc(1000, i) })));
    await using few = await bus.consumer({ group: 'few', topics: ['t'], maxRecords: 3 });
    assert.ok((await few.poll()).length <= 3);
    await using small = await bus.consumer({ group: 'small', topics: ['t'], maxBytes: 2500 });
    assert.ok((await small.poll()).length <= 2);
    await using tiny = await bus.consumer({ group: 'tiny', topics: ['t'], maxBytes: 10 });
    assert.equal((await tiny.poll()).length, 1);
  });

  test('values are returned byte for byte, including an empty one and the largest one', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    const values = [new Uint8Array(0), Uint8Array.of(0, 255, 195, 1), new Uint8Array(LARGEST).map((_, i) => i * 31)];
    for (const value of values) await bus.produce([{ topic: 't', key: 'ключ\u0000', value }]);
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    const records = await take(consumer, 3);
    assert.deepEqual(
      records.map(({ value }) => value !== null && Buffer.from(value)),
      values.map((value) => Buffer.from(value)),
    );
    assert.equal(records[0]?.key, 'ключ\u0000');
  });

  test('a producer may reuse its buffer after produce has resolved', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    const value = Buffer.from('before');
    await bus.produce([{ topic: 't', key: 'k', value }]);
    value.fill(0);
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    assert.deepEqual((await take(consumer, 1)).map(text), ['before']);
  });
}
