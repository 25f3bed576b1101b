import assert from 'node:assert/strict';
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import type { StateChange } from '@ringfence/bus';
import { Changelog } from '../src/changelog/changelog.ts';
import { stateKey } from '../src/changelog/keys.ts';
import { PlatformaticWire } from '../src/client/platformatic.ts';
import { partitionName } from '../src/client/records.ts';
import { Cluster } from '../src/cluster/cluster.ts';
import { endsOf, scan } from '../src/cluster/partition-scan.ts';
import { stateTopic } from '../src/cluster/topic-settings.ts';
import { ensureTopics } from '../src/cluster/topics.ts';
import { compileKafkaOptions } from '../src/options.ts';
import { Producer } from '../src/producer.ts';
import { Stats } from '../src/stats.ts';
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

/** Returns a factory of members, each with its own changelog object for one group. */
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
  /** Returns the last record of each key in the store, which is what compaction would keep. */
  const compacted = async (): Promise<Record<string, string | null>> => {
    const last: Record<string, string | null> = {};
    const at = { topic, partition: 0 };
    const { first: from, next: to } = (await endsOf(cluster, wire, [at])).get(partitionName(at))!;
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
  test('restores the state and the position of the last commit', async (t) => {
    const { member } = await membersOf(t);
    const first = member();
    assert.deepEqual(await opened(first), {});
    assert.equal(await first.write(0, [change('a', '1', 4), change('b', '1', 4)], new Map([['in', 5]])), 'clean');
    assert.equal(await first.write(0, [change('a', '2', 7), change('b', null, 7)], new Map([['in', 8]])), 'clean');
    assert.deepEqual(await opened(member()), { a: '2', in: 8 });
  });

  test('ignores the writes of a former owner, and reports them to both members', async (t) => {
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
    assert.deepEqual(await owner.partitionsWithForeignWrites(), [0]);
    assert.equal(await owner.write(0, [change('c', '1', 2)], new Map([['in', 3]])), 'foreign');
    assert.deepEqual(await opened(member()), { a: '2', b: '1', c: '1', in: 3 });
    assert.equal(stats.snapshot().foreignStateWrites, 3);
  });

  test('the next owner replaces a late write of a former owner before compaction can keep it', async (t) => {
    const { member, compacted } = await membersOf(t);
    const [sleeper, owner, next] = [member(), member(), member()];
    await sleeper.open(0);
    await owner.open(0);
    await owner.write(0, [change('a', 'right', 1), change('gone', null, 1)], new Map([['in', 2]]));
    await sleeper.write(0, [change('a', 'late', 1), change('gone', 'late', 1)], new Map([['in', 9]]));
    await next.open(0);
    assert.deepEqual(await compacted(), { a: 'right', gone: null });
    assert.deepEqual(await next.partitionsWithForeignWrites(), []);
  });

  test('a writer without the key can plant nothing, delete nothing, and take over nothing', async (t) => {
    const { member, compacted } = await membersOf(t);
    const owner = member();
    await owner.open(0);
    await owner.write(0, [change('a', 'right', 1), change('b', 'right', 1)], new Map([['in', 2]]));
    for (const key of [null, createSecretKey(randomBytes(32))]) {
      const intruder = member(key);
      assert.deepEqual(await opened(intruder), {}, 'the intruder ignores the state sealed with the other key');
      await intruder.write(0, [change('a', 'planted', 1), change('b', null, 1)], new Map([['in', 9]]));
    }
    assert.equal(await owner.write(0, [change('c', 'right', 2)], new Map([['in', 3]])), 'foreign');
    assert.deepEqual(await opened(member()), { a: 'right', b: 'right', c: 'right', in: 3 });
    assert.deepEqual(await compacted(), { a: 'right', b: 'right', c: 'right' });
  });

  test('of several members that open it at the same time, exactly one owns it', async (t) => {
    const { member } = await membersOf(t);
    const changelogs = Array.from({ length: 4 }, () => member());
    await Promise.all(changelogs.map((changelog) => changelog.open(0)));
    const outcomes = [];
    for (const changelog of changelogs)
      outcomes.push(await changelog.write(0, [change('a', 'x', 0)], new Map([['in', 1]])));
    assert.equal(outcomes.filter((outcome) => outcome !== 'overtaken').length, 1, `${outcomes}`);
  });
});
