import { randomUUID } from 'node:crypto';
import type { AuditKind } from '@ringfence/wire';
import { kindNumber, kindOf } from '../chain.ts';
import type { SqliteOptions } from '../config.ts';
import type { AuditBatch, AuditEntry, AuditSink, Rejection, SinkStats, SourcePosition, TrailHeads } from '../sink.ts';
import { addTally, COMPACTED_TOPICS, emptyTally, type Tally } from '../tally.ts';
import { Chains } from './chains.ts';
import { openForWriting, type Sqlite, storageError } from './database.ts';
import { readDrops } from './drops.ts';
import { HeldRecords } from './held-records.ts';
import { Holds } from './holds.ts';
import { RecordWriter } from './record-writer.ts';
import { Retention } from './retention.ts';

export interface SqliteSinkOptions extends SqliteOptions {
  /** µs since the epoch. @default the wall clock */
  readonly now?: () => number;
}

interface HeadRow {
  readonly chain: number;
  readonly topic: string;
  readonly partition: number;
  readonly kind: number;
  readonly seq: number;
  readonly hash: Buffer;
  readonly offset: number | null;
}

/** The audit trail in one SQLite file. Each batch is one transaction with its index rows, heads and positions. */
export class SqliteSink implements AuditSink {
  readonly separateExecutions = true;
  /** Where a damaged file was moved on opening; null when it was intact */
  readonly movedAside: string | null;
  readonly #options: SqliteSinkOptions;
  readonly #db: Sqlite;
  readonly #chains: Chains;
  readonly #records: RecordWriter;
  readonly #holds: Holds;
  readonly #held: HeldRecords;
  readonly #retention: Retention;
  readonly #position;
  readonly #setPosition;
  readonly #store;
  readonly #total = emptyTally();
  readonly #heads;
  /** Sequence number last returned by heads(), by chain */
  readonly #reportedSeqs = new Map<number, number>();
  readonly #trail: string;
  readonly #released: string[] = [];
  #newestEvent: number;

  /** Throws AuditStorageError, AuditBusyError, AuditFullError, AuditVersionError. */
  constructor(options: SqliteSinkOptions) {
    const { db, movedAside } = openForWriting(options.path, options.synchronous);
    this.#options = options;
    this.movedAside = movedAside;
    this.#db = db;
    this.#chains = new Chains(db);
    this.#records = new RecordWriter(db, this.#chains);
    this.#holds = new Holds(db, Math.min(options.holdMaxBytes ?? options.maxBytes / 4, options.maxBytes / 2));
    this.#held = new HeldRecords(db, this.#holds, this.#records);
    this.#retention = new Retention(db, options.path, options.maxBytes, this.#held);
    this.#position = db.prepare<[string, number], { next: number }>(
      'SELECT next FROM positions WHERE topic = ? AND partition = ?',
    );
    this.#setPosition = db.prepare(
      `INSERT INTO positions (topic, partition, next) VALUES (?, ?, ?)
       ON CONFLICT (topic, partition) DO UPDATE SET next = excluded.next`,
    );
    this.#newestEvent =
      db
        .prepare<[number], { newest: number | null }>('SELECT max(timestamp) AS newest FROM records WHERE kind = ?')
        .get(kindNumber.events)?.newest ?? 0;
    this.#heads = db.prepare<[], HeadRow>(
      `SELECT c.chain, topic, partition, c.kind, head_seq AS seq, head_hash AS hash,
       (SELECT source_offset FROM records r WHERE r.chain = c.chain AND r.seq = c.head_seq) AS offset FROM chains c WHERE head_seq > 0`,
    );
    this.#trail = trailName(db);
    this.#store = db.transaction((batch: AuditBatch) => this.#apply(batch));
  }

  async write(batch: AuditBatch): Promise<readonly Rejection[]> {
    try {
      addTally(this.#total, this.#store.immediate(batch));
      return [];
    } catch (error) {
      throw storageError(this.#options.path, error);
    } finally {
      this.#released.length = 0;
      this.#chains.clear();
    }
  }

  #apply(batch: AuditBatch): Tally {
    const tally = emptyTally();
    for (const position of batch.positions) this.#updatePosition(position, tally);
    for (const entry of batch.entries) this.#write(entry, tally);
    const now = this.#options.now?.() ?? Date.now() * 1000;
    this.#retention.apply(this.#cutoff(now), now);
    this.#chains.save();
    for (const incident of this.#released.splice(0)) this.#retention.release(incident);
    return tally;
  }

  /**
   * Sets the position of a source partition. It also moves back, after a redelivery or when a log was recreated;
   * duplicates are detected by id alone.
   */
  #updatePosition({ topic, partition, from, next }: SourcePosition, tally: Tally): void {
    const stored = this.#position.get(topic, partition)?.next;
    if (stored !== undefined && from > stored && !COMPACTED_TOPICS.has(topic)) tally.missed += from - stored;
    this.#setPosition.run(topic, partition, next);
  }

  #write(entry: AuditEntry, tally: Tally): void {
    const stored = this.#records.write(entry);
    if (stored.outcome === 'stored') {
      tally.stored[entry.kind]++;
      tally.events += entry.eventCount;
      tally.payloadBytes += entry.payload.length;
      tally.storedBytes += stored.bytes;
      if (entry.incident !== null) this.#holds.incidentStored(entry.incident.id);
      if (entry.kind === 'operator') this.#applyHold(entry);
      if (entry.kind === 'events') this.#newestEvent = Math.max(this.#newestEvent, entry.until);
    } else if (stored.outcome === 'duplicate') tally.duplicates++;
    else tally.conflicts++;
  }

  /** What a released hold kept is dropped at the end of the transaction, when the heads of its chain are saved. */
  #applyHold({ payload }: AuditEntry): void {
    const { released } = this.#holds.apply(payload, this.#held.bytes);
    if (released !== null) this.#released.push(released);
  }

  /** Bounded by the wall clock: an event from a host whose clock runs ahead must not expire the whole trail. */
  #cutoff(now: number): number {
    return Math.min(this.#newestEvent, now) - this.#options.eventRetentionMs * 1000;
  }

  async heads(): Promise<TrailHeads> {
    const grown = this.#heads.all().filter(({ chain, seq }) => this.#reportedSeqs.get(chain) !== seq);
    for (const { chain, seq } of grown) this.#reportedSeqs.set(chain, seq);
    const heads = grown.map(({ topic, partition, kind, seq, hash, offset }) => ({
      ...{ topic, partition, seq },
      kind: kindOf(kind) as AuditKind,
      hash: hash.toString('hex'),
      offset: offset ?? -1,
    }));
    return { trail: this.#trail, heads };
  }

  stats(): SinkStats {
    return {
      ...this.#total,
      stored: { ...this.#total.stored },
      dropped: readDrops(this.#db),
      usedBytes: this.#retention.usedBytes(),
      maxBytes: this.#options.maxBytes,
    };
  }

  async close(): Promise<void> {
    this.#db.close();
  }
}

/** Returns the trail's name, created with the file: heads published for another trail do not apply to it. */
function trailName(db: Sqlite): string {
  db.exec('CREATE TABLE IF NOT EXISTS trail (name TEXT PRIMARY KEY)');
  db.prepare('INSERT INTO trail (name) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM trail)').run(randomUUID());
  return db.prepare<[], { name: string }>('SELECT name FROM trail').get()?.name ?? '';
}
