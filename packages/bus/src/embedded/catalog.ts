import type { Database } from 'better-sqlite3';
import { TopicSpecError, UnknownTopicError } from '../errors.ts';
import { checkTopicSpec } from '../limits.ts';
import type { TopicSpec } from '../port.ts';
import { PartitionLog, type PartitionRow } from './partition-log.ts';

interface TopicRow {
  readonly name: string;
  readonly partitions: number;
  readonly compacted: number;
  readonly retention_ms: number | null;
  readonly retention_bytes: number | null;
}

/** The topics and the logs of their partitions, as in the database. */
export class Catalog {
  readonly #db: Database;
  readonly #topics: Map<string, PartitionLog[]> = new Map();

  constructor(db: Database) {
    this.#db = db;
    for (const row of db.prepare<[], TopicRow>('SELECT * FROM topics').all()) this.#load(specOf(row));
  }

  partitions(topic: string): readonly PartitionLog[] {
    const found = this.#topics.get(topic);
    if (found === undefined) throw new UnknownTopicError(topic);
    return found;
  }

  all(): readonly PartitionLog[] {
    return [...this.#topics.values()].flat();
  }

  /** Creates or updates a topic inside a transaction. The caller calls `forget` when the transaction fails. */
  ensure(spec: TopicSpec): void {
    checkTopicSpec(spec);
    const existing = this.#topics.get(spec.name);
    if (existing === undefined) {
      this.#create(spec);
      return;
    }
    const current = existing[0]!.spec;
    if (current.partitions !== spec.partitions) {
      throw new TopicSpecError(
        spec.name,
        `it has ${current.partitions} partitions, not ${spec.partitions}, and keys would move: use a new topic`,
      );
    }
    if (current.compacted !== spec.compacted) {
      throw new TopicSpecError(
        spec.name,
        `it is ${current.compacted ? '' : 'not '}compacted, which cannot change: use a new topic`,
      );
    }
    this.#store(spec);
    for (const log of existing) log.spec = spec;
  }

  #create(spec: TopicSpec): void {
    this.#store(spec);
    const insert = this.#db.prepare('INSERT INTO partitions (topic, partition) VALUES (?, ?)');
    for (let partition = 0; partition < spec.partitions; partition++) {
      const table = `p${insert.run(spec.name, partition).lastInsertRowid}`;
      this.#db.exec(
        `CREATE TABLE ${table} (offset INTEGER PRIMARY KEY, ts INTEGER NOT NULL, key TEXT NOT NULL, value BLOB)`,
      );
      if (!spec.compacted) continue;
      this.#db.exec(`CREATE INDEX ${table}_key ON ${table} (key)`);
      this.#db.exec(`CREATE INDEX ${table}_tombstones ON ${table} (ts) WHERE value IS NULL`);
    }
    this.#load(spec);
  }

  #store(spec: TopicSpec): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO topics VALUES (?, ?, ?, ?, ?)')
      .run(spec.name, spec.partitions, spec.compacted ? 1 : 0, finite(spec.retentionMs), finite(spec.retentionBytes));
  }

  #load(spec: TopicSpec): void {
    const rows = this.#db
      .prepare<[string], PartitionRow>('SELECT * FROM partitions WHERE topic = ? ORDER BY partition')
      .all(spec.name);
    this.#topics.set(
      spec.name,
      rows.map((row) => new PartitionLog(this.#db, row, spec)),
    );
  }

  /** Reverts the topics in memory to the database, after a failed `ensure`. */
  forget(topics: readonly TopicSpec[]): void {
    const stored = new Map(
      this.#db
        .prepare<[], TopicRow>('SELECT * FROM topics')
        .all()
        .map((row) => [row.name, specOf(row)]),
    );
    for (const { name } of topics) {
      const spec = stored.get(name);
      if (spec === undefined) this.#topics.delete(name);
      else for (const log of this.#topics.get(name) ?? []) log.spec = spec;
    }
  }
}

function specOf(row: TopicRow): TopicSpec {
  return {
    name: row.name,
    partitions: row.partitions,
    compacted: row.compacted === 1,
    retentionMs: row.retention_ms ?? Infinity,
    retentionBytes: row.retention_bytes ?? Infinity,
  };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
