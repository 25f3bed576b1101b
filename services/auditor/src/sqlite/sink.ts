import { type AuditKind, AuditKinds, topics } from '@ringfence/schema';
import type { CompiledAuditorOptions } from '../config.ts';
import type { AuditBatch, AuditEntry, AuditSink, SinkStats, SourcePosition } from '../sink.ts';
import { kindNumber } from './chain.ts';
import { Chains } from './chains.ts';
import { openForWriting, type Sqlite, storageError } from './database.ts';
import { readDrops } from './drops.ts';
import { RecordWriter } from './record-writer.ts';
import { Retention } from './retention.ts';

/** Their offsets have holes by nature. */
const COMPACTED: ReadonlySet<string> = new Set(topics.filter(({ compacted }) => compacted).map(({ name }) => name));

interface Tally {
  readonly stored: Record<AuditKind, number>;
  events: number;
  duplicates: number;
  conflicts: number;
  missed: number;
  payloadBytes: number;
  storedBytes: number;
}

export interface SqliteSinkOptions extends Omit<CompiledAuditorOptions, 'eventLingerMs'> {
  /** µs since the epoch. @default the wall clock */
  readonly now?: () => number;
}

/** The audit trail in one SQLite file: rows, what they are found by, chain heads and source positions change in one transaction. */
export class SqliteSink implements AuditSink {
  /** where a damaged file was put at open; null: there was none */
  readonly movedAside: string | null;
  readonly #options: SqliteSinkOptions;
  readonly #db: Sqlite;
  readonly #chains: Chains;
  readonly #records: RecordWriter;
  readonly #retention: Retention;
  readonly #position;
  readonly #advance;
  readonly #store;
  readonly #total = emptyTally();
  #newestEvent: number;

  /** Throws AuditStorageError, AuditBusyError, AuditFullError, AuditVersionError. */
  constructor(options: SqliteSinkOptions) {
    const { db, movedAside } = openForWriting(options.path, options.synchronous);
    this.#options = options;
    this.movedAside = movedAside;
    this.#db = db;
    this.#chains = new Chains(db);
    this.#records = new RecordWriter(db, this.#chains);
    this.#retention = new Retention(db, options.path, options.maxBytes);
    this.#position = db.prepare<[string, number], { next: number }>(
      'SELECT next FROM positions WHERE topic = ? AND partition = ?',
    );
    this.#advance = db.prepare(
      `INSERT INTO positions (topic, partition, next) VALUES (?, ?, ?)
       ON CONFLICT (topic, partition) DO UPDATE SET next = excluded.next`,
    );
    this.#newestEvent =
      db
        .prepare<[number], { newest: number | null }>('SELECT max(timestamp) AS newest FROM records WHERE kind = ?')
        .get(kindNumber.events)?.newest ?? 0;
    this.#store = db.transaction((batch: AuditBatch) => this.#apply(batch));
  }

  async write(batch: AuditBatch): Promise<void> {
    try {
      addTally(this.#total, this.#store.immediate(batch));
    } catch (error) {
      throw storageError(this.#options.path, error);
    } finally {
      this.#chains.forget();
    }
  }

  #apply(batch: AuditBatch): Tally {
    const tally = emptyTally();
    for (const position of batch.positions) this.#enter(position, tally);
    for (const entry of batch.entries) this.#write(entry, tally);
    this.#chains.save();
    this.#retention.apply(this.#cutoff());
    return tally;
  }

  /** Moves a source's position; back too, when it delivers again or a log was begun anew: only ids tell what is there already. */
  #enter({ topic, partition, from, next }: SourcePosition, tally: Tally): void {
    const stored = this.#position.get(topic, partition)?.next;
    if (stored !== undefined && from > stored && !COMPACTED.has(topic)) tally.missed += from - stored;
    this.#advance.run(topic, partition, next);
  }

  #write(entry: AuditEntry, tally: Tally): void {
    const stored = this.#records.write(entry);
    if (stored.outcome === 'stored') {
      tally.stored[entry.kind]++;
      tally.events += entry.eventCount;
      tally.payloadBytes += entry.payload.length;
      tally.storedBytes += stored.bytes;
      if (entry.kind === 'events') this.#newestEvent = Math.max(this.#newestEvent, entry.until);
    } else if (stored.outcome === 'duplicate') tally.duplicates++;
    else tally.conflicts++;
  }

  /** Never by an event's time alone: one from a host whose clock runs ahead would clear the trail. */
  #cutoff(): number {
    const now = this.#options.now?.() ?? Date.now() * 1000;
    return Math.min(this.#newestEvent, now) - this.#options.eventRetentionMs * 1000;
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

function emptyTally(): Tally {
  const stored = Object.fromEntries(AuditKinds.map((kind) => [kind, 0])) as Record<AuditKind, number>;
  return { stored, events: 0, duplicates: 0, conflicts: 0, missed: 0, payloadBytes: 0, storedBytes: 0 };
}

function addTally(total: Tally, added: Tally): void {
  for (const kind of AuditKinds) total.stored[kind] += added.stored[kind];
  total.events += added.events;
  total.duplicates += added.duplicates;
  total.conflicts += added.conflicts;
  total.missed += added.missed;
  total.payloadBytes += added.payloadBytes;
  total.storedBytes += added.storedBytes;
}
