import type { Log } from '@ringfence/base';
import type { AuditBatch, AuditEntry, AuditSink, Rejection, SinkStats, SourcePosition, TrailHeads } from '../sink.ts';
import { addTally, COMPACTED, emptyTally, type Tally } from '../tally.ts';
import { bulk, type Put } from './bulk.ts';
import { type Cluster, openCluster } from './cluster.ts';
import { digestOf, idOf } from './documents/audit.ts';
import { createDocuments, type DocumentsOf, type TrustedRoles } from './documents/index.ts';
import { ClusterUnavailableError, DocumentRejectedError } from './errors.ts';
import { headId, headPut, loadHeads, type PartitionHead, versionOf } from './heads.ts';
import { type Known, KnownEntries } from './known.ts';
import { type ClusterOptions, type Names, namesOf } from './options.ts';
import { type Planned, planChains } from './plan.ts';
import { setUp } from './setup.ts';

/** An entry with what it is known by. */
export interface Keyed {
  readonly entry: AuditEntry;
  readonly id: string;
  readonly digest: string;
}

/** As many records of a partition as whoever had it before may have had in hand, twice. */
const LOOKED_UP = 256;

interface PartitionMemory {
  /** of the head as we left it */
  version: number;
  /** records whose documents are still looked up before they are written */
  doubtful: number;
}

export interface ClusterSinkDeps {
  readonly options: ClusterOptions;
  readonly log: Log;
  /** given: documents say whether their record's signature is that of someone who may write it */
  readonly trusted?: TrustedRoles | undefined;
}

/**
 * The audit trail in Elasticsearch or OpenSearch. A batch is written in three steps, each durable before the next: the documents that people search, the
 * chained records in the audit stream, the heads. What a crash or a failure leaves half done is found by id and carried on: a chain follows from the records
 * alone, so whoever writes it again writes the same.
 */
export class ClusterSink implements AuditSink {
  readonly executionsApart = false;
  readonly #options: ClusterOptions;
  readonly #log: Log;
  readonly #cluster: Cluster;
  readonly #names: Names;
  readonly #known: KnownEntries;
  readonly #documents: DocumentsOf;
  readonly #partitions = new Map<string, PartitionMemory>();
  readonly #grown = new Map<string, PartitionHead>();
  readonly #total = emptyTally();
  #trail: string | undefined;

  /** Connects at the first write, so that the cluster may start later. Throws ClusterSetupError. */
  constructor({ options, log, trusted }: ClusterSinkDeps) {
    this.#options = options;
    this.#log = log;
    this.#cluster = openCluster(options);
    this.#names = namesOf(options);
    this.#known = new KnownEntries(this.#cluster, this.#names);
    this.#documents = createDocuments(this.#names, options.eventSample, trusted);
  }

  async write(batch: AuditBatch): Promise<readonly Rejection[]> {
    this.#trail ??= (await setUp(this.#cluster, this.#options, this.#log)).trail;
    if (batch.positions.length === 0) return [];
    try {
      return await this.#store(batch);
    } catch (error) {
      // Some of it may be there: all of it is looked up when it comes again.
      for (const position of batch.positions) this.#partitions.delete(headId(position));
      throw error;
    }
  }

