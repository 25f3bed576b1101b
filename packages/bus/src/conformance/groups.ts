import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Make } from './driver.ts';
import { NOTHING, record, take, text, topic } from './helpers.ts';

export function groups(make: Make): void {
  test('groups are independent: each gets every record', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    await bus.produce([record('t', 'k', '1'), record('t', 'k', '2')]);
    for (const group of ['a', 'b']) {
      await using consumer = await bus.consumer({ group, topics: ['t'] });
      const records = await take(consumer, 2);
      assert.deepEqual(records.map(text), ['1', '2']);
      await consumer.commit(records, NOTHING);
    }
  });

  test('the next consumer of a group gets the uncommitted records, and not the committed ones', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    await bus.produce([1, 2, 3, 4].map((i) => record('t', 'k', `${i}`)));
    const first = await bus.consumer({ group: 'g', topics: ['t'] });
    const records = await take(first, 4);
    await first.commit(records.slice(0, 2), NOTHING);
    assert.equal((await first.lag()).get('t'), 2);
    await first.close();
    await using second = await bus.consumer({ group: 'g', topics: ['t'] });
    assert.deepEqual((await take(second, 2)).map(text), ['3', '4']);
  });

  test('a poll continues where the last one ended, committed or not', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    await bus.produce([1, 2, 3, 4].map((i) => record('t', 'k', `${i}`)));
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'], maxRecords: 1 });
    assert.deepEqual((await take(consumer, 4)).map(text), ['1', '2', '3', '4']);
  });

  test('a waiting poll returns after a produce, and after a commit with outputs', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('in'), topic('out')]);
    await using upstream = await bus.consumer({ group: 'up', topics: ['in'] });
    await using downstream = await bus.consumer({ group: 'down', topics: ['out'] });
    const input = upstream.poll();
    const output = downstream.poll();
    await bus.produce([record('in', 'k', 'x')]);
    const records = await input;
    assert.deepEqual(records.map(text), ['x']);
    await upstream.commit(records, { outputs: [record('out', 'k', 'y')], state: [] });
    assert.deepEqual((await output).map(text), ['y']);
  });

  test('records of a lingering topic wait for more records, until a record of another topic releases them', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('bulk'), topic('urgent')]);
    const lingerMs = { bulk: 3_600_000 };
    await bus.produce([record('urgent', 'k', 'first')]);
    await using consumer = await bus.consumer({ group: 'g', topics: ['bulk', 'urgent'], lingerMs });
    await take(consumer, 1);
    const poll = consumer.poll();
    await bus.produce([record('bulk', 'k', '1')]);
    await bus.produce([record('bulk', 'k', '2')]);
    assert.equal(await Promise.race([poll, new Promise((resolve) => setTimeout(resolve, 20, 'waits'))]), 'waits');
    await bus.produce([record('urgent', 'k', '3')]);
    assert.deepEqual((await poll).map(text).sort(), ['1', '2', '3']);
  });

  test('a single record is released after its linger time, and a record from before the start does not linger', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('bulk')]);
    await bus.produce([record('bulk', 'k', '1')]);
    for (const [ms, value] of [
      [3_600_000, '1'],
      [1, '2'],
    ] as const) {
      await using consumer = await bus.consumer({ group: 'g', topics: ['bulk'], lingerMs: { bulk: ms } });
      const poll = consumer.poll();
      if (value === '2') await bus.produce([record('bulk', 'k', '2')]);
      const records = await poll;
      assert.deepEqual(records.map(text), [value]);
      await consumer.commit(records, NOTHING);
    }
  });

  test('an aborted signal ends a waiting poll without records', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    const abort = new AbortController();
    const poll = consumer.poll(abort.signal);
    setImmediate(() => abort.abort());
    assert.deepEqual(await poll, []);
    await bus.produce([record('t', 'k', 'after')]);
    assert.deepEqual((await take(consumer, 1)).map(text), ['after']);
  });

  test('lag counts the uncommitted records by topic', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('a', { partitions: 3 }), topic('b')]);
    await bus.produce(Array.from({ length: 7 }, (_, i) => record('a', `k${i}`, 'x')));
    await using consumer = await bus.consumer({ group: 'g', topics: ['a', 'b'] });
    assert.deepEqual(Object.fromEntries(await consumer.lag()), { a: 7, b: 0 });
    assert.deepEqual(await bus.lag('g'), await consumer.lag());
    assert.deepEqual(await bus.lag('no-such-group'), new Map());
    await consumer.commit(await take(consumer, 7), NOTHING);
    assert.deepEqual(Object.fromEntries(await consumer.lag()), { a: 0, b: 0 });
  });

  test('a group that starts at the latest record gets later ones only, also those while it was away', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    await bus.produce([record('t', 'k', 'before')]);
    const options = { group: 'g', topics: ['t'], start: 'latest' } as const;
    const first = await bus.consumer(options);
    const abort = new AbortController();
    const waiting = first.poll(abort.signal);
    // The consumer of a broker has joined once its position is known.
    while (first.position('t', 0) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    abort.abort();
    assert.deepEqual(await waiting, []);
    await first.close();
    await bus.produce([record('t', 'k', 'meanwhile')]);
    await using second = await bus.consumer(options);
    const records = await take(second, 1);
    assert.deepEqual(records.map(text), ['meanwhile']);
    assert.equal(second.position('t', 0), 1);
    await second.commit(records, NOTHING);
    assert.equal(second.position('t', 0), 2);
  });
}
