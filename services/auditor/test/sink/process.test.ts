/** The auditor as a process on a bus and a real cluster, each of them killed in the middle. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type EmbeddedBus, type OutRecord, openEmbeddedBus } from '@ringfence/bus';
import { createSigningKey, TOPIC, topicsWith } from '@ringfence/schema';
import { elasticsearchMissing, startElasticsearch } from '@ringfence/testkit/servers';
import { type Auditor, type AuditorDeps, readHeads, startAuditor } from '../../src/index.ts';
import { silent, tempDir } from '../support.ts';
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

/** Each is a start of the server, 7 s of CPU: one that sees it die at its work, one that finds it dead. RINGFENCE_CHAOS_KILLS makes it more. */
const CLUSTER_KILLS = Number(process.env['RINGFENCE_CHAOS_KILLS'] ?? '2');
const BATCHES = 300;
const ALERTS = 80;
const COUNTS = { alert: ALERTS, incident: ALERTS, command: ALERTS, result: ALERTS, gap: BATCHES, events: BATCHES };

async function openBus(dir: string): Promise<EmbeddedBus> {
  const bus = await openEmbeddedBus({ path: join(dir, 'bus.db') });
  await bus.ensureTopics(topicsWith(3));
  return bus;
}

/** With keys of several hosts, so that every partition has some. */
function evidence(): OutRecord[] {
  return testTrail(BATCHES, ALERTS).map((record, i) => ({ ...record, key: `host-${i % 40}` }));
}

async function filledBus(dir: string): Promise<EmbeddedBus> {
  const bus = await openBus(dir);
  await bus.produce(evidence());
  return bus;
}

function auditorOn(bus: EmbeddedBus, of: ClusterStore, given: Partial<AuditorDeps> = {}): Promise<Auditor> {
  const { flavour: _, eventRetentionMs: __, ...elasticsearch } = of.options;
  const options = { path: '/unused', sink: 'elasticsearch', elasticsearch, headRecords: 50 } as const;
  return startAuditor({ options, bus, log: silent, ...given });
}

async function caughtUp(bus: EmbeddedBus, auditor: Auditor): Promise<void> {
  const behind = async () => [...(await bus.lag('auditor')).values()].some((records) => records > 0);
  while (await behind()) await Promise.race([auditor.done, sleep(10)]);
}

async function assertWhole(of: ClusterStore, bus: EmbeddedBus, keys?: Parameters<typeof readHeads>[1]): Promise<void> {
  assert.deepEqual(await of.counts(), COUNTS);
  assert.equal(await of.executions(), BATCHES);
  const noted = await readHeads(bus.read({ topic: TOPIC.auditHeads }), keys);
  assert.deepEqual(noted.forged, []);
  assert.ok(noted.heads.length > 0, 'heads were noted');
  const { problems, unfinished, heads } = await of.verify(noted.heads);
  assert.deepEqual([problems, unfinished, heads], [[], 0, noted.heads.length]);
}

suite('the auditor with a cluster', { skip: missing ?? false }, () => {
  test('starts before the cluster does, and stores all when it comes', async () => {
    using dir = tempDir();
    await server.stop('SIGKILL');
    await using bus = await filledBus(dir.path);
    await using of = await openClusterStore(server.url, { eventSample: 0 });
    const auditor = await auditorOn(bus, of);
    await until(() => auditor.stats().retries > 0);
    await server.start();
    await caughtUp(bus, auditor);
    await auditor.close();
    await assertWhole(of, bus);
  });

  test('signs its heads, and a head that another signed is told', async () => {
    using dir = tempDir();
    await using bus = await filledBus(dir.path);
    await using of = await openClusterStore(server.url, { eventSample: 0 });
    const key = createSigningKey();
    const auditor = await auditorOn(bus, of, { key });
    await caughtUp(bus, auditor);
    await auditor.close();
    await assertWhole(of, bus, (keyId) => (keyId === key.keyId ? key.publicKey : undefined));
    const other = await readHeads(bus.read({ topic: TOPIC.auditHeads }), () => createSigningKey().publicKey);
    assert.equal(other.heads.length, 0);
    assert.equal(other.forged[0]?.what, 'forged-head');
  });

  test('killed cluster, again and again: nothing lost, nothing doubled', async () => {
    using dir = tempDir();
    await using bus = await openBus(dir.path);
    await using of = await openClusterStore(server.url, { eventSample: 0, requestTimeoutMs: 3000 });
    const auditor = await auditorOn(bus, of);
    const records = evidence();
    const piece = Math.ceil(records.length / CLUSTER_KILLS);
    for (let round = 0; round < CLUSTER_KILLS; round++) {
      // Odd ones find it dead already, even ones see it die at their work.
      if (round % 2 === 1) await server.stop('SIGKILL');
      const { retries } = auditor.stats();
      await bus.produce(records.slice(round * piece, (round + 1) * piece));
      if (round % 2 === 1) await until(() => auditor.stats().retries > retries);
      else {
        await sleep(Math.random() * 100);
        await server.stop('SIGKILL');
      }
      await server.start();
    }
    await caughtUp(bus, auditor);
    await auditor.close();
    await assertWhole(of, bus);
  });

  test('a cluster that doesn’t answer for a while: requests have a deadline, and all is stored when it does', async () => {
    using dir = tempDir();
    await using bus = await openBus(dir.path);
    await using of = await openClusterStore(server.url, { eventSample: 0, requestTimeoutMs: 2000 });
    const auditor = await auditorOn(bus, of);
    const records = evidence();
    await bus.produce(records.slice(0, 100));
    await caughtUp(bus, auditor);
    server.signal('SIGSTOP');
    await bus.produce(records.slice(100));
    await until(() => auditor.stats().retries > 0);
    server.signal('SIGCONT');
    await caughtUp(bus, auditor);
    await auditor.close();
    await assertWhole(of, bus);
  });

  test('killed with -9 at points and at random, ten times: nothing lost, nothing doubled, the chain whole', async () => {
    using dir = tempDir();
    await (await openBus(dir.path)).close();
    await using of = await openClusterStore(server.url, { eventSample: 0 });
    const script = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
    const execArgv = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning'];
    const points = ['before-effect', 'before-commit', 'after-commit', 'before-commit', 'none'];
    const records = evidence();
    const piece = records.length / 10;
    for (let round = 0; round < 10; round++) {
      const point = points[round % points.length] ?? 'none';
      const filling = await openEmbeddedBus({ path: join(dir.path, 'bus.db') });
      await filling.produce(records.slice(round * piece, (round + 1) * piece));
      await filling.close();
      const args = [dir.path, server.url, of.options.prefix, point];
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
    const auditor = await auditorOn(bus, of);
    await caughtUp(bus, auditor);
    await auditor.close();
    await assertWhole(of, bus);
  });
});
