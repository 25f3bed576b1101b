import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BusError, UnknownTopicError } from '../errors.ts';
import type { Bus, Consumer, StateEntry } from '../port.ts';
import type { DriverFactory, Make } from './driver.ts';
import { collect, record, take, topic } from './helpers.ts';

/**
 * Returns the entries that partition 0 of the store has when it is assigned. Produces a record, so that `poll` returns.
 */
async function restored(bus: Bus, consumer: Consumer): Promise<StateEntry[]> {
  const entries: StateEntry[] = [];
  consumer.onAssignment(async ({ assigned }) => {
    assert.deepEqual(assigned, [0]);
    entries.push(...(await collect(consumer.restore('ringfence.state.s', 0))));
  });
  await bus.produce([record('t', 'k', 'wake')]);
  await take(consumer, 1);
  return entries.sort((a, b) => (a.key < b.key ? -1 : 1));
}

export function state(make: Make, factory: DriverFactory): void {
  const change = (key: string, value: string | null, offset: number, index: number) => ({
    store: 'ringfence.state.s',
    partition: 0,
    key,
    value: value === null ? null : Buffer.from(value),
    position: { offset, index },
  });

  test('a store returns the latest value of each key with its position to its group', async () => {
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
    assert.deepEqual(
      (await restored(bus, second)).map(({ key, value, position }) => [key, Buffer.from(value).toString(), position]),
      [
        ['a', '2', { offset: 1, index: 5 }],
        ['c', '1', { offset: 0, index: 2 }],
      ],
    );
  });

  test('a commit to an undeclared store is refused, and nothing of it is written', async () => {
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

  test('a commit with an invalid output writes no output, no state and no offset', {
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
    assert.deepEqual(await collect(consumer.restore('ringfence.state.s', 0)), []);
    assert.equal((await consumer.lag()).get('t'), 1);
  });
}
