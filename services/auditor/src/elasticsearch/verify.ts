import { setTimeout as sleep } from 'node:timers/promises';
import { defined } from '@ringfence/base';
import type { AuditKind } from '@ringfence/wire';
import { recordHash } from '../chain.ts';
import { type ChainName, type ChainRecord, ChainVerifier, chainKey } from '../verify/chain-verifier.ts';
import type { PublishedHead, Tampering, Verification } from '../verify/verification.ts';
import { type Cluster, openCluster } from './cluster.ts';
import { type AuditSource, chainedFields } from './documents/audit.ts';
import { type HeadSource, headOf, type PartitionHead } from './heads.ts';
import { type ClusterOptions, type IndexNames, namesOf } from './options.ts';

/** Records per page; a record has up to 1 MiB. */
const PAGE = 100;
/** Wait for a batch that is being written to get its head, ms. */
const HEAD_WAIT_MS = 3000;

interface AuditHit {
  readonly _source: { readonly 'host.id'?: string; readonly ringfence: { readonly audit: AuditSource } };
  readonly sort: readonly unknown[];
}

/**
 * Verifies every chain in the cluster. Retention deletes whole indices of the stream, oldest first; records missing
 * from a chain's beginning count as retired only as far as that explains them. Rejects with ClusterUnavailableError or
 * ClusterRequestError.
 */
export async function verifyCluster(
  options: ClusterOptions,
  published: readonly PublishedHead[],
  progress?: (records: number) => void,
): Promise<Verification> {
  const cluster = openCluster(options);
  try {
    return await new ClusterVerification(cluster, namesOf(options), published, progress).run();
  } finally {
    await cluster.close();
  }
}

class ClusterVerification {
  readonly #cluster: Cluster;
  readonly #names: IndexNames;
  readonly #published: readonly PublishedHead[];
  readonly #progress: ((records: number) => void) | undefined;
  #verified = 0;

  constructor(
    cluster: Cluster,
    names: IndexNames,
    published: readonly PublishedHead[],
    progress?: (records: number) => void,
  ) {
    this.#cluster = cluster;
    this.#names = names;
    this.#published = published;
    this.#progress = progress;
  }

  async run(): Promise<Verification> {
    // Read the heads first: records written in the meantime come after them.
    const { heads, trail } = await this.#heads();
    await this.#cluster.request('POST', `/${this.#names.audit}/_refresh`);
    const oldest = await this.#oldestIndex();
    const verifier = new ChainVerifier(this.#published, trail);
    for (const head of heads) for (const kind of head.chains.keys()) await this.#chain(verifier, head, kind, oldest);
    await this.#orphans(verifier, heads);
    await this.#foreignDocuments(verifier);
    return this.#withoutFinished(verifier.result());
  }

  async #chain(verifier: ChainVerifier, head: PartitionHead, kind: AuditKind, oldest: OldestIndex): Promise<void> {
    const state = head.chains.get(kind);
    if (state === undefined) return;
    const name: ChainName = { topic: head.topic, partition: head.partition, kind };
    let hasBegun = false;
    const begin = (firstSeq: number): void => {
      const baseSeq = Math.min(firstSeq - 1, this.#retirable(name, state.seq, oldest));
      const baseHash = baseSeq === 0 ? Buffer.alloc(32) : null;
      verifier.begin({ ...name, baseSeq, baseHash, headSeq: state.seq, headHash: state.hash, runsAhead: true });
      hasBegun = true;
    };
    for await (const record of this.#records(name)) {
      if (!hasBegun) begin(record.seq);
      verifier.record(record);
      if (++this.#verified % 1000 === 0) this.#progress?.(this.#verified);
    }
    if (!hasBegun) begin(state.seq + 1);
    verifier.end();
  }

  /**
   * Returns the highest sequence number that retention can have deleted: no deleted record is newer than the oldest
   * remaining index, so each precedes every head published after that index was created.
   */
  #retirable({ topic, partition, kind }: ChainName, headSeq: number, oldest: OldestIndex): number {
    if (oldest.generation <= 1) return 0;
    const published = this.#published.filter(
      (head) =>
        head.topic === topic &&
        head.partition === partition &&
        head.kind === kind &&
        (head.at ?? 0) >= oldest.createdAt,
    );
    return published.reduce((least, { seq }) => Math.min(least, seq), headSeq);
  }

