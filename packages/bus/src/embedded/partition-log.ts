import type { Database, Statement } from 'better-sqlite3';
import type { InRecord, TopicSpec } from '../port.ts';
import { PartitionReader } from './partition-reader.ts';
import { copyOf, Tail } from './tail.ts';

/** Bytes of a record beside its value, approximately: key, row and page overhead. */
export const RECORD_OVERHEAD = 64;

export interface PartitionRow {
  readonly id: number;
  readonly partition: number;
  readonly accounted_to: number;
  readonly bytes: number;
}

/**
 * The writer of one partition. Appends and deletes inside a transaction of the bus, which calls `markCommitted` or
 * `revert` at its end. Never deletes the newest record, because the next offset is read from it at open.
 */
export class PartitionLog extends PartitionReader {
  spec: TopicSpec;
  first: number;
  next: number;
  bytes: number;
  lastTimestamp: number;
  /** Records below this offset are compacted. */
  compactedTo = 0;
  /** Called after a commit that has appended. */
  readonly listeners: Set<() => void> = new Set();
  readonly #tail = new Tail();
  #committed: { first: number; next: number; bytes: number };
  readonly #insert: Statement<[number, number, string, Uint8Array | null]>;
  readonly #size: Statement<[number], { records: number; bytes: number }>;
  readonly #trim: Statement<[number]>;
  readonly #saveSize: Statement<[number, number, number]>;
  readonly #delete: Statement<[number]>;

  constructor(db: Database, row: PartitionRow, spec: TopicSpec) {
    super(db, row.id, spec.name, row.partition);
    this.spec = spec;
    const table = `p${row.id}`;
    this.#insert = db.prepare(`INSERT INTO ${table} (offset, ts, key, value) VALUES (?, ?, ?, ?)`);
    this.#size = db.prepare(
      `SELECT count(*) AS records, total(ifnull(length(value), 0) + ${RECORD_OVERHEAD}) AS bytes FROM ${table} WHERE offset < ?`,
    );
    this.#trim = db.prepare(`DELETE FROM ${table} WHERE offset < ?`);
    this.#delete = db.prepare(`DELETE FROM ${table} WHERE offset = ?`);
    this.#saveSize = db.prepare('UPDATE partitions SET accounted_to = ?, bytes = ? WHERE id = ?');
    const ends = this.ends();
    this.first = ends.first;
    this.next = ends.next;
    this.lastTimestamp = this.next === 0 ? 0 : (this.at(this.next - 1)?.ts ?? 0);
    this.bytes = row.bytes + this.#sizeFrom(db, row.accounted_to);
    this.#committed = { first: this.first, next: this.next, bytes: this.bytes };
  }

  /** Returns the size of the records from `offset` on: those that were not counted before a crash. */
  #sizeFrom(db: Database, offset: number): number {
    const sql = `SELECT total(ifnull(length(value), 0) + ${RECORD_OVERHEAD}) FROM p${this.id} WHERE offset >= ?`;
    return db.prepare<[number], number>(sql).pluck().get(offset) ?? 0;
  }

  override fetch(offset: number, maxRecords: number, maxBytes: number): InRecord[] {
    return this.#tail.fetch(offset, maxRecords, maxBytes) ?? super.fetch(offset, maxRecords, maxBytes);
  }

  append(key: string, value: Uint8Array | null, now: number): void {
    const ts = Math.max(now, this.lastTimestamp);
    this.#insert.run(this.next, ts, key, value);
    const { topic, partition, next: offset } = this;
    this.#tail.push({ topic, partition, offset, key, value: copyOf(value), timestamp: ts });
    this.lastTimestamp = ts;
    this.next++;
    this.bytes += (value === null ? 0 : value.length) + RECORD_OVERHEAD;
  }

  /** Deletes the records below `offset`. Returns their number and size. */
  trim(offset: number): { readonly records: number; readonly bytes: number } {
    const size = this.#size.get(offset) ?? { records: 0, bytes: 0 };
    this.#trim.run(offset);
    this.#tail.clear();
    this.first = this.at(offset)?.offset ?? this.next;
    this.bytes -= size.bytes;
    this.saveSize();
    return size;
  }

  /** Deletes single records. `length` is the size of the value. */
  remove(rows: readonly { readonly offset: number; readonly length: number }[]): void {
    for (const row of rows) {
      this.#delete.run(row.offset);
      this.bytes -= row.length + RECORD_OVERHEAD;
    }
    this.#tail.clear();
    this.first = this.ends().first;
    this.saveSize();
  }

  /** Stores the size of the partition, so that the next open need not count all records. */
  saveSize(): void {
    this.#saveSize.run(this.next, this.bytes, this.id);
  }

  markCommitted(): void {
    const grown = this.next > this.#committed.next;
    this.#committed = { first: this.first, next: this.next, bytes: this.bytes };
    if (grown) for (const wake of this.listeners) wake();
  }

  revert(): void {
    this.#tail.cut(this.#committed.next);
    ({ first: this.first, next: this.next, bytes: this.bytes } = this.#committed);
  }
}
