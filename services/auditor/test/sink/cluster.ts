import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import { createTestAlert } from '@ringfence/synthetic';
import { type AuditKind, encode } from '@ringfence/wire';
import { recordHash } from '../../src/chain.ts';
import { type Cluster, openCluster } from '../../src/elasticsearch/cluster.ts';
import { type AuditSource, chainedFields } from '../../src/elasticsearch/documents/audit.ts';
import { type IndexNames, namesOf } from '../../src/elasticsearch/options.ts';
import { templatesFor } from '../../src/elasticsearch/templates.ts';
import { verifyCluster } from '../../src/elasticsearch/verify.ts';
import { CLUSTER_DEFAULTS, type ClusterOptions, ClusterSink, type ClusterSinkDeps } from '../../src/index.ts';

import type { TamperActions, TestStore } from './store.ts';

export interface ClusterStore extends TestStore {
  readonly options: ClusterOptions;
  readonly names: IndexNames;
  readonly cluster: Cluster;
  open(deps?: Partial<ClusterSinkDeps>): ClusterSink;
  /** Documents of a stream or index that match `query` */
  search(index: string, query?: object): Promise<FoundDocument[]>;
  rollover(stream: string): Promise<void>;
  /** Changes settings of the indices behind a name */
  settings(index: string, settings: object): Promise<void>;
}

export interface FoundDocument {
  readonly _index: string;
  readonly _id: string;
  readonly _source: Readonly<Record<string, unknown>>;
}

let trails = 0;

/** Creates a separate trail on a running cluster. */
export async function openClusterStore(url: string, overrides: Partial<ClusterOptions> = {}): Promise<ClusterStore> {
  const prefix = `t${process.pid}_${++trails}`;
  const options = { ...CLUSTER_DEFAULTS, nodes: [url], prefix, requestTimeoutMs: 10_000, ...overrides };
  const names = namesOf(options);
  const cluster = openCluster(options);
  const refresh = (): Promise<unknown> => cluster.request('POST', `/${Object.values(names).join()}/_refresh`);
  const count = async (index: string, query: object): Promise<number> => {
    await refresh();
    const { body } = await cluster.request<{ count: number }>('POST', `/${index}/_count`, { body: { query } });
    return body.count;
  };
  return {
    ...{ options, names, cluster },
    open: (deps = {}) => new ClusterSink({ options, log: silentLog, ...deps }),
    verify: (published = []) => verifyCluster(options, published),
    counts: async () => {
      await refresh();
      const aggs = { kinds: { terms: { field: 'ringfence.audit.kind', size: 50 } } };
      const { body } = await cluster.request<{
        aggregations: { kinds: { buckets: { key: AuditKind; doc_count: number }[] } };
      }>('POST', `/${names.audit}/_search`, { body: { size: 0, aggs } });
      return Object.fromEntries(body.aggregations.kinds.buckets.map(({ key, doc_count }) => [key, doc_count]));
    },
    executions: () => count(names.events, { term: { 'event.action': 'exec' } }),
    search: async (index, query = { match_all: {} }) => {
      await refresh();
      const { body } = await cluster.request<{ hits: { hits: FoundDocument[] } }>('POST', `/${index}/_search`, {
        body: { size: 1000, query },
      });
      return body.hits.hits;
    },
    rollover: async (stream) => {
      await cluster.request('POST', `/${stream}/_rollover`);
    },
    settings: async (index, settings) => {
      await cluster.request('PUT', `/${index}/_settings`, { body: settings });
    },
    tamper: clusterTampering(cluster, names, refresh),
    [Symbol.asyncDispose]: async () => {
      for (const stream of [names.alerts, names.actions, names.audit, names.events])
        await cluster.request('DELETE', `/_data_stream/${stream}`, { expectedStatuses: [404] });
      await cluster.request('DELETE', `/${names.incidents},${names.heads}`, { query: { ignore_unavailable: true } });
      await removeTemplates(cluster, options);
      await cluster.close();
    },
  };
}

/** Removes the templates, to keep the cluster state of the shared server small. */
async function removeTemplates(cluster: Cluster, options: ClusterOptions): Promise<void> {
  const templates = templatesFor(options, { lifecycle: false, elasticsearch: false });
  for (const { kind, name } of templates.reverse())
    await cluster.request('DELETE', `/${kind}/${name}`, { expectedStatuses: [404] });
}

