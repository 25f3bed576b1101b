import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ClusterView,
  type Fetched,
  type FetchOptions,
  type Node,
  type Wire,
  WireError,
} from '../src/client/wire.ts';
import { Cluster } from '../src/cluster/cluster.ts';
import { Fetcher } from '../src/consumer/fetcher.ts';
import { PartitionCursor } from '../src/consumer/partition-cursor.ts';
import { compileKafkaOptions, type KafkaBusOptions } from '../src/options.ts';
import { Stats } from '../src/stats.ts';

interface Request {
  readonly node: number;
  readonly partitions: readonly number[];
  readonly maxWaitMs: number;
  readonly answer: (fetched: readonly Partial<Fetched>[]) => void;
}

/** Brokers that answer a fetch only when the test does, or when the connection is closed. */
async function silentBrokers(t: TestContext, leaders: number[], options: Partial<KafkaBusOptions> = {}) {
  const requests: Request[] = [];
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
        resolve(fetched.map((result) => ({ partition: 0, ...nothing, ...result })));
      requests.push({ node: node.id, partitions: from.map(({ partition }) => partition), maxWaitMs, answer });
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
  const cursors = leaders.map((_, partition) => new PartitionCursor({ topic: 't', partition }, 't', 0, 0)) as [
    PartitionCursor,
    PartitionCursor,
  ];
  return { fetcher, cursors, requests, leaders };
}

const shown = (requests: readonly Request[]): string[] =>
  requests.map(({ node, partitions }) => `${node}: ${partitions}`);

describe('a fetch that waits for records', () => {
  test('is replaced when a partition is assigned, and its late answer is ignored', async (t) => {
    const { fetcher, cursors, requests } = await silentBrokers(t, [1, 1]);
    const record = { offset: 0, timestampMs: 0, key: Buffer.from('k'), value: Buffer.from('v'), header: null };
    const fetched = [{ records: [record], next: 1, end: 1 }];
    fetcher.set([cursors[0]]);
    requests[0]!.answer(fetched);
    fetcher.set(cursors);
    assert.deepEqual(shown(requests), ['1: 0', '1: 0,1']);
    await sleep(1);
    requests[1]!.answer(fetched);
    await sleep(1);
    assert.equal(cursors[0].length, 1);
    assert.deepEqual(shown(requests.slice(2)), ['1: 0,1']);
  });

  test('continues when a partition is revoked', async (t) => {
    const { fetcher, cursors, requests } = await silentBrokers(t, [1, 1]);
    fetcher.set(cursors);
    fetcher.set([cursors[1]]);
    assert.deepEqual(shown(requests), ['1: 0,1']);
  });

  test('is replaced when its broker becomes the leader of another partition', async (t) => {
    const { fetcher, cursors, requests, leaders } = await silentBrokers(t, [1, 2]);
    fetcher.set(cursors);
    leaders[0] = 2;
    requests[0]!.answer([{ error: 'NOT_LEADER_OR_FOLLOWER' }]);
    while (requests.length < 3) await sleep(5);
    assert.deepEqual(shown(requests), ['1: 0', '2: 1', '2: 0,1']);
  });

  test('waits for some seconds, at most half of the deadline of a request', async (t) => {
    for (const [requestDeadlineMs, maxWaitMs] of [
      [10_000, 5000],
      [500, 250],
    ] as const) {
      const { fetcher, cursors, requests } = await silentBrokers(t, [1], { requestDeadlineMs });
      fetcher.set(cursors);
      assert.equal(requests[0]?.maxWaitMs, maxWaitMs);
    }
  });
});