  async *#records({ topic, partition, kind }: ChainName): AsyncGenerator<ChainRecord> {
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
        ...defined({ search_after: after }),
      };
      const hits = await this.#search<AuditHit>(this.#names.audit, body);
      for (const hit of hits) yield chainRecordOf(hit, kind);
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
        ...defined({ search_after: after }),
      };
      const hits = await this.#search<{ _source: HeadSource; sort: readonly unknown[] }>(this.#names.heads, body);
      heads.push(...hits.map(({ _source }) => headOf(_source, _source)));
      after = hits.at(-1)?.sort;
    } while (after !== undefined);
    const { body } = await this.#cluster.request<{ _source?: { trail: string } }>(
      'GET',
      `/${this.#names.heads}/_doc/trail`,
      { expectedStatuses: [404] },
    );
    return { heads, trail: body._source?.trail ?? '' };
  }

  async #search<T>(index: string, body: object): Promise<readonly T[]> {
    const response = await this.#cluster.request<{ hits: { hits: readonly T[] } }>('POST', `/${index}/_search`, {
      query: { allow_partial_search_results: false },
      body,
    });
    return response.body.hits.hits;
  }

  /** Reports records of chains without a head. */
  async #orphans(verifier: ChainVerifier, heads: readonly PartitionHead[]): Promise<void> {
    const known = new Set(
      heads.flatMap(({ topic, partition, chains }) =>
        [...chains.keys()].map((kind) => chainKey({ topic, partition, kind })),
      ),
    );
    let after: Readonly<Record<string, unknown>> | undefined;
    do {
      const sources = ['topic', 'partition', 'kind'].map((name) => ({
        [name]: { terms: { field: `ringfence.audit.${name}` } },
      }));
      const composite = { size: 1000, sources, ...defined({ after }) };
      const { body } = await this.#cluster.request<Aggregated>('POST', `/${this.#names.audit}/_search`, {
        query: { allow_partial_search_results: false },
        body: { size: 0, aggs: { chains: { composite } } },
      });
      const { buckets, after_key } = body.aggregations.chains;
      for (const { key, doc_count: count } of buckets) {
        if (!known.has(`${key.topic}/${key.partition}/${key.kind}`))
          verifier.report({ type: 'added', ...key, seq: 0, id: '', count });
      }
      after = after_key;
    } while (after !== undefined);
  }

  /** Reports documents that are not audit records. */
  async #foreignDocuments(verifier: ChainVerifier): Promise<void> {
    const query = {
      bool: { must_not: ['kind', 'seq'].map((name) => ({ exists: { field: `ringfence.audit.${name}` } })) },
    };
    const { body } = await this.#cluster.request<{ count: number }>('POST', `/${this.#names.audit}/_count`, {
      body: { query },
    });
    const { count } = body;
    if (count > 0) verifier.report({ type: 'added', topic: '', partition: 0, kind: 'events', seq: 0, id: '', count });
  }

  /** Removes problems of records behind a head that the head has passed in the meantime: they were being written. */
  async #withoutFinished(result: Verification): Promise<Verification> {
    const headSeqs = new Map(result.chains.map((chain) => [chainKey(chain), chain.seq]));
    const isAfterHead = (problem: Tampering): boolean =>
      problem.type === 'added' && problem.seq > (headSeqs.get(chainKey(problem)) ?? 0);
    if (!result.problems.some(isAfterHead)) return result;
    await sleep(HEAD_WAIT_MS);
    const { heads } = await this.#heads();
    const newSeqs = new Map(
      heads.flatMap(({ topic, partition, chains }) =>
        Array.from(chains, ([kind, { seq }]): [string, number] => [chainKey({ topic, partition, kind }), seq]),
      ),
    );
    const isFinished = (problem: Tampering): boolean =>
      isAfterHead(problem) && problem.seq <= (newSeqs.get(chainKey(problem)) ?? 0);
    const problems = result.problems.filter((problem) => !isFinished(problem));
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

/** The oldest remaining index of the stream. */
interface OldestIndex {
  /** Starts at 1; at 1 no index was deleted */
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

function chainRecordOf({ _source }: AuditHit, kind: AuditKind): ChainRecord {
  const { audit } = _source.ringfence;
  const prevHash = Buffer.from(String(audit.prev_hash), 'hex');
  const hash = Buffer.from(String(audit.hash), 'hex');
  const isIntact = audit.kind === kind && matchesHash(audit, _source['host.id'] ?? '', prevHash, hash);
  return { seq: Number(audit.seq), id: String(audit.id), prevHash, hash, isIntact };
}

/** Any error means a mismatch: a tampered document may contain anything. */
function matchesHash(audit: AuditSource, hostId: string, prevHash: Buffer, hash: Buffer): boolean {
  try {
    return recordHash(prevHash, chainedFields(audit, hostId)).equals(hash);
  } catch {
    return false;
  }
}
