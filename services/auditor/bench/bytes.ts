/**
 * Prints the bytes of the audit trail for a million events, in SQLite and in Elasticsearch:
 * `node --conditions=@ringfence/source services/auditor/bench/bytes.ts [EVENTS]`.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '@ringfence/base';
import { elasticsearchMissing, startElasticsearch } from '@ringfence/dev-servers';
import { TOPIC } from '@ringfence/wire';
import { type AuditSink, CLUSTER_DEFAULTS, ClusterSink, createAuditPipeline, SqliteSink } from '../src/index.ts';
import {
  createTestBatch,
  createTestProcess,
  execBody,
  inRecord,
  openBody,
  type TestEvent,
  tempDir,
} from '../test/support.ts';

const EVENTS_PER_BATCH = 700;
const PROCESSES = 30;
/** One event in so many is an execution; the others are opens of some ten thousand files. */
const EXECUTION_EVERY = 250;
const FILES = 9973;
const BATCHES_PER_COMMIT = 10;

const wanted = Number(process.argv[2] ?? 1_000_000);
const batches = Math.ceil(wanted / EVENTS_PER_BATCH);
const events = batches * EVENTS_PER_BATCH;

function batch(n: number): Buffer {
  const processes = Array.from({ length: PROCESSES }, (_, i) =>
    createTestProcess(1000 + n * PROCESSES + i, { parent: i - 1 }),
  );
  const list = Array.from({ length: EVENTS_PER_BATCH }, (_, i): TestEvent => {
    const sequence = n * EVENTS_PER_BATCH + i + 1;
    const path = `/usr/lib/x86_64-linux-gnu/lib${(sequence * 2_654_435_761) % FILES}.so`;
    const body = i % EXECUTION_EVERY === 0 ? execBody('/usr/bin/id', ['id', '-u', String(sequence)]) : openBody(path);
    return { process: (i * 7) % PROCESSES, sequence, ktime: sequence * 7001, body };
  });
  return createTestBatch(processes, list);
}

async function fill(sink: AuditSink): Promise<void> {
  const pipeline = createAuditPipeline(sink);
  for (let n = 0; n < batches; n += BATCHES_PER_COMMIT) {
    const count = Math.min(BATCHES_PER_COMMIT, batches - n);
    await pipeline(Array.from({ length: count }, (_, i) => inRecord(TOPIC.events, n + i, batch(n + i))));
  }
}

const print = (name: string, bytes: number, more = ''): void => {
  const perMillion = (bytes / events) * 1e6;
  console.log(`${name}: ${(perMillion / 1e6).toFixed(1)} MB for a million events${more}`);
};

async function inSqlite(): Promise<void> {
  using dir = tempDir();
  const path = join(dir.path, 'audit.db');
  const sink = new SqliteSink({ path, maxBytes: 2 ** 34, eventRetentionMs: 1e12, synchronous: 'normal' });
  await fill(sink);
  await sink.close();
  print('SQLite, every event', statSync(path).size);
}

async function inCluster(): Promise<void> {
  const missing = elasticsearchMissing();
  if (missing !== undefined) return console.log(`Elasticsearch: skipped: ${missing}`);
  await using server = await startElasticsearch();
  for (const eventSample of [CLUSTER_DEFAULTS.eventSample, 1]) {
    const prefix = eventSample === 1 ? 'all' : 'sample';
    const options = { ...CLUSTER_DEFAULTS, nodes: [server.url], prefix, eventSample, requestTimeoutMs: 120_000 };
    const sink = new ClusterSink({ options, log: silentLog });
    await fill(sink);
    await sink.close();
    const pattern = `logs-${prefix}.*,${prefix}-*`;
    await fetch(`${server.url}/${pattern}/_forcemerge?max_num_segments=1&flush=true`, { method: 'POST' });
    const stats = (await (await fetch(`${server.url}/${pattern}/_stats/store,docs`)).json()) as {
      readonly _all: {
        readonly primaries: { readonly store: { size_in_bytes: number }; readonly docs: { count: number } };
      };
    };
    const { store, docs } = stats._all.primaries;
    const share = `${eventSample * 100} % of the processes' events as documents`;
    print(
      `Elasticsearch, ${share}`,
      store.size_in_bytes,
      ` (${docs.count.toLocaleString('en')} documents, without replicas)`,
    );
  }
}

console.log(`${events.toLocaleString('en')} events in batches of ${EVENTS_PER_BATCH}`);
await inSqlite();
await inCluster();
