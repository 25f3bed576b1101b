import type { Log } from '@ringfence/base';
import type { KeyLookupByRole } from '@ringfence/ecs';
import type { AuditBatch, AuditEntry, AuditSink, Rejection, SinkStats, SourcePosition, TrailHeads } from '../sink.ts';
import { addTally, COMPACTED_TOPICS, emptyTally, type Tally } from '../tally.ts';
import { bulk, type Put } from './bulk.ts';
import { type Cluster, openCluster } from './cluster.ts';
import { digestOf, idOf } from './documents/audit.ts';
import { createDocuments, type DocumentFactory } from './documents/index.ts';
import { ClusterUnavailableError, DocumentRejectedError } from './errors.ts';
import { headId, headPut, loadHeads, type PartitionHead, versionOf } from './heads.ts';
import { KnownEntries, type KnownEntry } from './known-entries.ts';
import { type ClusterOptions, type IndexNames, namesOf } from './options.ts';
import { type KeyedEntry, type PlannedRecord, planChains } from './plan.ts';
import { setUpCluster } from './setup.ts';

/** Twice the number of records that a previous owner of the partition may have been writing. */
const RECHECKED_RECORDS = 256;

interface PartitionState {
  /** Version of the head when this process last wrote it */
  version: number;
  /** Number of records whose documents are still looked up before they are written */
  recheck: number;
}

export interface ClusterSinkDeps {
  readonly options: ClusterOptions;
  readonly log: Log;
  /** Keys for verifying record signatures; with them, documents contain the result */
  readonly trusted?: KeyLookupByRole | undefined;
}

/**
 * The audit trail in Elasticsearch or OpenSearch. A batch is written in three steps, each durable before the next: the
 * searchable documents, the chained records in the audit stream, the heads. A retry finds the results of an interrupted
 * attempt by id and continues: the chain depends only on the records, so every writer produces the same.
 */
