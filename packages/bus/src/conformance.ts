import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { BadRecordError, BusClosedError, BusError, BusFullError, TopicSpecError, UnknownTopicError } from './errors.ts';
import { partitionOf } from './murmur2.ts';
import type { Bus, InRecord, OutRecord, TopicSpec } from './port.ts';

/** One bus of the driver under test. */
export interface Driver {
  readonly bus: Bus;
  /** Closes the bus and opens it again on the same data. Absent: the driver keeps none. */
  readonly reopen?: () => Promise<Bus>;
  /** Closes and removes everything. */
  readonly dispose: () => Promise<void>;
}

export interface DriverFactory {
  /** A new, empty bus. `maxBytes` bounds it, where `bounded`. */
  readonly make: (options: { readonly maxBytes?: number }) => Promise<Driver>;
  /** the driver has a disk bound of its own and refuses beyond it */
  readonly bounded: boolean;
  /** Makes the driver compact now; absent: it does so in its own time, and only the latest records are checked. */
  readonly compact?: (bus: Bus) => Promise<void>;
  /** State changes and offsets are one transaction; a broker driver writes one after the other. */
  readonly atomic: boolean;
}

const LARGEST = 2 ** 20 - 1024;
const NOTHING = { outputs: [], state: [] } as const;

/** Registers the tests that every driver of the port must pass. */
export function conformance(name: string, factory: DriverFactory): void {
  describe(`${name} keeps the contract of the bus`, () => {
    const drivers: Driver[] = [];
    after(async () => {
      for (const driver of drivers) await driver.dispose();
    });
    const make = async (options: { readonly maxBytes?: number } = {}): Promise<Driver> => {
      const driver = await factory.make(options);
      drivers.push(driver);
      return driver;
    };
    order(make);
    groups(make);
    state(make, factory);
    topics(make, factory);
    reading(make);
    limits(make, factory);
    closing(make);
  });
}

type Make = (options?: { readonly maxBytes?: number }) => Promise<Driver>;

