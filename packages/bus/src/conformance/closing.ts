import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BusClosedError } from '../errors.ts';
import type { Make } from './driver.ts';
import { collect, NOTHING, record, text, topic } from './helpers.ts';

export function closing(make: Make): void {
  test('closing a consumer ends its poll without records, and later commits are refused', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    const consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    const poll = consumer.poll();
    await new Promise((resolve) => setImmediate(resolve));
    await consumer.close();
    assert.deepEqual(await poll, []);
    await assert.rejects(consumer.commit([], NOTHING), BusClosedError);
  });

  test('closing the bus completes pending writes, ends polls and readers, and refuses later writes', async () => {
    const driver = await make();
    const { bus } = driver;
    await bus.ensureTopics([topic('t'), topic('idle')]);
    const consumer = await bus.consumer({ group: 'g', topics: ['idle'] });
    const poll = consumer.poll();
    const following = collect(bus.read({ topic: 'idle', follow: true }));
    const writes = [1, 2, 3].map((i) => bus.produce([record('t', 'k', `${i}`)]));
    await new Promise((resolve) => setImmediate(resolve));
    await bus.close();
    await Promise.all(writes);
    assert.deepEqual(await poll, []);
    assert.deepEqual(await following, []);
    await assert.rejects(bus.produce([record('t', 'k', '4')]), BusClosedError);
    await bus.close();
    if (driver.reopen === undefined) return;
    const again = await driver.reopen();
    assert.deepEqual((await collect(again.read({ topic: 't' }))).map(text), ['1', '2', '3']);
  });
}
