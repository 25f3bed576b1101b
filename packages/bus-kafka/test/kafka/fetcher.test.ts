import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '../../src/kafka/cluster.ts';
import { Feed } from '../../src/kafka/feed.ts';
import { Fetcher } from '../../src/kafka/fetcher.ts';
import { compileKafkaOptions, type KafkaBusOptions } from '../../src/kafka/options.ts';
import { Stats } from '../../src/kafka/stats.ts';
import {
  type ClusterView,
  type Fetched,
  type FetchOptions,
  type Node,
  type Wire,
  WireError,
} from '../../src/kafka/wire.ts';

interface Asked {
  readonly node: number;
  readonly partitions: readonly number[];
  readonly maxWaitMs: number;
  readonly answer: (fetched: readonly Partial<Fetched>[]) => void;
}

/** Brokers that wait for ever, unless the test answers for them or the connection is closed. */
async function patientBrokers(t: TestContext, leaders: number[], options: Partial<KafkaBusOptions> = {}) {
  const asked: Asked[] = [];
  const openWire = (): Wire => {
    const closed = Promise.withResolvers<never>();
    closed.promise.catch(() => {});
    const fetch = (node: Node, { from, maxWaitMs }: FetchOptions): Promise<readonly Fetched[]> => {
      const { promise, resolve } = Promise.withResolvers<readonly Fetched[]>();
      const nothing = {
        topic: 't',
        records: [],
        unreadable: [],
        packedBytes: 0,
        unpackedBytes: 0,
        end: 0,
        next: 0,
        error: null,
      };
      const answer = (fetched: readonly Partial<Fetched>[]): void =>
        resolve(fetched.map((one) => ({ partition: 0, ...nothing, ...one })));
      asked.push({ node: node.id, partitions: from.map(({ partition }) => partition), maxWaitMs, answer });
      return Promise.race([promise, closed.promise]);
    };
    const close = async (): Promise<void> => closed.reject(new WireError('NETWORK', 'the wire is closed'));
    const nodes = [1, 2].map((id): [number, Node] => [id, { id, host: 'b', port: id }]);
    const metadata = async (): Promise<ClusterView> => ({
      nodes: new Map(nodes),
      controller: 1,
      topics: new Map([['t', { error: null, leaders: [...leaders] }]]),
    });
    return { fetch, metadata, close } as Partial<Wire> as Wire;
  };
  const cluster = new Cluster(compileKafkaOptions({ brokers: ['b:1'], ...options }), openWire());
  await cluster.partitions('t');
  const fetcher = new Fetcher({ cluster, openWire, stats: new Stats(), bufferBytes: 2 ** 20, onRecords: () => {} });
  t.after(() => fetcher.close());
  const feeds = leaders.map((_, partition) => new Feed({ topic: 't', partition }, 't', 0, 0)) as [Feed, Feed];
  return { fetcher, feeds, asked, leaders };
}

const shown = (asked: readonly Asked[]): string[] => asked.map(({ node, partitions }) => `${node}: ${partitions}`);

describe('brokers that wait for records', () => {
  test('are asked at once for a partition that comes to us meanwhile, and what they say late is not taken twice', async (t) => {
    const { fetcher, feeds, asked } = await patientBrokers(t, [1, 1]);
    const record = { offset: 0, timestampMs: 0, key: Buffer.from('k'), value: Buffer.from('v'), header: null };
    const said = [{ records: [record], next: 1, end: 1 }];
    fetcher.set([feeds[0]]);
    asked[0]!.answer(said);
    fetcher.set(feeds);
    assert.deepEqual(shown(asked), ['1: 0', '1: 0,1']);
    await sleep(1);
    asked[1]!.answer(said);
    await sleep(1);
    assert.equal(feeds[0].length, 1);
    assert.deepEqual(shown(asked.slice(2)), ['1: 0,1']);
  });

  test('are not asked anew when a partition leaves us', async (t) => {
    const { fetcher, feeds, asked } = await patientBrokers(t, [1, 1]);
    fetcher.set(feeds);
    fetcher.set([feeds[1]]);
    assert.deepEqual(shown(asked), ['1: 0,1']);
  });

  test('are asked at once for a partition that comes to them from another broker', async (t) => {
    const { fetcher, feeds, asked, leaders } = await patientBrokers(t, [1, 2]);
    fetcher.set(feeds);
    leaders[0] = 2;
    asked[0]!.answer([{ error: 'NOT_LEADER_OR_FOLLOWER' }]);
    while (asked.length < 3) await sleep(5);
    assert.deepEqual(shown(asked), ['1: 0', '2: 1', '2: 0,1']);
  });

  test('wait for some seconds, well within what a request may take', async (t) => {
    for (const [requestDeadlineMs, maxWaitMs] of [
      [10_000, 5000],
      [500, 250],
    ] as const) {
      const { fetcher, feeds, asked } = await patientBrokers(t, [1], { requestDeadlineMs });
      fetcher.set(feeds);
      assert.equal(asked[0]?.maxWaitMs, maxWaitMs);
    }
  });
});
