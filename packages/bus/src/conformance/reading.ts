import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Make } from './driver.ts';
import { assertAscending, collect, record, text, topic } from './helpers.ts';

export function reading(make: Make): void {
  test('reading needs no group, does not change a group’s offsets, and ends at the last record', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t', { partitions: 3 })]);
    await bus.produce(Array.from({ length: 150 }, (_, i) => record('t', `k${i}`, `${i}`)));
    const records = await collect(bus.read({ topic: 't' }));
    assert.equal(new Set(records.map(text)).size, 150);
    assertAscending(records);
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    assert.equal((await consumer.lag()).get('t'), 150);
  });

  test('reading ends although new records are being written', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    // More than one fetch returns, so that the record written meanwhile is fetched together with the last one.
    for (let i = 0; i < 3; i++) await bus.produce([{ topic: 't', key: `${i}`, value: randomBytes(700_000) }]);
    const keys: string[] = [];
    for await (const { key } of bus.read({ topic: 't' })) {
      keys.push(key);
      if (keys.length === 1) await bus.produce([record('t', 'late', 'late')]);
    }
    assert.deepEqual(keys.slice(0, 3), ['0', '1', '2']);
  });

  test('reading can start at a time', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    for (let i = 0; i < 5; i++) {
      await bus.produce([record('t', 'k', `${i}`)]);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    const all = await collect(bus.read({ topic: 't' }));
    const from = all[3]!.timestamp;
    assert.deepEqual((await collect(bus.read({ topic: 't', from }))).map(text), ['3', '4']);
    assert.deepEqual(await collect(bus.read({ topic: 't', from: from + 3_600_000_000 })), []);
  });

  test('several topics are merged by time, and a silent topic does not delay the others', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('a'), topic('b')]);
    for (const [at, name] of ['a', 'a', 'b', 'b', 'a'].entries()) {
      await bus.produce([record(name, 'k', `${at}`)]);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    assert.deepEqual((await collect(bus.read({ topic: ['a', 'b'] }))).map(text), ['0', '1', '2', '3', '4']);
    const following = bus.read({ topic: ['a', 'b'], follow: true })[Symbol.asyncIterator]();
    const next = async (): Promise<string> => {
      const { done, value } = await following.next();
      return done === true ? 'end' : `${value.topic}${text(value)}`;
    };
    for (let at = 0; at < 5; at++) await next();
    for (const name of ['b', 'b', 'a']) {
      const pending = next();
      await bus.produce([record(name, 'k', 'new')]);
      assert.equal(await pending, `${name}new`);
    }
    await following.return?.();
  });

  test('following returns later records, and ends when its signal aborts', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    await bus.produce([record('t', 'k', 'old')]);
    const abort = new AbortController();
    const seen: string[] = [];
    for await (const received of bus.read({ topic: 't', follow: true, signal: abort.signal })) {
      seen.push(text(received));
      if (seen.length === 1) await bus.produce([record('t', 'k', 'new')]);
      if (seen.length === 2) abort.abort();
    }
    assert.deepEqual(seen, ['old', 'new']);
  });

  test('following from the latest record skips the existing records', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    await bus.produce([record('t', 'k', 'old')]);
    const records = bus.read({ topic: 't', from: 'latest', follow: true })[Symbol.asyncIterator]();
    const next = records.next();
    const seen = next.then(({ value }) => text(value));
    // Records produced before the driver has found the end are skipped too, so produce several.
    const later = (): Promise<null> => new Promise((resolve) => setTimeout(resolve, 50, null));
    let first: string | null = null;
    for (; first === null; first = await Promise.race([seen, later()])) await bus.produce([record('t', 'k', 'new')]);
    assert.equal(first, 'new');
    await records.return?.();
  });
}
