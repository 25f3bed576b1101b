import assert from 'node:assert/strict';
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import type { StateChange } from '@ringfence/bus';
import { Changelog } from '../../src/kafka/changelog.ts';
import { stateKey } from '../../src/kafka/changelog-record.ts';
import { Cluster } from '../../src/kafka/cluster.ts';
import { compileKafkaOptions } from '../../src/kafka/options.ts';
import { endsOf, nameOf, scan } from '../../src/kafka/partition-scan.ts';
import { PlatformaticWire } from '../../src/kafka/platformatic.ts';
import { Producer } from '../../src/kafka/producer.ts';
import { Stats } from '../../src/kafka/stats.ts';
import { stateTopic } from '../../src/kafka/topic-settings.ts';
import { ensureTopics } from '../../src/kafka/topics.ts';
import { fleetOptions, missing } from './fleet.ts';

const STORE = 'ringfence.state.s';
const KEY = createSecretKey(randomBytes(32));

const change = (key: string, value: string | null, offset: number): StateChange => ({
  store: STORE,
  partition: 0,
  key,
  value: value === null ? null : Buffer.from(value),
  position: { offset, index: 0 },
});

/** As many members as are asked for, each with the changelog of one group. */
async function membersOf(t: TestContext) {
  const options = compileKafkaOptions(await fleetOptions());
  const [wire, produceWire] = [new PlatformaticWire(options), new PlatformaticWire(options)];
  const cluster = new Cluster(options, wire);
  const stats = new Stats();
  const producer = new Producer(cluster, produceWire, stats);
  t.after(async () => {
    await producer.close();
    await Promise.all([wire.close(), produceWire.close()]);
  });
  await ensureTopics(cluster, wire, [stateTopic('g', 1)]);
  const topic = cluster.physical('ringfence.state.g');
  /** The last record of each key of the store: what compaction would leave. */
  const compacted = async (): Promise<Record<string, string | null>> => {
    const last: Record<string, string | null> = {};
    const at = { topic, partition: 0 };
    const { first: from, next: to } = (await endsOf(cluster, wire, [at])).get(nameOf(at))!;
    await scan(cluster, wire, { ...at, from, to }, ({ key, value }) => {
      const [store, name] = key.toString().split('\0');
      if (store === STORE) last[name!] = value === null ? null : String(value);
    });
    return last;
  };
  return {
    member: (key: KeyObject | null = KEY) => new Changelog(topic, key, { cluster, wire, producer, stats }),
    stats,
    compacted,
  };
}

async function opened(changelog: Changelog): Promise<Record<string, string | number>> {
  const { entries, positions } = await changelog.open(0);
  const values = [...entries].map(([key, { value }]) => [key.slice(stateKey(STORE, '').length), String(value)]);
  return { ...Object.fromEntries(values), ...Object.fromEntries(positions) };
}

describe('a changelog', { skip: missing }, () => {
  test('gives back the state with the position it belongs to', async (t) => {
    const { member } = await membersOf(t);
    const first = member();
    assert.deepEqual(await opened(first), {});
    assert.equal(await first.write(0, [change('a', '1', 4), change('b', '1', 4)], new Map([['in', 5]])), 'clean');
    assert.equal(await first.write(0, [change('a', '2', 7), change('b', null, 7)], new Map([['in', 8]])), 'clean');
    assert.deepEqual(await opened(member()), { a: '2', in: 8 });
  });

  test('what a former owner writes after another has opened it does not count, and the two hear of it', async (t) => {
    const { member, stats } = await membersOf(t);
    const [sleeper, owner] = [member(), member()];
    await sleeper.open(0);
    await sleeper.write(0, [change('a', '1', 0), change('b', '1', 0)], new Map([['in', 1]]));
    await owner.open(0);
    await owner.write(0, [change('a', '2', 1)], new Map([['in', 2]]));
    assert.equal(
      await sleeper.write(0, [change('a', 'late', 1), change('b', null, 1)], new Map([['in', 9]])),
      'overtaken',
    );
    assert.deepEqual(await owner.disturbed(), [0]);
    assert.equal(await owner.write(0, [change('c', '1', 2)], new Map([['in', 3]])), 'foreign');
    assert.deepEqual(await opened(member()), { a: '2', b: '1', c: '1', in: 3 });
    assert.equal(stats.snapshot().foreignStateWrites, 3);
  });

  test('what a late write has hidden from compaction is written again by whoever opens it next', async (t) => {
    const { member, compacted } = await membersOf(t);
    const [sleeper, owner, next] = [member(), member(), member()];
    await sleeper.open(0);
    await owner.open(0);
    await owner.write(0, [change('a', 'right', 1), change('gone', null, 1)], new Map([['in', 2]]));
    await sleeper.write(0, [change('a', 'late', 1), change('gone', 'late', 1)], new Map([['in', 9]]));
    await next.open(0);
    assert.deepEqual(await compacted(), { a: 'right', gone: null });
    assert.deepEqual(await next.disturbed(), []);
  });

  test('who may write to the topic and has not the key plants nothing, deletes nothing and takes nothing over', async (t) => {
    const { member, compacted } = await membersOf(t);
    const owner = member();
    await owner.open(0);
    await owner.write(0, [change('a', 'right', 1), change('b', 'right', 1)], new Map([['in', 2]]));
    for (const key of [null, createSecretKey(randomBytes(32))]) {
      const intruder = member(key);
      assert.deepEqual(await opened(intruder), {}, 'nor does it believe what it did not seal');
      await intruder.write(0, [change('a', 'planted', 1), change('b', null, 1)], new Map([['in', 9]]));
    }
    assert.equal(await owner.write(0, [change('c', 'right', 2)], new Map([['in', 3]])), 'foreign');
    assert.deepEqual(await opened(member()), { a: 'right', b: 'right', c: 'right', in: 3 });
    assert.deepEqual(await compacted(), { a: 'right', b: 'right', c: 'right' });
  });

  test('two that open it at the same time agree whose it is', async (t) => {
    const { member } = await membersOf(t);
    const members = Array.from({ length: 4 }, member);
    await Promise.all(members.map((one) => one.open(0)));
    const written = [];
    for (const one of members) written.push(await one.write(0, [change('a', 'x', 0)], new Map([['in', 1]])));
    assert.equal(written.filter((found) => found !== 'overtaken').length, 1, `${written}`);
  });
});
