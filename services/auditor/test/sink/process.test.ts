/** The auditor as a process with a bus and a real cluster, each killed in operation. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { silentLog } from '@ringfence/base';
import { type EmbeddedBus, type OutRecord, openEmbeddedBus } from '@ringfence/bus';
import { elasticsearchMissing, startElasticsearch } from '@ringfence/testkit/servers';
import { createSigningKey, TOPIC, topicsWith } from '@ringfence/wire';
import { type Auditor, type AuditorDeps, readHeads, startAuditor } from '../../src/index.ts';
import { tempDir } from '../support.ts';
import { testTrail } from '../trail.ts';
import { type ClusterStore, openClusterStore, until } from './cluster.ts';

const missing = elasticsearchMissing();

let server: Awaited<ReturnType<typeof startElasticsearch>>;
if (missing === undefined) {
  before(async () => {
    server = await startElasticsearch();
  });
  after(() => server[Symbol.asyncDispose]());
}

/** Number of kills, alternately during and before a write. Each costs a restart of 7 s CPU. */
const CLUSTER_KILLS = Number(process.env['RINGFENCE_CHAOS_KILLS'] ?? '2');
const BATCHES = 300;
const ALERTS = 80;
const COUNTS = { alert: ALERTS, incident: ALERTS, command: ALERTS, result: ALERTS, gap: BATCHES, events: BATCHES };

async function openBus(dir: string): Promise<EmbeddedBus> {
  const bus = await openEmbeddedBus({ path: join(dir, 'bus.db') });
  await bus.ensureTopics(topicsWith(3));
  return bus;
}

/** Records with the keys of several hosts, so that every partition gets some. */
function createRecords(): OutRecord[] {
  return testTrail(BATCHES, ALERTS).map((record, i) => ({ ...record, key: `host-${i % 40}` }));
}

async function createFilledBus(dir: string): Promise<EmbeddedBus> {
  const bus = await openBus(dir);
  await bus.produce(createRecords());
  return bus;
}

function startOn(bus: EmbeddedBus, store: ClusterStore, deps: Partial<AuditorDeps> = {}): Promise<Auditor> {
  const { flavour: _, eventRetentionMs: __, ...elasticsearch } = store.options;
  const options = { path: '/unused', sink: 'elasticsearch', elasticsearch, headRecords: 50 } as const;
  return startAuditor({ options, bus, log: silentLog, ...deps });
}

async function waitUntilCaughtUp(bus: EmbeddedBus, auditor: Auditor): Promise<void> {
  const isBehind = async () => [...(await bus.lag('auditor')).values()].some((records) => records > 0);
  while (await isBehind()) await Promise.race([auditor.done, sleep(10)]);
}

async function assertComplete(
  store: ClusterStore,
  bus: EmbeddedBus,
  keys?: Parameters<typeof readHeads>[1],
): Promise<void> {
  assert.deepEqual(await store.counts(), COUNTS);
  assert.equal(await store.executions(), BATCHES);
  const published = await readHeads(bus.read({ topic: TOPIC.auditHeads }), keys);
  assert.deepEqual(published.forged, []);
  assert.ok(published.heads.length > 0, 'heads were published');
  const { problems, unfinished, heads } = await store.verify(published.heads);
  assert.deepEqual([problems, unfinished, heads], [[], 0, published.heads.length]);
}

