import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { testTrail } from '../trail.ts';
import type { ClusterStore } from './cluster.ts';
import { elasticsearch, openSearch } from './flavours.ts';
import { publishedHeads, storeWithNewSink, toInRecords } from './suite.ts';

const MAIN = join(import.meta.dirname, '../../../../cli/src/main.ts');
const BATCHES = 4;
const ALERTS = 3;
/** A snapshot takes longer than a request of the auditor. */
const DEADLINE_MS = 120_000;

/** Runs `ringfence audit verify` on the trail in the cluster. */
async function verifyByCommand({ options }: ClusterStore): Promise<{ readonly code: number; readonly stdout: string }> {
  const stateDir = mkdtempSync(join(tmpdir(), 'rf-restore-'));
  const { flavour, nodes, prefix } = options;
  const settings = [
    ...[`stateDir=${stateDir}`, `auditor.sink=${flavour}`, `auditor.elasticsearch.nodes=${nodes.join()}`],
    `auditor.elasticsearch.prefix=${prefix}`,
  ];
  const args = ['audit', 'verify', '--no-heads', '--config', '/dev/null', ...settings.flatMap((set) => ['--set', set])];
  const flags = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning'];
  try {
    return await new Promise((resolve) => {
      execFile(process.execPath, [...flags, MAIN, ...args], (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout: stdout + stderr });
      });
    });
  } finally {
    rmSync(stateDir, { recursive: true });
  }
}

/** A repository of snapshots in a folder of the node. */
class Snapshots {
  readonly #store: ClusterStore;
  readonly #indices: string;
  readonly #repository: string;

  constructor(store: ClusterStore) {
    this.#store = store;
    this.#indices = Object.values(store.names).join();
    this.#repository = `/_snapshot/${store.options.prefix}`;
  }

  async register(): Promise<void> {
    const location = this.#store.options.prefix;
    await this.#store.cluster.request('PUT', this.#repository, { body: { type: 'fs', settings: { location } } });
  }

  async take(name: string): Promise<void> {
    await this.#store.cluster.request('PUT', `${this.#repository}/${name}`, {
      query: { wait_for_completion: true },
      body: { indices: this.#indices, include_global_state: false },
    });
  }

  /** Removes the trail from the cluster, and brings it back as it was. */
  async restore(name: string): Promise<void> {
    const { cluster, names } = this.#store;
    for (const stream of [names.alerts, names.actions, names.audit, names.events])
      await cluster.request('DELETE', `/_data_stream/${stream}`);
    await cluster.request('DELETE', `/${names.incidents},${names.heads}`);
    const { status } = await cluster.request('HEAD', `/${names.audit}`, { expectedStatuses: [404] });
    assert.equal(status, 404, 'the trail is gone');
    await cluster.request('POST', `${this.#repository}/${name}/_restore`, {
      query: { wait_for_completion: true },
      body: { indices: this.#indices, include_global_state: false },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.cluster.request('DELETE', `${this.#repository}/*`);
    await this.#store.cluster.request('DELETE', this.#repository);
  }
}

for (const { name, skip, open } of [elasticsearch, openSearch])
  suite(`${name}: a trail that was restored from a snapshot`, { skip }, () => {
    test('is intact, of two indices too, and goes on; the next change of it is found', async () => {
      await using store = await open({ requestTimeoutMs: DEADLINE_MS });
      const records = toInRecords(testTrail(BATCHES, ALERTS));
      await storeWithNewSink(store, records.slice(0, BATCHES + 4));
      await store.rollover(store.names.audit);
      await storeWithNewSink(store, records);
      const heads = await publishedHeads(store);
      await using snapshots = new Snapshots(store);
      await snapshots.register();
      await snapshots.take('whole');
      const before = await store.verify();
      const counts = await store.counts();
      await snapshots.restore('whole');
      const after = await store.verify(heads);
      assert.deepEqual([after.problems, after.records, after.chains], [[], before.records, before.chains]);
      assert.deepEqual(await store.counts(), counts);
      const { code, stdout } = await verifyByCommand(store);
      assert.equal(code, 0, stdout);

      await storeWithNewSink(store, toInRecords(testTrail(BATCHES + 1, ALERTS + 1)));
      assert.deepEqual((await store.verify()).problems, []);
      assert.equal((await store.counts()).alert, (counts.alert ?? 0) + 1);
      await store.tamper.changePayload(2);
      assert.equal((await verifyByCommand(store)).code, 1);
    });

    test('from an older snapshot lacks what came later: heads on the bus tell', async () => {
      await using store = await open({ requestTimeoutMs: DEADLINE_MS });
      await storeWithNewSink(store, toInRecords(testTrail(BATCHES, ALERTS)));
      await using snapshots = new Snapshots(store);
      await snapshots.register();
      await snapshots.take('old');
      await storeWithNewSink(store, toInRecords(testTrail(BATCHES, ALERTS + 2)));
      const heads = await publishedHeads(store);
      await snapshots.restore('old');
      assert.deepEqual((await store.verify()).problems, []);
      const { problems } = await store.verify(heads);
      assert.ok(problems.some(({ kind }) => kind === 'alert'));
    });
  });