function order(make: Make): void {
  test('records of one key come in the order they were produced, in the partition murmur2 names', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t', { partitions: 4 })]);
    const keys = Array.from({ length: 20 }, (_, i) => `host-${i}`);
    for (let round = 0; round < 5; round++) await bus.produce(keys.map((key) => record('t', key, `${round}`)));
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    const records = await take(consumer, 100);
    for (const key of keys) {
      const mine = records.filter((one) => one.key === key);
      assert.deepEqual(mine.map(text), ['0', '1', '2', '3', '4']);
      assert.deepEqual([...new Set(mine.map((one) => one.partition))], [partitionOf(key, 4)]);
    }
    assertAscending(records);
  });

  test('one poll gives no more records and bytes than asked for, but always one', async () => {
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

  test('a value is given back byte for byte, an empty one and the largest one too', async () => {
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

  test('what the producer does to its buffer afterwards changes nothing', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    const value = Buffer.from('before');
    await bus.produce([{ topic: 't', key: 'k', value }]);
    value.fill(0);
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    assert.deepEqual((await take(consumer, 1)).map(text), ['before']);
  });
}

function groups(make: Make): void {
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

  test('what was polled and not committed comes again to the next consumer of the group, what was committed does not', async () => {
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

  test('a poll goes on where the last one ended, committed or not', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    await bus.produce([1, 2, 3, 4].map((i) => record('t', 'k', `${i}`)));
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'], maxRecords: 1 });
    assert.deepEqual((await take(consumer, 4)).map(text), ['1', '2', '3', '4']);
  });

  test('a waiting poll is woken by a produce, and by the outputs of a commit', async () => {
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

  test('an aborted signal ends a waiting poll with nothing', async () => {
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

  test('lag counts what is not committed, by topic', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('a', { partitions: 3 }), topic('b')]);
    await bus.produce(Array.from({ length: 7 }, (_, i) => record('a', `k${i}`, 'x')));
    await using consumer = await bus.consumer({ group: 'g', topics: ['a', 'b'] });
    assert.deepEqual(Object.fromEntries(await consumer.lag()), { a: 7, b: 0 });
    await consumer.commit(await take(consumer, 7), NOTHING);
    assert.deepEqual(Object.fromEntries(await consumer.lag()), { a: 0, b: 0 });
  });
}

function state(make: Make, factory: DriverFactory): void {
  const change = (key: string, value: string | null, offset: number, index: number) => ({
    store: 'ringfence.state.s',
    partition: 0,
    key,
    value: value === null ? null : Buffer.from(value),
    position: { offset, index },
  });

  test('a store gives back the latest value of each key with its position, to the group that owns it', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    await bus.produce([record('t', 'k', '1'), record('t', 'k', '2')]);
    const options = { group: 'g', topics: ['t'], stores: ['ringfence.state.s'], maxRecords: 1 };
    const first = await bus.consumer(options);
    await first.commit(await take(first, 1), {
      outputs: [],
      state: [change('a', '1', 0, 0), change('b', '1', 0, 1), change('c', '1', 0, 2)],
    });
    await first.commit(await take(first, 1), { outputs: [], state: [change('a', '2', 1, 5), change('b', null, 1, 6)] });
    await first.close();
    await using second = await bus.consumer(options);
    const entries = await collect(second.restore('ringfence.state.s'));
    assert.deepEqual(
      entries
        .map(({ key, value, position, partition }) => [key, Buffer.from(value).toString(), position, partition])
        .sort(),
      [
        ['a', '2', { offset: 1, index: 5 }, 0],
        ['c', '1', { offset: 0, index: 2 }, 0],
      ],
    );
  });

  test('a store that was not declared is refused, and nothing of that commit is written', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t'), topic('out')]);
    await bus.produce([record('t', 'k', '1')]);
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    const records = await take(consumer, 1);
    await assert.rejects(
      consumer.commit(records, { outputs: [record('out', 'k', 'x')], state: [change('a', '1', 0, 0)] }),
      BusError,
    );
    assert.equal((await consumer.lag()).get('t'), 1);
    assert.deepEqual(await collect(bus.read({ topic: 'out' })), []);
  });

  test('a commit with one bad output writes no output, no state and no offset', {
    skip: !factory.atomic && 'this driver has no transactions',
  }, async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t'), topic('out')]);
    await bus.produce([record('t', 'k', '1')]);
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'], stores: ['ringfence.state.s'] });
    const outputs = [record('out', 'k', 'good'), record('missing', 'k', 'bad')];
    await assert.rejects(
      consumer.commit(await take(consumer, 1), { outputs, state: [change('a', '1', 0, 0)] }),
      UnknownTopicError,
    );
    assert.deepEqual(await collect(bus.read({ topic: 'out' })), []);
    assert.deepEqual(await collect(consumer.restore('ringfence.state.s')), []);
    assert.equal((await consumer.lag()).get('t'), 1);
  });
}

function topics(make: Make, factory: DriverFactory): void {
  test('a compacted topic keeps the latest record of each key, and a tombstone hides what was before', async () => {
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
    const latest = new Map(records.map((one) => [one.key, one.value === null ? null : text(one)]));
    assert.deepEqual([...latest].sort(), [
      ['a', '3'],
      ['b', null],
      ['z', 'end'],
    ]);
    if (factory.compact !== undefined) assert.equal(records.length, 3);
    assertAscending(records);
  });

  test('ensuring a topic again is fine; another number of partitions is not', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t', { partitions: 2 })]);
    await bus.ensureTopics([topic('t', { partitions: 2 })]);
    await assert.rejects(bus.ensureTopics([topic('t', { partitions: 3 })]), TopicSpecError);
  });

  test('a topic that does not exist is refused by name', async () => {
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

function reading(make: Make): void {
  test('reading needs no group, moves no group, and ends at the end', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t', { partitions: 3 })]);
    await bus.produce(Array.from({ length: 150 }, (_, i) => record('t', `k${i}`, `${i}`)));
    const records = await collect(bus.read({ topic: 't' }));
    assert.equal(new Set(records.map(text)).size, 150);
    assertAscending(records);
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    assert.equal((await consumer.lag()).get('t'), 150);
  });

  test('reading can begin at a time', async () => {
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

  test('following sees what comes later, and ends when its signal aborts', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    await bus.produce([record('t', 'k', 'old')]);
    const abort = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const one of bus.read({ topic: 't', follow: true, signal: abort.signal })) {
        seen.push(text(one));
        if (seen.length === 1) await bus.produce([record('t', 'k', 'new')]);
        if (seen.length === 2) abort.abort();
      }
    })();
    await following;
    assert.deepEqual(seen, ['old', 'new']);
  });

  test('following from the latest sees nothing of what was there', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    await bus.produce([record('t', 'k', 'old')]);
    const records = bus.read({ topic: 't', from: 'latest', follow: true })[Symbol.asyncIterator]();
    const next = records.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await bus.produce([record('t', 'k', 'new')]);
    assert.equal(text((await next).value), 'new');
    await records.return?.();
  });
}

