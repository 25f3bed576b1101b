import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRecord, createTopic, defer, NOTHING, readAll, temporary } from '@ringfence/testkit/bus';
import Database from 'better-sqlite3';
import { openEmbeddedBus } from '../../src/embedded/bus.ts';
import { copyOf, Tail } from '../../src/embedded/tail.ts';

function tailOf(count: number, bytes: number, first = 0): Tail {
  const tail = new Tail();
  for (let offset = first; offset < first + count; offset++)
    tail.push({ topic: 't', partition: 0, offset, key: 'k', value: Buffer.alloc(bytes), timestamp: 0 });
  return tail;
}

const offsets = (records: readonly { readonly offset: number }[] | undefined): number[] | undefined =>
  records?.map(({ offset }) => offset);

describe('the memory of the embedded bus', () => {
  test('the tail returns its records, and undefined for earlier ones', () => {
    const tail = tailOf(5, 10, 7);
    assert.equal(tail.fetch(6, 10, 1000), undefined);
    assert.deepEqual(offsets(tail.fetch(9, 10, 1000)), [9, 10, 11]);
    assert.deepEqual(offsets(tail.fetch(12, 10, 1000)), []);
    assert.deepEqual(offsets(tail.fetch(7, 2, 1000)), [7, 8]);
    assert.deepEqual(offsets(tail.fetch(7, 10, 25)), [7, 8]);
    assert.deepEqual(offsets(tail.fetch(7, 10, 1)), [7], 'at least one record');
    assert.equal(new Tail().fetch(0, 10, 1000), undefined);
  });

  test('the tail is bounded, and drops the records of a failed transaction', () => {
    const tail = tailOf(100, 100_000);
    assert.equal(tail.fetch(80, 1, 1), undefined);
    assert.deepEqual(offsets(tail.fetch(98, 10, 1e9)), [98, 99]);
    tail.cut(99);
    assert.deepEqual(offsets(tail.fetch(98, 10, 1e9)), [98]);
  });

  test('a record is independent of the buffer of its writer', async (t) => {
    await using bus = await openEmbeddedBus({ path: join(temporary(t), 'bus.db') });
    await bus.ensureTopics([createTopic('t')]);
    const value = Buffer.from('original');
    await bus.produce([createRecord('t', { value })]);
    value.fill('x');
    assert.deepEqual(
      (await readAll(bus, 't')).map((record) => Buffer.from(record.value!).toString()),
      ['original'],
    );
    assert.equal(copyOf(Buffer.from('small'))?.buffer.byteLength, 5, 'the copy retains no larger buffer');
  });

  test('offsets without outputs are saved after a short delay, without a close', async (t) => {
    const path = join(temporary(t), 'bus.db');
    await using bus = await openEmbeddedBus({ path });
    await bus.ensureTopics([createTopic('t')]);
    await bus.produce([createRecord('t'), createRecord('t')]);
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    await consumer.commit(await consumer.poll(), NOTHING);
    assert.equal((await consumer.lag()).get('t'), 0);
    const db = new Database(path, { readonly: true });
    defer(t, () => db.close());
    const saved = db.prepare("SELECT next FROM offsets WHERE grp = 'g'").pluck();
    for (let waited = 0; waited < 5000 && saved.get() !== 2; waited += 20) await sleep(20);
    assert.equal(saved.get(), 2);
  });
});
