import type { Database, Statement } from 'better-sqlite3';
import type { InRecord } from '../port.ts';

interface Row {
  readonly offset: number;
  readonly ts: number;
  readonly key: string;
  readonly value: Buffer | null;
}

/** Reads one partition: the table `p<id>`, whose rowid is the offset. */
export class PartitionReader {
  readonly id: number;
  readonly topic: string;
  readonly partition: number;
  readonly #fetch: Statement<[number, number], Row>;
  readonly #at: Statement<[number], { offset: number; ts: number }>;
  readonly #ends: Statement<[], { first: number | null; last: number | null }>;

  constructor(db: Database, id: number, topic: string, partition: number) {
    this.id = id;
    this.topic = topic;
    this.partition = partition;
    this.#fetch = db.prepare(`SELECT offset, ts, key, value FROM p${id} WHERE offset >= ? ORDER BY offset LIMIT ?`);
    this.#at = db.prepare(`SELECT offset, ts FROM p${id} WHERE offset >= ? ORDER BY offset LIMIT 1`);
    // Two subqueries, because SQLite reads min and max from the ends of the tree only in separate queries.
    this.#ends = db.prepare(
      `SELECT (SELECT min(offset) FROM p${id}) AS first, (SELECT max(offset) FROM p${id}) AS last`,
    );
  }

  /** Returns the first offset and the offset after the last, or 0 and 0 for an empty partition. */
  ends(): { readonly first: number; readonly next: number } {
    const row = this.#ends.get();
    if (row === undefined || row.first === null || row.last === null) return { first: 0, next: 0 };
    return { first: row.first, next: row.last + 1 };
  }

  /**
   * Returns the records from `offset` on, up to `maxRecords` and `maxBytes` of values, but at least one if any exists.
   */
  fetch(offset: number, maxRecords: number, maxBytes: number): InRecord[] {
    const records: InRecord[] = [];
    let bytes = 0;
    for (const row of this.#fetch.iterate(offset, maxRecords)) {
      bytes += row.value === null ? 0 : row.value.length;
      if (records.length > 0 && bytes > maxBytes) break;
      records.push({
        topic: this.topic,
        partition: this.partition,
        offset: row.offset,
        key: row.key,
        value: row.value,
        timestamp: row.ts,
      });
    }
    return records;
  }

  /** Returns the first record at or after `offset`. */
  at(offset: number): { readonly offset: number; readonly ts: number } | undefined {
    return this.#at.get(offset);
  }

  /** Returns the first offset at or after the time `ts` (µs), by bisection: timestamps ascend within a partition. */
  seek(ts: number): number {
    let { first: low, next: high } = this.ends();
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = this.at(middle);
      if (row === undefined || row.ts >= ts) high = middle;
      else low = row.offset + 1;
    }
    return low;
  }
}