function limits(make: Make, factory: DriverFactory): void {
  test('a record that is too large is refused, and nothing of its call is written', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    const large = { topic: 't', key: 'k', value: Buffer.alloc(2 ** 20 + 1) };
    await assert.rejects(bus.produce([record('t', 'k', 'small'), large]), BadRecordError);
    assert.deepEqual(await collect(bus.read({ topic: 't' })), []);
  });

  test('a full bus refuses to produce, writes nothing of it, says so, and takes records again once they are consumed', {
    skip: !factory.bounded && 'this driver has no bound of its own',
  }, async () => {
    const { bus } = await make({ maxBytes: 8 * 2 ** 20 });
    await bus.ensureTopics([topic('t', { retentionBytes: 2 ** 30 })]);
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    const produced = await fill(bus, 't');
    const { usedBytes, maxBytes, full } = bus.pressure();
    assert.ok(full, 'pressure says full');
    assert.ok(usedBytes <= maxBytes, `${usedBytes} <= ${maxBytes}`);
    assert.equal((await collect(bus.read({ topic: 't' }))).length, produced);
    await consumer.commit(await take(consumer, produced), NOTHING);
    await bus.produce([{ topic: 't', key: 'k', value: Buffer.alloc(60_000) }]);
    assert.equal((await take(consumer, 1)).length, 1);
  });

  test('a full bus can be worked off: a commit that gives back more than it takes goes through', {
    skip: !factory.bounded && 'this driver has no bound of its own',
  }, async () => {
    const { bus } = await make({ maxBytes: 8 * 2 ** 20 });
    await bus.ensureTopics([topic('in', { retentionBytes: 2 ** 30 }), topic('out')]);
    await using consumer = await bus.consumer({ group: 'g', topics: ['in'], maxRecords: 8 });
    const produced = await fill(bus, 'in');
    for (let done = 0; done < produced; ) {
      const records = await consumer.poll();
      await consumer.commit(records, { outputs: [{ topic: 'out', key: 'k', value: Buffer.alloc(1000) }], state: [] });
      done += records.length;
    }
    assert.equal((await consumer.lag()).get('in'), 0);
  });
}

function closing(make: Make): void {
  test('closing a consumer ends its poll with nothing; then it refuses to commit', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    const consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    const poll = consumer.poll();
    await new Promise((resolve) => setImmediate(resolve));
    await consumer.close();
    assert.deepEqual(await poll, []);
    await assert.rejects(consumer.commit([], NOTHING), BusClosedError);
  });

  test('closing the bus drains what is being written, ends polls and readers, and refuses what comes after', async () => {
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

function topic(name: string, overrides: Partial<TopicSpec> = {}): TopicSpec {
  return { name, partitions: 1, compacted: false, retentionMs: Infinity, retentionBytes: Infinity, ...overrides };
}

function record(name: string, key: string, value: string): OutRecord {
  return { topic: name, key, value: Buffer.from(value) };
}

function text({ value }: InRecord): string {
  assert.ok(value !== null, 'the record has a value');
  return Buffer.from(value).toString();
}

/** Polls until `count` records came. */
async function take(consumer: { poll(): Promise<readonly InRecord[]> }, count: number): Promise<InRecord[]> {
  const records: InRecord[] = [];
  while (records.length < count) records.push(...(await consumer.poll()));
  return records;
}

/** Produces until the bus refuses; returns how many it took. */
async function fill(bus: Bus, name: string): Promise<number> {
  for (let produced = 0; ; produced++) {
    try {
      await bus.produce([{ topic: name, key: 'k', value: Buffer.alloc(60_000, produced) }]);
    } catch (error) {
      assert.ok(error instanceof BusFullError, String(error));
      return produced;
    }
  }
}

function assertAscending(records: readonly InRecord[]): void {
  const last = new Map<number, number>();
  for (const { partition, offset } of records) {
    assert.ok(offset > (last.get(partition) ?? -1), `offset ${offset} of partition ${partition} ascends`);
    last.set(partition, offset);
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
