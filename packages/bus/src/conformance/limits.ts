import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadRecordError } from '../errors.ts';
import type { DriverFactory, Make } from './driver.ts';
import { collect, fill, NOTHING, record, take, topic } from './helpers.ts';

export function limits(make: Make, factory: DriverFactory): void {
  test('a state entry that is too large is refused, and nothing of its commit is written', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    await bus.produce([record('t', 'k', '1')]);
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'], stores: ['ringfence.state.s'] });
    const records = await take(consumer, 1);
    const entry = { store: 'ringfence.state.s', partition: 0, position: { offset: 0, index: 0 } };
    for (const large of [
      { key: 'k', value: Buffer.alloc(2 ** 20 + 1) },
      { key: 'k'.repeat(2000), value: Buffer.from('1') },
    ]) {
      await assert.rejects(consumer.commit(records, { outputs: [], state: [{ ...entry, ...large }] }), BadRecordError);
    }
    assert.equal((await consumer.lag()).get('t'), 1);
  });

  test('a record that is too large is refused, and nothing of its call is written', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    const large = { topic: 't', key: 'k', value: Buffer.alloc(2 ** 20 + 1) };
    await assert.rejects(bus.produce([record('t', 'k', 'small'), large]), BadRecordError);
    assert.deepEqual(await collect(bus.read({ topic: 't' })), []);
  });

  test('a call larger than any batch is written completely, in order', async () => {
    const { bus } = await make();
    await bus.ensureTopics([topic('t')]);
    const values = Array.from({ length: 40 }, (_, i) => Buffer.alloc(i % 4 === 0 ? 900_000 : 1000, i));
    await bus.produce(values.map((value) => ({ topic: 't', key: 'k', value })));
    const read = await collect(bus.read({ topic: 't' }));
    assert.deepEqual(
      read.map(({ value }) => [value?.length, value?.[0]]),
      values.map((value) => [value.length, value[0]]),
    );
  });

  test('a full bus refuses records, reports that it is full, and accepts records again after some were consumed', {
    skip: !factory.bounded && 'this driver has no disk bound',
  }, async () => {
    const { bus } = await make({ maxBytes: 8 * 2 ** 20 });
    await bus.ensureTopics([topic('t', { retentionBytes: 2 ** 30 })]);
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'] });
    const produced = await fill(bus, 't');
    const { usedBytes, maxBytes, full } = bus.pressure();
    assert.ok(full, 'pressure reports a full bus');
    assert.ok(usedBytes <= maxBytes, `${usedBytes} <= ${maxBytes}`);
    assert.equal((await collect(bus.read({ topic: 't' }))).length, produced);
    await consumer.commit(await take(consumer, produced), NOTHING);
    await bus.produce([{ topic: 't', key: 'k', value: Buffer.alloc(60_000) }]);
    assert.equal((await take(consumer, 1)).length, 1);
  });

  test('a full bus can be drained: a commit that frees more than it writes is accepted', {
    skip: !factory.bounded && 'this driver has no disk bound',
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