  async #store({ entries, positions }: AuditBatch): Promise<readonly Rejection[]> {
    const tally = emptyTally();
    const heads = await loadHeads(this.#cluster, this.#names, positions);
    const doubtful = await this.#enter(positions, heads, tally);
    const keyed = entries.map((entry) => ({ entry, id: idOf(entry.kind, entry.id), digest: digestOf(entry.payload) }));
    const known = await this.#known.entries(keyed.map(({ id }) => id));
    const rejections = await this.#writeDocuments(keyed, known, doubtful);
    const planned = planChains(keyed, known, heads, this.#names.audit, tally);
    const refused = new Set(rejections.map(({ entry }) => idOf(entry.kind, entry.id)));
    await this.#writeChains(planned, refused);
    await this.#writeHeads(positions, heads);
    // If the dead letters don't reach the bus, the records come again, and what was refused is to be told again.
    for (const { entry } of rejections) this.#partitions.delete(headId(entry));
    addTally(this.#total, tally);
    return rejections;
  }

  /** Which partitions someone else may have written since we last did. */
  async #enter(
    positions: readonly SourcePosition[],
    heads: ReadonlyMap<string, PartitionHead>,
    tally: Tally,
  ): Promise<Set<string>> {
    const doubtful = new Set<string>();
    let isNew = false;
    for (const { topic, partition, from } of positions) {
      const id = headId({ topic, partition });
      const head = heads.get(id);
      if (head?.next !== undefined && from > head.next && !COMPACTED.has(topic)) tally.missed += from - head.next;
      const version = head === undefined ? 0 : versionOf(head);
      if (this.#partitions.get(id)?.version !== version) {
        isNew = true;
        this.#partitions.set(id, { version, doubtful: LOOKED_UP });
      }
      if ((this.#partitions.get(id)?.doubtful ?? 0) > 0) doubtful.add(id);
    }
    if (isNew) await this.#known.refresh();
    return doubtful;
  }

  async #writeDocuments(
    keyed: readonly Keyed[],
    known: ReadonlyMap<string, Known>,
    doubtful: ReadonlySet<string>,
  ): Promise<Rejection[]> {
    const puts: { readonly put: Put; readonly entry: AuditEntry; readonly isDoubtful: boolean }[] = [];
    for (const { entry, id } of keyed) {
      const isDoubtful = doubtful.has(headId(entry));
      // A record is chained when its documents are written, so a known one has them; but what was refused of it by someone who died is to be told again.
      const there = known.get(id);
      if (there !== undefined && (there.isOurs || !isDoubtful)) continue;
      for (const put of this.#documents(entry)) puts.push({ put, entry, isDoubtful });
    }
    const there = await this.#present(puts.filter(({ isDoubtful }) => isDoubtful).map(({ put }) => put));
    const missing = puts.filter(({ put }) => !there.has(placeOf(put)));
    const outcomes = await bulk(
      this.#cluster,
      missing.map(({ put }) => put),
      this.#options,
    );
    const refused = new Map<AuditEntry, { index: string; count: number; reason: string }>();
    for (const [i, outcome] of outcomes.entries()) {
      const one = missing[i];
      if (outcome.outcome !== 'rejected' || one === undefined) continue;
      const before = refused.get(one.entry);
      if (before === undefined) refused.set(one.entry, { index: one.put.index, count: 1, reason: outcome.reason });
      else before.count++;
    }
    return Array.from(refused, ([entry, { index, count, reason }]) => ({
      entry,
      error: new DocumentRejectedError(index, count, reason),
    }));
  }

  /** Created documents, not those that have versions, that are in their stream whichever of its indices they are in. */
  async #present(puts: readonly Put[]): Promise<Set<string>> {
    const byStream = Map.groupBy(
      puts.filter(({ version }) => version === undefined),
      ({ index }) => index,
    );
    const there = new Set<string>();
    for (const [index, some] of byStream) {
      const ids = await this.#known.documents(
        index,
        some.map(({ id }) => id),
      );
      for (const id of ids) there.add(placeOf({ index, id }));
    }
    return there;
  }

  async #writeChains(planned: readonly Planned[], refused: ReadonlySet<string>): Promise<void> {
    const outcomes = await bulk(
      this.#cluster,
      planned.map(({ put }) => put),
      this.#options,
    );
    for (const outcome of outcomes) {
      if (outcome.outcome === 'stored') continue;
      // There although it was looked up: another auditor has this partition too. Its records are ours, so the next attempt finds them.
      const reason = outcome.outcome === 'there' ? 'another auditor wrote the same record just now' : outcome.reason;
      throw new ClusterUnavailableError(`bulk into ${this.#names.audit}`, 409, reason);
    }
    await this.#known.remember(
      planned.map(({ put, known }) => [put.id, { ...known, isOurs: !refused.has(put.id) }] as const),
    );
  }

  async #writeHeads(positions: readonly SourcePosition[], heads: ReadonlyMap<string, PartitionHead>): Promise<void> {
    const moved = positions.flatMap(({ topic, partition, next }) => {
      const head = heads.get(headId({ topic, partition }));
      return head === undefined ? [] : [Object.assign(head, { next })];
    });
    const puts = moved.map((head) => headPut(this.#names, head));
    for (const [i, outcome] of (await bulk(this.#cluster, puts, this.#options)).entries()) {
      if (outcome.outcome === 'stored') continue;
      const reason = outcome.outcome === 'there' ? 'another auditor has gone on with this partition' : outcome.reason;
      throw new ClusterUnavailableError(`head of ${puts[i]?.id}`, 409, reason);
    }
    for (const [i, head] of moved.entries()) {
      const id = headId(head);
      const memory = this.#partitions.get(id);
      const position = positions[i];
      if (memory === undefined || position === undefined) continue;
      memory.version = versionOf(head);
      memory.doubtful = Math.max(0, memory.doubtful - (position.next - position.from));
      this.#grown.set(id, head);
    }
  }

  async heads(): Promise<TrailHeads> {
    const heads = [...this.#grown.values()].flatMap(({ topic, partition, chains }) =>
      Array.from(chains, ([kind, { seq, hash, offset }]) => ({
        ...{ topic, partition, kind, seq, offset },
        hash: hash.toString('hex'),
      })),
    );
    this.#grown.clear();
    return { trail: this.#trail ?? '', heads: heads.filter(({ seq }) => seq > 0) };
  }

  stats(): SinkStats {
    return { ...this.#total, stored: { ...this.#total.stored }, dropped: [], usedBytes: 0, maxBytes: 0 };
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }
}

const placeOf = ({ index, id }: Pick<Put, 'index' | 'id'>): string => `${index} ${id}`;
