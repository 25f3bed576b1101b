import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createRecord,
  createTopic,
  defer,
  NOTHING,
  openWithClock,
  readAll,
  take,
  temporary,
} from '@ringfence/testkit/bus';
import { openEmbeddedBus } from '../../src/embedded/bus.ts';
import { BusFullError } from '../../src/errors.ts';

describe('retention', () => {
  test('records beyond the retention time are deleted, and younger ones kept', async (t) => {
    const { bus, clock } = await openWithClock(t);
    await bus.ensureTopics([createTopic('t', { retentionMs: 1000 })]);
    for (let i = 0; i < 200; i++) await bus.produce([createRecord('t', { value: `${i}` })]);
    clock.ms += 600;
    await bus.produce([createRecord('t', { value: 'young' })]);
    clock.ms += 600;
    await bus.maintain();
    assert.deepEqual(
      (await readAll(bus, 't')).map(({ offset, value }) => [offset, String(value)]),
      [[200, 'young']],
    );
    assert.deepEqual(bus.drops(), []);
  });

  test('the oldest records of a partition beyond the retention size are deleted', async (t) => {
    const { bus } = await openWithClock(t);
    await bus.ensureTopics([createTopic('t', { retentionBytes: 100_000 })]);
    for (let i = 0; i < 300; i++) await bus.produce([createRecord('t', { value: Buffer.alloc(1000, i) })]);
    await bus.maintain();
    const records = await readAll(bus, 't');
    assert.ok(records.length > 80 && records.length <= 100, `${records.length} records remain`);
    assert.equal(records.at(-1)?.offset, 299);
  });

  test('runs by itself, repeatedly, and again after an idle time', async (t) => {
    const { bus } = await openWithClock(t, { maintenanceIntervalMs: 5 });
    await bus.ensureTopics([createTopic('t', { retentionBytes: 10_000 })]);
    for (const round of [1, 2]) {
      for (let i = 0; i < 30; i++) await bus.produce([createRecord('t', { value: Buffer.alloc(1000, round) })]);
      while ((await readAll(bus, 't')).length > 10) await sleep(5);
      await sleep(100);
    }
  });

  test('unconsumed records outlive their retention, and are deleted once they are consumed', async (t) => {
    const { bus, clock } = await openWithClock(t);
    await bus.ensureTopics([createTopic('t', { retentionMs: 1000, retentionBytes: 10 })]);
    await using consumer = await bus.consumer({ group: 'slow', topics: ['t'] });
    for (let i = 0; i < 10; i++) await bus.produce([createRecord('t', { value: `${i}` })]);
    clock.ms += 5000;
    await bus.maintain();
    const records = await take(consumer, 10);
    assert.deepEqual(
      records.map(({ value }) => String(value)),
      ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    );
    await consumer.commit(records.slice(0, 5), NOTHING);
    await bus.maintain();
    assert.deepEqual(
      (await readAll(bus, 't')).map(({ offset }) => offset),
      [5, 6, 7, 8, 9],
    );
  });

  test('a group that does not hold retention loses expired records, sees how many, and still after a restart', async (t) => {
    const { bus, clock } = await openWithClock(t);
    await bus.ensureTopics([createTopic('t', { retentionMs: 1000 })]);
    const options = { group: 'loose', topics: ['t'], holdsRetention: false };
    const away = await bus.consumer(options);
    for (let i = 0; i < 10; i++) await bus.produce([createRecord('t', { value: `${i}` })]);
    await away.close();
    clock.ms += 5000;
    await bus.produce([createRecord('t', { value: 'last' })]);
    await bus.maintain();
    await using back = await bus.consumer(options);
    const [first] = await take(back, 1);
    assert.deepEqual([back.position('t', 0), first?.offset], [0, 10]);
  });

  test('a forgotten group no longer retains records', async (t) => {
    const { bus, clock } = await openWithClock(t);
    await bus.ensureTopics([createTopic('t', { retentionMs: 1000 })]);
    const consumer = await bus.consumer({ group: 'gone', topics: ['t'] });
    for (let i = 0; i < 10; i++) await bus.produce([createRecord('t')]);
    clock.ms += 5000;
    await assert.rejects(bus.forgetGroup('gone'), { code: 'ERR_BUS_USAGE' });
    await consumer.close();
    await bus.forgetGroup('gone');
    await bus.maintain();
    assert.equal((await readAll(bus, 't')).length, 1);
  });

  test('offsets continue after all older records were deleted and the bus was reopened', async (t) => {
    const path = join(temporary(t), 'bus.db');
    const clock = { ms: 1_000_000 };
    const open = () => openEmbeddedBus({ path, now: () => clock.ms * 1000 });
    let bus = await open();
    await bus.ensureTopics([createTopic('t', { retentionMs: 1000 })]);
    for (let i = 0; i < 5; i++) await bus.produce([createRecord('t')]);
    clock.ms += 10_000;
    await bus.maintain();
    await bus.close();
    bus = await open();
    defer(t, () => bus.close());
    await bus.produce([createRecord('t', { value: 'next' })]);
    assert.equal((await readAll(bus, 't')).at(-1)?.offset, 5);
  });

  test('the size of a partition survives a close', async (t) => {
    const path = join(temporary(t), 'bus.db');
    const topics = [createTopic('t', { retentionBytes: 50_000 })];
    let bus = await openEmbeddedBus({ path });
    await bus.ensureTopics(topics);
    for (let i = 0; i < 40; i++) await bus.produce([createRecord('t', { value: Buffer.alloc(1000) })]);
    await bus.close();
    bus = await openEmbeddedBus({ path });
    defer(t, () => bus.close());
    for (let i = 0; i < 40; i++) await bus.produce([createRecord('t', { value: Buffer.alloc(1000) })]);
    await bus.maintain();
    const { length } = await readAll(bus, 't');
    assert.ok(length > 40 && length < 50, `${length} records remain`);
  });

  test('timestamps do not decrease when the clock is set back', async (t) => {
    const { bus, clock } = await openWithClock(t);
    await bus.ensureTopics([createTopic('t')]);
    await bus.produce([createRecord('t')]);
    clock.ms -= 500_000;
    await bus.produce([createRecord('t')]);
    const [first, second] = await readAll(bus, 't');
    assert.equal(first?.timestamp, second?.timestamp);
  });
});

