import type { Database, Statement } from 'better-sqlite3';
import type { InRecord, TopicSpec } from '../port.ts';
import { PartitionReader } from './partition-reader.ts';
import { ownCopy, Tail } from './tail.ts';

/** What a record takes beside its value: key, row and page overhead, roughly. */
export const RECORD_OVERHEAD = 64;

export interface PartitionRow {
  readonly id: number;
  readonly partition: number;
  readonly accounted_to: number;
  readonly bytes: number;
}

/**
 * The one writer of a partition. Appends, trims and compacts inside a transaction of the bus, which calls `settle` or `revert` when it ends.
 * The newest record is never deleted: the next offset is read from it at open.
 */
export class PartitionLog extends PartitionReader {
  spec: TopicSpec;
  first: number;
  next: number;
  bytes: number;
  lastTimestamp: number;
  /** compaction has handled the records below */
  compactedTo = 0;
  /** woken after a commit that appended */
  readonly listeners: Set<() => void> = new Set();
  readonly #tail = new Tail();
  #settled: { first: number; next: number; bytes: number };
  readonly #insert: Statement<[number, number, string, Uint8Array | null]>;
  readonly #size: Statement<[number], { records: number; bytes: number }>;
  readonly #trim: Statement<[number]>;
  readonly #account: Statement<[number, number, number]>;
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
    this.#account = db.prepare('UPDATE partitions SET accounted_to = ?, bytes = ? WHERE id = ?');
    const ends = this.ends();
    this.first = ends.first;
    this.next = ends.next;
    this.lastTimestamp = this.next === 0 ? 0 : (this.at(this.next - 1)?.ts ?? 0);
    this.bytes = row.bytes + this.#sizeFrom(db, row.accounted_to);
    this.#settled = { first: this.first, next: this.next, bytes: this.bytes };
  }

  /** Only what a crash left uncounted is read, not the whole partition. */
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
    this.#tail.push({ topic, partition, offset, key, value: ownCopy(value), timestamp: ts });
    this.lastTimestamp = ts;
    this.next++;
    this.bytes += (value === null ? 0 : value.length) + RECORD_OVERHEAD;
  }

  /** Deletes what lies below `offset`; returns what that was. */
  trim(offset: number): { readonly records: number; readonly bytes: number } {
    const size = this.#size.get(offset) ?? { records: 0, bytes: 0 };
    this.#trim.run(offset);
    this.#tail.clear();
    this.first = this.at(offset)?.offset ?? this.next;
    this.bytes -= size.bytes;
    this.account();
    return size;
  }

  /** Deletes single records, given with the bytes of their values. */
  remove(rows: readonly { readonly offset: number; readonly length: number }[]): void {
    for (const row of rows) {
      this.#delete.run(row.offset);
      this.bytes -= row.length + RECORD_OVERHEAD;
    }
    this.#tail.clear();
    this.first = this.ends().first;
    this.account();
  }

  account(): void {
    this.#account.run(this.next, this.bytes, this.id);
  }

  settle(): void {
    const grown = this.next > this.#settled.next;
    this.#settled = { first: this.first, next: this.next, bytes: this.bytes };
    if (grown) for (const wake of this.listeners) wake();
  }

  revert(): void {
    this.#tail.cut(this.#settled.next);
    ({ first: this.first, next: this.next, bytes: this.bytes } = this.#settled);
  }
}
