import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TopicSpecError, UnknownTopicError } from '../errors.ts';
import type { DriverFactory, Make } from './driver.ts';
import { assertAscending, collect, record, text, topic } from './helpers.ts';

export function topics(make: Make, factory: DriverFactory): void {
  test('a compacted topic keeps the latest record of each key, and a tombstone replaces earlier records', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('c', { compacted: true })]);
    for (const [key, value] of [
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
      ['b', null],
      ['a', '3'],
      ['z', 'end'],
    ] as const) {
      await bus.produce([{ topic: 'c', key, value: value === null ? null : Buffer.from(value) }]);
    }
    await factory.compact?.(bus);
    const records = await collect(bus.read({ topic: 'c' }));
    const latest = new Map(records.map((kept) => [kept.key, kept.value === null ? null : text(kept)]));
    assert.deepEqual([...latest].sort(), [
      ['a', '3'],
      ['b', null],
      ['z', 'end'],
    ]);
    if (factory.compact !== undefined) assert.equal(records.length, 3);
    assertAscending(records);
  });

  test('ensureTopics accepts an existing topic, and refuses another number of partitions', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t', { partitions: 2 })]);
    await bus.ensureTopics([topic('t', { partitions: 2 })]);
    await assert.rejects(bus.ensureTopics([topic('t', { partitions: 3 })]), TopicSpecError);
  });

  test('the error for an unknown topic has its name', async () => {
    const { bus } = await make();
    await assert.rejects(bus.produce([record('no-such', 'k', 'x')]), {
      code: 'ERR_BUS_UNKNOWN_TOPIC',
      topic: 'no-such',
    });
    await assert.rejects(bus.consumer({ group: 'g', topics: ['no-such'] }), UnknownTopicError);
    await assert.rejects(async () => collect(bus.read({ topic: 'no-such' })), UnknownTopicError);
  });

  for (const name of ['', '../etc', "t'; DROP TABLE topics; --", 'x'.repeat(250)]) {
    test(`the topic name ${JSON.stringify(name.slice(0, 30))} is refused`, async () => {
      const { bus } = await make();
      await assert.rejects(bus.ensureTopics([topic(name)]), TopicSpecError);
    });
  }
}