describe('the disk bound', () => {
  test('deletes consumed records, oldest first, before it refuses new ones, and counts them', async (t) => {
    const { bus } = await openWithClock(t, { maxBytes: 8 * 2 ** 20 });
    await bus.ensureTopics([createTopic('t', { retentionMs: 3_600_000 }), createTopic('kept')]);
    await bus.produce([createRecord('kept', { value: 'for ever' })]);
    for (let i = 0; i < 400; i++) await bus.produce([createRecord('t', { value: Buffer.alloc(60_000) })]);
    const { usedBytes, maxBytes, full } = bus.pressure();
    assert.ok(usedBytes <= maxBytes && !full);
    const records = await readAll(bus, 't');
    assert.equal(records.at(-1)?.offset, 399);
    const [drop] = bus.drops();
    assert.deepEqual([drop?.topic, drop?.cause, drop?.records], ['t', 'early', 400 - records.length]);
    assert.equal((await readAll(bus, 'kept')).length, 1);
  });

  test('deletes expired records that a group has not consumed, and counts them as lost', async (t) => {
    const { bus, clock } = await openWithClock(t, { maxBytes: 8 * 2 ** 20 });
    await bus.ensureTopics([createTopic('t', { retentionMs: 1000 })]);
    await using consumer = await bus.consumer({ group: 'stuck', topics: ['t'] });
    for (let i = 0; i < 400; i++) {
      await bus.produce([createRecord('t', { value: Buffer.alloc(60_000) })]);
      clock.ms += 100;
    }
    const { length } = await readAll(bus, 't');
    assert.deepEqual(
      bus.drops().map(({ topic, cause, records }) => [topic, cause, records]),
      [['t', 'unconsumed', 400 - length]],
    );
    assert.equal((await consumer.lag()).get('t'), length);
  });

  test('keeps records that are neither expired nor consumed, and refuses new ones', async (t) => {
    const { bus } = await openWithClock(t, { maxBytes: 8 * 2 ** 20 });
    await bus.ensureTopics([createTopic('t', { retentionMs: 3_600_000 })]);
    await using consumer = await bus.consumer({ group: 'stuck', topics: ['t'] });
    let produced = 0;
    const produceAll = async (): Promise<void> => {
      for (; produced < 1000; produced++) await bus.produce([createRecord('t', { value: Buffer.alloc(60_000) })]);
    };
    await assert.rejects(produceAll, BusFullError);
    assert.equal((await take(consumer, produced)).length, produced);
    assert.deepEqual(bus.drops(), []);
  });
});

describe('compaction', () => {
  test('keeps the records that a group has not consumed', async (t) => {
    const { bus } = await openWithClock(t);
    await bus.ensureTopics([createTopic('c', { compacted: true })]);
    await using consumer = await bus.consumer({ group: 'slow', topics: ['c'] });
    for (const value of ['1', '2', '3', '4']) await bus.produce([createRecord('c', { value })]);
    await bus.maintain();
    const records = await take(consumer, 4);
    await consumer.commit(records.slice(0, 3), NOTHING);
    await bus.maintain();
    assert.deepEqual(
      (await readAll(bus, 'c')).map(({ value }) => String(value)),
      ['3', '4'],
    );
  });

  test('old tombstones are deleted, and the newest record is kept even if it is a tombstone', async (t) => {
    const { bus, clock } = await openWithClock(t, { tombstoneRetentionMs: 1000 });
    await bus.ensureTopics([createTopic('c', { compacted: true })]);
    await bus.produce([
      createRecord('c', { key: 'a' }),
      createRecord('c', { key: 'a', value: null }),
      createRecord('c', { key: 'b', value: null }),
    ]);
    await bus.maintain();
    assert.equal((await readAll(bus, 'c')).length, 2);
    clock.ms += 2000;
    await bus.maintain();
    assert.deepEqual(
      (await readAll(bus, 'c')).map(({ key }) => key),
      ['b'],
    );
  });

  test('keeps exactly one record of each key of a topic that is written repeatedly', async (t) => {
    const { bus } = await openWithClock(t);
    await bus.ensureTopics([createTopic('c', { compacted: true, partitions: 3 })]);
    for (let i = 0; i < 2000; i++) await bus.produce([createRecord('c', { key: `k${i % 50}`, value: `${i}` })]);
    await bus.maintain();
    const records = await readAll(bus, 'c');
    assert.deepEqual(
      records.map(({ value }) => Number(value)).sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, i) => 1950 + i),
    );
  });

  test('a null value is refused on a topic that is not compacted', async (t) => {
    const { bus } = await openWithClock(t);
    await bus.ensureTopics([createTopic('t')]);
    await assert.rejects(bus.produce([createRecord('t', { value: null })]), { code: 'ERR_BUS_BAD_RECORD', topic: 't' });
  });
});
