/**
 * Prints how long the query of each panel takes on many documents: `node --conditions=@ringfence/source
 * packages/kibana/bench/panels.ts [DOCUMENTS]`. A million documents of a fleet are stored; the rest are copies of
 * their index, restored from a snapshot, because a machine that runs tests can't write 50 million in minutes.
 */
import { statfsSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { startElasticsearch } from '@ringfence/dev-servers';
import { contentFor } from '../src/index.ts';
import type { Source } from '../src/model.ts';
import { searchOfChart, searchOfSavedSearch } from '../src/queries/index.ts';
import { storeAttack } from '../test/attack.ts';
import { createVariation, type Stored } from './documents.ts';

const PREFIX = 'panels';
const DEFAULT_DOCUMENTS = 50_000_000;
/** Documents that are stored; incidents are in one index, which is not copied. */
const SEED: Readonly<Partial<Record<Source, number>>> = {
  events: 900_000,
  audit: 60_000,
  alerts: 35_000,
  actions: 5000,
  incidents: 20_000,
};
const COPIED: readonly Source[] = ['events', 'audit', 'alerts', 'actions'];
const COPY = COPIED.reduce((sum, source) => sum + (SEED[source] ?? 0), 0);
const BULK = 2000;
const HEAP_MB = 4096;
const RUNS = 5;
/** Left free on the disk. */
const RESERVE_BYTES = 25 * 2 ** 30;
const LIMIT_MS = 1000;

const wanted = Number(process.argv[2] ?? DEFAULT_DOCUMENTS);
const content = contentFor(PREFIX);
const patternOf = (source: Source): string => content.dataViews.find((view) => view.source === source)!.pattern;
const streamOf = (source: Source): string =>
  source === 'incidents' ? `${PREFIX}-incidents` : `logs-${PREFIX}.${source}-default`;
const thousands = (count: number): string => Math.round(count).toLocaleString('en');
const note = (text: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);

await using server = await startElasticsearch({ heapMb: HEAP_MB, optimized: true });

async function ask<T = unknown>(method: string, path: string, body?: string | object): Promise<T> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { 'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(1_800_000),
  });
  const answer = (await response.json()) as T;
  if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer).slice(0, 1000)}`);
  return answer;
}

interface Hits {
  readonly took: number;
  readonly hits: { readonly total: { readonly value: number }; readonly hits: readonly { readonly _source: Stored }[] };
}

async function seed(source: Source, count: number, vary: (template: Stored, n: number) => Stored): Promise<void> {
  const { hits } = (await ask<Hits>('POST', `/${patternOf(source)}/_search`, { size: 1000 })).hits;
  for (let n = 0; n < count; ) {
    const lines: string[] = [];
    for (const end = Math.min(count, n + BULK); n < end; n++)
      lines.push('{"create":{}}', JSON.stringify(vary(hits[n % hits.length]!._source, n)));
    const { errors } = await ask<{ errors: boolean }>('POST', `/${streamOf(source)}/_bulk`, `${lines.join('\n')}\n`);
    if (errors) throw new Error(`${source}: the cluster refused documents`);
  }
}

/** Returns the bytes of an index or pattern. */
async function bytesOf(pattern: string): Promise<number> {
  const { _all } = await ask<{ _all: { total: { store: { size_in_bytes: number } } } }>(
    'GET',
    `/${pattern}/_stats/store`,
  );
  return _all.total.store.size_in_bytes;
}

/** Restores the streams' indices under other names until there are as many documents as wanted, or the disk is full. */
async function copy(): Promise<number> {
  const backing = await Promise.all(
    COPIED.map(async (source) => {
      const { data_streams } = await ask<{
        data_streams: readonly { indices: readonly { index_name: string }[] }[];
      }>('GET', `/_data_stream/${streamOf(source)}`);
      return [source, data_streams[0]!.indices[0]!.index_name] as const;
    }),
  );
  const indices = backing.map(([, index]) => index).join();
  // As the lifecycle of data streams merges an index that is no longer written.
  await ask('POST', `/${indices}/_forcemerge?max_num_segments=1`);
  const bytes = await bytesOf(indices);
  const { bavail, bsize } = statfsSync(tmpdir());
  const room = Math.max(0, Math.floor((bavail * bsize - RESERVE_BYTES) / bytes) - 1);
  const copies = Math.min(Math.ceil(wanted / COPY) - 1, room);
  if (copies === room) note(`the disk has room for ${room} copies of ${thousands(bytes / 2 ** 20)} MiB`);
  await ask('PUT', '/_snapshot/bench', {
    type: 'fs',
    settings: { location: 'bench', max_restore_bytes_per_sec: '1gb' },
  });
  await ask('PUT', '/_cluster/settings', {
    persistent: { 'indices.recovery.max_bytes_per_sec': '1gb', 'cluster.max_shards_per_node': 2000 },
  });
  await ask('PUT', '/_snapshot/bench/seed?wait_for_completion=true', { indices, include_global_state: false });
  for (let at = 0; at < copies; at++) {
    for (const [source, index] of backing)
      await ask('POST', '/_snapshot/bench/seed/_restore?wait_for_completion=true', {
        indices: index,
        include_global_state: false,
        // An index of a data stream is hidden, and patterns of views don't find hidden ones.
        index_settings: { 'index.hidden': false },
        rename_pattern: '.+',
        rename_replacement: `logs-${PREFIX}.${source}-copy${at}`,
      });
    const { count } = await ask<{ count: number }>('GET', `/logs-${PREFIX}.*/_count`);
    if (count < COPY * (at + 2)) throw new Error(`${thousands(count)} documents after ${at + 1} copies`);
    if (at % 10 === 9) note(`${at + 1} of ${copies} copies`);
  }
  return copies;
}

interface Timed {
  readonly ms: number;
  readonly documents: number;
}

/** The shortest of some runs without the cache of requests, after one that is not counted: other load only adds. */
async function time(source: Source, body: object): Promise<Timed> {
  const path = `/${patternOf(source)}/_search?request_cache=false`;
  await ask('POST', path, body);
  const runs: Timed[] = [];
  for (let i = 0; i < RUNS; i++) {
    const began = performance.now();
    const { hits } = await ask<Hits>('POST', path, body);
    runs.push({ ms: performance.now() - began, documents: hits.total.value });
  }
  return runs.sort((a, b) => a.ms - b.ms)[0]!;
}

/** As Kibana sends it: with the time range of the dashboard. */
function within(body: object, from: string, field: string): object {
  const { query } = body as { readonly query: object };
  return { ...body, query: { bool: { filter: [query, { range: { [field]: { gte: from } } }] } } };
}

note('storing the recorded attack');
await storeAttack({ url: server.url, prefix: PREFIX });
const patterns = content.dataViews.map(({ pattern }) => pattern).join();
await ask('POST', `/${patterns}/_refresh`);
const began = performance.now();
const vary = createVariation(Date.now());
for (const [source, count] of Object.entries(SEED) as [Source, number][]) {
  await seed(source, count, vary);
  note(`${thousands(count)} ${source} stored`);
}
const copies = await copy();
await ask('POST', `/${patterns}/_refresh`);
const { count: documents } = await ask<{ count: number }>('GET', `/${patterns}/_count`);
const size = await bytesOf(patterns);
console.log(
  `${thousands(documents)} documents in ${copies + 1} indices a stream, ${(size / 2 ** 30).toFixed(1)} GiB, made in ${((performance.now() - began) / 60_000).toFixed(0)} min; shortest of ${RUNS}, without cache; load average ${loadavg()[0]?.toFixed(1)}\n`,
);
console.log('| dashboard | panel | documents | all, ms | its time range, documents | ms |\n|---|---|---|---|---|---|');
const slow: string[] = [];
for (const dashboard of content.dashboards)
  for (const panel of dashboard.rows.flatMap(({ panels }) => panels)) {
    if (panel.type === 'markdown') continue;
    const { source, body } = panel.type === 'search' ? searchOfSavedSearch(panel.search) : searchOfChart(panel);
    const counted = { track_total_hits: true, ...body };
    const { timeField } = content.dataViews.find((view) => view.source === source)!;
    const all = await time(source, counted);
    const ranged = await time(source, within(counted, dashboard.from, timeField));
    if (ranged.ms > LIMIT_MS || all.ms > LIMIT_MS) slow.push(panel.title);
    const cells = [all.documents, all.ms, ranged.documents, ranged.ms].map(thousands);
    console.log(`| ${dashboard.title.replace('Ringfence: ', '')} | ${panel.title} | ${cells.join(' | ')} |`);
  }
console.log(
  `\n${slow.length === 0 ? 'every panel' : `all but ${slow.join(', ')}`} under ${thousands(LIMIT_MS)} ms; load average ${loadavg()[0]?.toFixed(1)}`,
);