suite('the auditor with a cluster', { skip: missing ?? false }, () => {
  test('starts before the cluster, and stores everything when the cluster is up', async () => {
    using dir = tempDir();
    await server.stop('SIGKILL');
    await using bus = await createFilledBus(dir.path);
    await using store = await openClusterStore(server.url, { eventSample: 0 });
    const auditor = await startOn(bus, store);
    await until(() => auditor.stats().retries > 0);
    await server.start();
    await waitUntilCaughtUp(bus, auditor);
    await auditor.close();
    await assertComplete(store, bus);
  });

  test('signs its heads, and heads signed by another key are reported', async () => {
    using dir = tempDir();
    await using bus = await createFilledBus(dir.path);
    await using store = await openClusterStore(server.url, { eventSample: 0 });
    const key = createSigningKey();
    const auditor = await startOn(bus, store, { key });
    await waitUntilCaughtUp(bus, auditor);
    await auditor.close();
    await assertComplete(store, bus, (keyId) => (keyId === key.keyId ? key.publicKey : undefined));
    const otherKey = await readHeads(bus.read({ topic: TOPIC.auditHeads }), () => createSigningKey().publicKey);
    assert.equal(otherKey.heads.length, 0);
    assert.equal(otherKey.forged[0]?.type, 'forged-head');
  });

  test('repeated kills of the cluster lose and duplicate nothing', async () => {
    using dir = tempDir();
    await using bus = await openBus(dir.path);
    await using store = await openClusterStore(server.url, { eventSample: 0, requestTimeoutMs: 3000 });
    const auditor = await startOn(bus, store);
    const records = createRecords();
    const roundSize = Math.ceil(records.length / CLUSTER_KILLS);
    for (let round = 0; round < CLUSTER_KILLS; round++) {
      // In odd rounds the cluster is down before the write, in even rounds it is killed during the write.
      if (round % 2 === 1) await server.stop('SIGKILL');
      const { retries } = auditor.stats();
      await bus.produce(records.slice(round * roundSize, (round + 1) * roundSize));
      if (round % 2 === 1) await until(() => auditor.stats().retries > retries);
      else {
        await sleep(Math.random() * 100);
        await server.stop('SIGKILL');
      }
      await server.start();
    }
    await waitUntilCaughtUp(bus, auditor);
    await auditor.close();
    await assertComplete(store, bus);
  });

  test('requests to a suspended cluster time out, and everything is stored when it resumes', async () => {
    using dir = tempDir();
    await using bus = await openBus(dir.path);
    await using store = await openClusterStore(server.url, { eventSample: 0, requestTimeoutMs: 2000 });
    const auditor = await startOn(bus, store);
    const records = createRecords();
    await bus.produce(records.slice(0, 100));
    await waitUntilCaughtUp(bus, auditor);
    server.signal('SIGSTOP');
    await bus.produce(records.slice(100));
    await until(() => auditor.stats().retries > 0);
    server.signal('SIGCONT');
    await waitUntilCaughtUp(bus, auditor);
    await auditor.close();
    await assertComplete(store, bus);
  });

  test('ten kills at failpoints and at random lose and duplicate nothing, and keep the chain intact', async () => {
    using dir = tempDir();
    await (await openBus(dir.path)).close();
    await using store = await openClusterStore(server.url, { eventSample: 0 });
    const script = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
    const execArgv = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning'];
    const points = ['before-effect', 'before-commit', 'after-commit', 'before-commit', 'none'];
    const records = createRecords();
    const roundSize = records.length / 10;
    for (let round = 0; round < 10; round++) {
      const point = points[round % points.length] ?? 'none';
      const bus = await openEmbeddedBus({ path: join(dir.path, 'bus.db') });
      await bus.produce(records.slice(round * roundSize, (round + 1) * roundSize));
      await bus.close();
      const args = [dir.path, server.url, store.options.prefix, point];
      const child = fork(script, args, { execArgv });
      const ended = once(child, 'exit');
      if (point === 'none') {
        await once(child, 'message');
        await sleep(Math.random() * 400);
        child.kill('SIGKILL');
      }
      const [, signal] = await ended;
      assert.equal(signal, 'SIGKILL');
    }
    await using bus = await openEmbeddedBus({ path: join(dir.path, 'bus.db') });
    const auditor = await startOn(bus, store);
    await waitUntilCaughtUp(bus, auditor);
    await auditor.close();
    await assertComplete(store, bus);
  });
});