export class ClusterSink implements AuditSink {
  readonly separateExecutions = false;
  readonly #options: ClusterOptions;
  readonly #log: Log;
  readonly #cluster: Cluster;
  readonly #names: IndexNames;
  readonly #known: KnownEntries;
  readonly #documents: DocumentFactory;
  readonly #partitions = new Map<string, PartitionState>();
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
    this.#documents = createDocuments(this.#names, options, trusted);
  }

  async write(batch: AuditBatch): Promise<readonly Rejection[]> {
    this.#trail ??= (await setUpCluster(this.#cluster, this.#options, this.#log)).trail;
    if (batch.positions.length === 0) return [];
    try {
      return await this.#store(batch);
    } catch (error) {
      // Some documents may have been written: look all of them up at the retry.
      for (const position of batch.positions) this.#partitions.delete(headId(position));
      throw error;
    }
  }

  async #store({ entries, positions }: AuditBatch): Promise<readonly Rejection[]> {
    const tally = emptyTally();
    const heads = await loadHeads(this.#cluster, this.#names, positions);
    const recheck = await this.#updatePartitions(positions, heads, tally);
    const keyed = entries.map((entry) => ({ entry, id: idOf(entry.kind, entry.id), digest: digestOf(entry.payload) }));
    const known = await this.#known.entries(keyed.map(({ id }) => id));
    const rejections = await this.#writeDocuments(keyed, known, recheck);
    const planned = planChains(keyed, known, heads, this.#names.audit, tally);
    const refused = new Set(rejections.map(({ entry }) => idOf(entry.kind, entry.id)));
    await this.#writeChains(planned, refused);
    await this.#writeHeads(positions, heads);
    // If the dead letters do not reach the bus, the batch is retried. Recheck these partitions, so that the rejections
    // are reported again.
    for (const { entry } of rejections) this.#partitions.delete(headId(entry));
    addTally(this.#total, tally);
    return rejections;
  }

  /** Returns the partitions that another process may have written since this process last did. */
  async #updatePartitions(
    positions: readonly SourcePosition[],
    heads: ReadonlyMap<string, PartitionHead>,
    tally: Tally,
  ): Promise<Set<string>> {
    const recheck = new Set<string>();
    let isNew = false;
    for (const { topic, partition, from } of positions) {
      const id = headId({ topic, partition });
      const head = heads.get(id);
      if (head?.next !== undefined && from > head.next && !COMPACTED_TOPICS.has(topic))
        tally.missed += from - head.next;
      const version = head === undefined ? 0 : versionOf(head);
      if (this.#partitions.get(id)?.version !== version) {
        isNew = true;
        this.#partitions.set(id, { version, recheck: RECHECKED_RECORDS });
      }
      if ((this.#partitions.get(id)?.recheck ?? 0) > 0) recheck.add(id);
    }
    if (isNew) await this.#known.refresh();
    return recheck;
  }

  async #writeDocuments(
    keyed: readonly KeyedEntry[],
    known: ReadonlyMap<string, KnownEntry>,
    recheck: ReadonlySet<string>,
  ): Promise<Rejection[]> {
    const puts: { readonly put: Put; readonly entry: AuditEntry; readonly isRechecked: boolean }[] = [];
    for (const { entry, id } of keyed) {
      const isRechecked = recheck.has(headId(entry));
      // A record is chained after its documents, so a known record has them. After a change of owner they are written
      // again nevertheless, to report rejections that the previous owner may not have reported.
      const knownEntry = known.get(id);
      if (knownEntry !== undefined && (knownEntry.writtenByUs || !isRechecked)) continue;
      for (const put of this.#documents(entry)) puts.push({ put, entry, isRechecked });
    }
    const existing = await this.#existing(puts.filter(({ isRechecked }) => isRechecked).map(({ put }) => put));
    const missing = puts.filter(({ put }) => !existing.has(locationOf(put)));
    const outcomes = await bulk(
      this.#cluster,
      missing.map(({ put }) => put),
      this.#options,
    );
    const refused = new Map<AuditEntry, { index: string; count: number; reason: string }>();
    for (const [i, outcome] of outcomes.entries()) {
      const target = missing[i];
      if (outcome.outcome !== 'rejected' || target === undefined) continue;
      const rejected = refused.get(target.entry);
      if (rejected === undefined)
        refused.set(target.entry, { index: target.put.index, count: 1, reason: outcome.reason });
      else rejected.count++;
    }
    return Array.from(refused, ([entry, { index, count, reason }]) => ({
      entry,
      error: new DocumentRejectedError(index, count, reason),
    }));
  }

  /** Returns the locations of unversioned documents that exist in any backing index of their stream. */
  async #existing(puts: readonly Put[]): Promise<Set<string>> {
    const byStream = Map.groupBy(
      puts.filter(({ version }) => version === undefined),
      ({ index }) => index,
    );
    const locations = new Set<string>();
    for (const [index, group] of byStream) {
      const ids = await this.#known.documents(
        index,
        group.map(({ id }) => id),
      );
      for (const id of ids) locations.add(locationOf({ index, id }));
    }
    return locations;
  }

  async #writeChains(planned: readonly PlannedRecord[], refused: ReadonlySet<string>): Promise<void> {
    const outcomes = await bulk(
      this.#cluster,
      planned.map(({ put }) => put),
      this.#options,
    );
    for (const outcome of outcomes) {
      if (outcome.outcome === 'stored') continue;
      // The record exists although the lookup did not find it: another auditor writes this partition too. It writes the
      // same records, so the retry finds them.
      const reason = outcome.outcome === 'exists' ? 'another auditor has just written the same record' : outcome.reason;
      throw new ClusterUnavailableError(`bulk into ${this.#names.audit}`, 409, reason);
    }
    await this.#known.remember(
      planned.map(({ put, known }) => [put.id, { ...known, writtenByUs: !refused.has(put.id) }] as const),
    );
  }

  async #writeHeads(positions: readonly SourcePosition[], heads: ReadonlyMap<string, PartitionHead>): Promise<void> {
    const advanced = positions.flatMap(({ topic, partition, next }) => {
      const head = heads.get(headId({ topic, partition }));
      return head === undefined ? [] : [Object.assign(head, { next })];
    });
    const puts = advanced.map((head) => headPut(this.#names, head));
    for (const [i, outcome] of (await bulk(this.#cluster, puts, this.#options)).entries()) {
      if (outcome.outcome === 'stored') continue;
      const reason = outcome.outcome === 'exists' ? 'another auditor has continued this partition' : outcome.reason;
      throw new ClusterUnavailableError(`head of ${puts[i]?.id}`, 409, reason);
    }
    for (const [i, head] of advanced.entries()) {
      const id = headId(head);
      const state = this.#partitions.get(id);
      const position = positions[i];
      if (state === undefined || position === undefined) continue;
      state.version = versionOf(head);
      state.recheck = Math.max(0, state.recheck - (position.next - position.from));
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

const locationOf = ({ index, id }: Pick<Put, 'index' | 'id'>): string => `${index} ${id}`;