interface AuditDocument {
  readonly 'host.id': string;
  readonly ringfence: { readonly audit: AuditSource };
}

function clusterTampering(cluster: Cluster, names: IndexNames, refresh: () => Promise<unknown>): TamperActions {
  const alerts = async (): Promise<{ _index: string; _id: string; _source: AuditDocument }[]> => {
    await refresh();
    const { body } = await cluster.request<{
      hits: { hits: { _index: string; _id: string; _source: AuditDocument }[] };
    }>('POST', `/${names.audit}/_search`, {
      body: {
        size: 1000,
        query: { term: { 'ringfence.audit.kind': 'alert' } },
        sort: [{ 'ringfence.audit.seq': 'asc' }],
      },
    });
    return body.hits.hits;
  };
  const put = (index: string, id: string, body: object, query = {}): Promise<unknown> =>
    cluster.request('PUT', `/${index}/_doc/${encodeURIComponent(id)}`, { body, query: { refresh: true, ...query } });
  const change = async (seq: number, edit: (audit: AuditSource, hostId: string) => object): Promise<void> => {
    const found = (await alerts()).find(({ _source }) => _source.ringfence.audit.seq === seq);
    if (found === undefined) throw new Error(`record ${seq} does not exist`);
    const { audit } = found._source.ringfence;
    const changed = { ...audit, ...edit(audit, found._source['host.id']) };
    // A backing index of a stream only accepts updates with the current sequence number.
    const { body } = await cluster.request<{ _seq_no: number; _primary_term: number }>(
      'GET',
      `/${found._index}/_doc/${encodeURIComponent(found._id)}`,
    );
    const concurrency = { if_seq_no: body._seq_no, if_primary_term: body._primary_term };
    await put(found._index, found._id, { ...found._source, ringfence: { audit: changed } }, concurrency);
  };
  const remove = async (isRemoved: (seq: number) => boolean): Promise<void> => {
    for (const { _index, _id, _source } of await alerts()) {
      if (isRemoved(_source.ringfence.audit.seq))
        await cluster.request('DELETE', `/${_index}/_doc/${encodeURIComponent(_id)}`, { query: { refresh: true } });
    }
  };
  return {
    changePayload: (seq) => change(seq, () => ({ payload: 'AAAA', size: 3, packed: 0 })),
    rewrite: (seq) =>
      change(seq, (audit, hostId) => {
        const payload = Buffer.from(encode('Alert', createTestAlert(77)));
        const forged = { payload: payload.toString('base64'), size: payload.length, packed: 0 as const };
        const fields = chainedFields({ ...audit, ...forged }, hostId);
        return { ...forged, hash: recordHash(Buffer.from(audit.prev_hash, 'hex'), fields).toString('hex') };
      }),
    remove: (seqs) => remove((seq) => seqs.includes(seq)),
    // A cluster stores several records with one sequence number, so no record needs to move.
    insert: async (from, seq) => {
      const found = (await alerts()).find(({ _source }) => _source.ringfence.audit.seq === from);
      if (found === undefined) throw new Error(`record ${from} does not exist`);
      const audit = { ...found._source.ringfence.audit, seq, id: 'planted' };
      await cluster.request('PUT', `/${names.audit}/_create/planted`, {
        body: { ...found._source, '@timestamp': new Date().toISOString(), ringfence: { audit } },
        query: { refresh: true },
      });
    },
    cutOff: async (seq) => {
      const last = (await alerts()).find(({ _source }) => _source.ringfence.audit.seq === seq - 1)?._source.ringfence
        .audit;
      await remove((candidate) => candidate >= seq);
      const id = encodeURIComponent('ringfence.alerts/0');
      const { body } = await cluster.request<{ _source: object }>('GET', `/${names.heads}/_doc/${id}`);
      const alert = { seq: seq - 1, hash: last?.hash, offset: last?.offset };
      await cluster.request('DELETE', `/${names.heads}/_doc/${id}`);
      await put(names.heads, 'ringfence.alerts/0', { ...body._source, chains: { alert } });
    },
  };
}

/** Polls until `condition` holds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}
