import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StateChange } from '@ringfence/bus';
import { createRecord, createTopic, openWithClock, take } from '@ringfence/testkit/bus';
import fc from 'fast-check';
import { StateTable, type StateTableOptions } from '../src/state-table.ts';

const STORE = 'ringfence.state.s';

function createTable(overrides: Partial<StateTableOptions<string>> = {}): StateTable<string> {
  return new StateTable({
    store: STORE,
    encode: (value) => Buffer.from(value),
    decode: (bytes) => Buffer.from(bytes).toString(),
    maxEntries: 100,
    ...overrides,
  });
}

const at = (offset: number, index = 0, partition = 0) => ({ partition, offset, index });

function summary(changes: readonly StateChange[]): unknown[] {
  return changes.map(({ key, value, partition, position }) => [
    key,
    value && Buffer.from(value).toString(),
    partition,
    position.offset,
  ]);
}

describe('a state table', () => {
  test('drains the last change of each key, and then nothing', () => {
    const table = createTable();
    table.set('a', '1', at(0));
    table.set('a', '2', at(1));
    table.set('b', '1', at(1, 1));
    assert.deepEqual(summary(table.drain()), [
      ['a', '2', 0, 1],
      ['b', '1', 0, 1],
    ]);
    assert.deepEqual(table.drain(), []);
  });

  test('drains a deleted entry as a deletion, and ignores an entry that was set and deleted between two drains', () => {
    const table = createTable();
    table.set('a', '1', at(0));
    table.drain();
    table.delete('a', at(1));
    table.set('b', '1', at(1));
    table.delete('b', at(2));
    table.delete('never', at(2));
    assert.deepEqual(summary(table.drain()), [['a', null, 0, 1]]);
    assert.equal(table.get('a'), undefined);
  });

  test('knows which input an entry includes', () => {
    const table = createTable();
    table.set('a', '1', at(5, 3));
    for (const earlier of [at(5, 3), at(5, 0), at(4, 9)]) assert.ok(table.isApplied('a', earlier));
    for (const later of [at(5, 4), at(6, 0), at(5, 3, 1)]) assert.ok(!table.isApplied('a', later));
    assert.ok(!table.isApplied('b', at(0)));
  });

  test('an entry that moves to another partition is deleted from its old one', () => {
    const table = createTable();
    table.set('a', '1', at(9, 0, 0));
    table.drain();
    table.set('a', '2', at(3, 0, 1));
    assert.deepEqual(summary(table.drain()), [
      ['a', null, 0, 3],
      ['a', '2', 1, 3],
    ]);
  });

  test('beyond the limit, the entry that was set longest ago is evicted, counted, and deleted from the store', () => {
    const evicted: string[] = [];
    const table = createTable({ maxEntries: 2, onEvict: (key, value) => evicted.push(`${key}=${value}`) });
    table.set('a', '1', at(0));
    table.set('b', '1', at(1));
    table.drain();
    table.set('a', '2', at(2));
    table.set('c', '1', at(3));
    assert.deepEqual(evicted, ['b=1']);
    assert.equal(table.evicted, 1);
    assert.deepEqual(summary(table.drain()), [
      ['a', '2', 0, 2],
      ['c', '1', 0, 3],
      ['b', null, 0, 3],
    ]);
  });

  test('is restored from the store, in the same order', async (t) => {
    const { bus } = await openWithClock(t);
    await bus.ensureTopics([createTopic('t')]);
    await bus.produce([createRecord('t')]);
    await using consumer = await bus.consumer({ group: 'g', topics: ['t'], stores: [STORE] });
    const table = createTable();
    table.set('z', '1', at(0, 0));
    table.set('a', '2', at(0, 1));
    await consumer.commit(await take(consumer, 1), { outputs: [], state: table.drain() });
    const restored = createTable();
    await restored.restore(consumer.restore(STORE, 0), 0);
    assert.deepEqual(
      [...restored.entries()],
      [
        ['z', '1'],
        ['a', '2'],
      ],
    );
    assert.ok(restored.isApplied('a', at(0, 1)));
    assert.deepEqual(restored.drain(), []);
    const smaller = createTable({ maxEntries: 1 });
    await smaller.restore(consumer.restore(STORE, 0), 0);
    assert.deepEqual([...smaller.keys()], ['a']);
    assert.deepEqual(summary(smaller.drain()), [['z', null, 0, 0]]);
  });

  test('a rollback reverts any changes since the last drain', () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), value: fc.option(fc.string()) });
    fc.assert(
      fc.property(fc.array(step), fc.array(step), (kept, undone) => {
        const table = createTable({ maxEntries: 3 });
        let offset = 0;
        const apply = ({ key, value }: { key: string; value: string | null }): void => {
          if (value === null) table.delete(key, at(offset++));
          else table.set(key, value, at(offset++));
        };
        for (const change of kept) apply(change);
        table.drain();
        const before = [...table.entries()].sort();
        for (const change of undone) apply(change);
        table.rollback();
        assert.deepEqual([...table.entries()].sort(), before);
        assert.deepEqual(table.drain(), []);
      }),
    );
  });
});
