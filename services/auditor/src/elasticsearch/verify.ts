import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditKind } from '@ringfence/wire';
import { recordHash } from '../chain.ts';
import type { NotedHead, Tampering, Verification } from '../verify/verification.ts';
import { type ChainName, Walk, type WalkedRecord } from '../verify/walk.ts';
import { type Cluster, openCluster } from './cluster.ts';
import { type AuditSource, chainedFields } from './documents/audit.ts';
import { type HeadSource, headOf, type PartitionHead } from './heads.ts';
import { type ClusterOptions, type Names, namesOf } from './options.ts';

/** Records of up to 1 MiB in one answer. */
const PAGE = 100;
/** How long a batch that was being written may take until its head is there too, ms. */
const SETTLE_MS = 3000;

interface AuditHit {
  readonly _source: { readonly 'host.id'?: string; readonly ringfence: { readonly audit: AuditSource } };
  readonly sort: readonly unknown[];
}

/**
 * Walks every chain in the cluster. Retention lets whole indices of the stream go, oldest first; what is gone from a chain's beginning counts as retired only as
 * far as that can explain it. Rejects with ClusterUnavailableError, ClusterRequestError.
 */
export async function verifyCluster(
  options: ClusterOptions,
  noted: readonly NotedHead[],
  progress?: (records: number) => void,
): Promise<Verification> {
  const cluster = openCluster(options);
  try {
    return await new ClusterWalk(cluster, namesOf(options), noted, progress).run();
  } finally {
    await cluster.close();
  }
}

class ClusterWalk {
  readonly #cluster: Cluster;
  readonly #names: Names;
  readonly #noted: readonly NotedHead[];
  readonly #progress: ((records: number) => void) | undefined;
  #walked = 0;

  constructor(cluster: Cluster, names: Names, noted: readonly NotedHead[], progress?: (records: number) => void) {
    this.#cluster = cluster;
    this.#names = names;
    this.#noted = noted;
    this.#progress = progress;
  }

  async run(): Promise<Verification> {
    // Heads first: what is written meanwhile stands behind them.
    const { heads, trail } = await this.#heads();
    await this.#cluster.request('POST', `/${this.#names.audit}/_refresh`);
    const oldest = await this.#oldestIndex();
    const walk = new Walk(this.#noted, trail);
    for (const head of heads) for (const kind of head.chains.keys()) await this.#chain(walk, head, kind, oldest);
    await this.#orphans(walk, heads);
    await this.#strangers(walk);
    return this.#settled(walk.result());
  }

  async #chain(walk: Walk, head: PartitionHead, kind: AuditKind, oldest: OldestIndex): Promise<void> {
    const state = head.chains.get(kind);
    if (state === undefined) return;
    const name: ChainName = { topic: head.topic, partition: head.partition, kind };
    let hasBegun = false;
    const begin = (firstSeq: number): void => {
      const baseSeq = Math.min(firstSeq - 1, this.#retirable(name, state.seq, oldest));
      const baseHash = baseSeq === 0 ? Buffer.alloc(32) : null;
      walk.begin({ ...name, baseSeq, baseHash, headSeq: state.seq, headHash: state.hash, runsAhead: true });
      hasBegun = true;
    };
    for await (const record of this.#records(name)) {
      if (!hasBegun) begin(record.seq);
      walk.record(record);
      if (++this.#walked % 1000 === 0) this.#progress?.(this.#walked);
    }
    if (!hasBegun) begin(state.seq + 1);
    walk.end();
  }

  /** Up to which place a chain's records can have gone with an index: none is younger than the oldest index that is left. */
  #retirable({ topic, partition, kind }: ChainName, headSeq: number, oldest: OldestIndex): number {
    if (oldest.generation <= 1) return 0;
    const later = this.#noted.filter(
      (one) =>
        one.topic === topic && one.partition === partition && one.kind === kind && (one.at ?? 0) >= oldest.createdAt,
    );
    return later.reduce((least, { seq }) => Math.min(least, seq), headSeq);
  }

  async *#records({ topic, partition, kind }: ChainName): AsyncGenerator<WalkedRecord> {
    const filter = [
      { term: { 'ringfence.audit.topic': topic } },
      { term: { 'ringfence.audit.partition': partition } },
      { term: { 'ringfence.audit.kind': kind } },
    ];
    const sort = [{ 'ringfence.audit.seq': 'asc' }, { 'ringfence.audit.hash': 'asc' }];
    let after: readonly unknown[] | undefined;
    for (;;) {
      const body = {
        size: PAGE,
        track_total_hits: false,
        query: { bool: { filter } },
        sort,
        ...(after === undefined ? {} : { search_after: after }),
      };
      const hits = await this.#search<AuditHit>(this.#names.audit, body);
      for (const hit of hits) yield walkedRecord(hit, kind);
      after = hits.at(-1)?.sort;
      if (hits.length < PAGE || after === undefined) return;
    }
  }

  async #heads(): Promise<{ readonly heads: PartitionHead[]; readonly trail: string }> {
    await this.#cluster.request('POST', `/${this.#names.heads}/_refresh`);
    const heads: PartitionHead[] = [];
    let after: readonly unknown[] | undefined;
    do {
      const sort = [{ topic: 'asc' }, { partition: 'asc' }];
      const body = {
        size: 1000,
        query: { exists: { field: 'topic' } },
        sort,
        ...(after === undefined ? {} : { search_after: after }),
      };
      const hits = await this.#search<{ _source: HeadSource; sort: readonly unknown[] }>(this.#names.heads, body);
      heads.push(...hits.map(({ _source }) => headOf(_source, _source)));
      after = hits.at(-1)?.sort;
    } while (after !== undefined);
    const { body } = await this.#cluster.request<{ _source?: { trail: string } }>(
      'GET',
      `/${this.#names.heads}/_doc/trail`,
      { expect: [404] },
    );
    return { heads, trail: body._source?.trail ?? '' };
  }

  async #search<T>(index: string, body: object): Promise<readonly T[]> {
    const answer = await this.#cluster.request<{ hits: { hits: readonly T[] } }>('POST', `/${index}/_search`, {
      query: { allow_partial_search_results: false },
      body,
    });
    return answer.body.hits.hits;
  }

  /** Records of chains that have no head. */
  async #orphans(walk: Walk, heads: readonly PartitionHead[]): Promise<void> {
    const known = new Set(
      heads.flatMap(({ topic, partition, chains }) =>
        [...chains.keys()].map((kind) => `${topic}/${partition}/${kind}`),
      ),
    );
    let after: Readonly<Record<string, unknown>> | undefined;
    do {
      const sources = ['topic', 'partition', 'kind'].map((name) => ({
        [name]: { terms: { field: `ringfence.audit.${name}` } },
      }));
      const composite = { size: 1000, sources, ...(after === undefined ? {} : { after }) };
      const { body } = await this.#cluster.request<Aggregated>('POST', `/${this.#names.audit}/_search`, {
        query: { allow_partial_search_results: false },
        body: { size: 0, aggs: { chains: { composite } } },
      });
      const { buckets, after_key } = body.aggregations.chains;
      for (const { key, doc_count: count } of buckets) {
        if (!known.has(`${key.topic}/${key.partition}/${key.kind}`))
          walk.report({ what: 'added', ...key, seq: 0, id: '', count });
      }
      after = after_key;
    } while (after !== undefined);
  }

  /** Documents that are no audit records at all. */
  async #strangers(walk: Walk): Promise<void> {
    const query = {
      bool: { must_not: ['kind', 'seq'].map((name) => ({ exists: { field: `ringfence.audit.${name}` } })) },
    };
    const { body } = await this.#cluster.request<{ count: number }>('POST', `/${this.#names.audit}/_count`, {
      body: { query },
    });
    const { count } = body;
    if (count > 0) walk.report({ what: 'added', topic: '', partition: 0, kind: 'events', seq: 0, id: '', count });
  }

  /** What stood behind a head in no order may have been half of a batch: when the head has moved over it, it was. */
  async #settled(result: Verification): Promise<Verification> {
    const last = new Map(result.chains.map((one) => [`${one.topic}/${one.partition}/${one.kind}`, one.seq]));
    const isBehind = ({ what, topic, partition, kind, seq }: Tampering): boolean =>
      what === 'added' && seq > (last.get(`${topic}/${partition}/${kind}`) ?? 0);
    if (!result.problems.some(isBehind)) return result;
    await sleep(SETTLE_MS);
    const { heads } = await this.#heads();
    const now = new Map(
      heads.flatMap(({ topic, partition, chains }) =>
        Array.from(chains, ([kind, { seq }]): [string, number] => [`${topic}/${partition}/${kind}`, seq]),
      ),
    );
    const isSettled = (one: Tampering): boolean =>
      isBehind(one) && one.seq <= (now.get(`${one.topic}/${one.partition}/${one.kind}`) ?? 0);
    const problems = result.problems.filter((one) => !isSettled(one));
    const problemCount = result.problemCount - (result.problems.length - problems.length);
    return { ...result, problems, problemCount };
  }

  async #oldestIndex(): Promise<OldestIndex> {
    const { audit } = this.#names;
    const stream = await this.#cluster.request<{
      data_streams: readonly { indices: readonly { index_name: string }[] }[];
    }>('GET', `/_data_stream/${audit}`);
    const index = stream.body.data_streams[0]?.indices[0]?.index_name ?? '';
    const settings = await this.#cluster.request<Record<string, { settings: { index: { creation_date: string } } }>>(
      'GET',
      `/${index}/_settings`,
    );
    const createdAt = Number(settings.body[index]?.settings.index.creation_date ?? 0) * 1000;
    return { generation: Number(/-(\d+)$/.exec(index)?.[1] ?? 1), createdAt };
  }
}

/** The stream's oldest index that is left. */
interface OldestIndex {
  /** from 1; 1: none has gone */
  readonly generation: number;
  /** µs since the epoch */
  readonly createdAt: number;
}

interface Aggregated {
  readonly aggregations: {
    readonly chains: {
      readonly buckets: readonly { readonly key: ChainName; readonly doc_count: number }[];
      readonly after_key?: Readonly<Record<string, unknown>>;
    };
  };
}

function walkedRecord({ _source }: AuditHit, kind: AuditKind): WalkedRecord {
  const { audit } = _source.ringfence;
  const prevHash = Buffer.from(String(audit.prev_hash), 'hex');
  const hash = Buffer.from(String(audit.hash), 'hex');
  const isIntact = audit.kind === kind && hashes(audit, _source['host.id'] ?? '', prevHash, hash);
  return { seq: Number(audit.seq), id: String(audit.id), prevHash, hash, isIntact };
}

/** Whoever changed a document may have put anything in it. */
function hashes(audit: AuditSource, hostId: string, prevHash: Buffer, hash: Buffer): boolean {
  try {
    return recordHash(prevHash, chainedFields(audit, hostId)).equals(hash);
  } catch {
    return false;
  }
}
