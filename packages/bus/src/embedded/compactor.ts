import type { Database, Statement } from 'better-sqlite3';
import type { PartitionLog } from './partition-log.ts';

interface Old {
  readonly offset: number;
  readonly length: number;
}

const SLICE = 128;

/**
 * Walks the records that came since the last walk and deletes what each replaces: the cost follows the writes, not the size of the topic. What a
 * group has still to consume is left alone, the newer record included, so a group sees every state or a later one.
 */
export class Compactor {
  readonly #log: PartitionLog;
  readonly #recent: Statement<[number, number, number], { offset: number; key: string }>;
  readonly #older: Statement<[string, number], Old>;
  readonly #tombstones: Statement<[number, number, number], Old>;

  constructor(db: Database, log: PartitionLog) {
    this.#log = log;
    const table = `p${log.id}`;
    this.#recent = db.prepare(
      `SELECT offset, key FROM ${table} WHERE offset >= ? AND offset < ? ORDER BY offset LIMIT ?`,
    );
    this.#older = db.prepare(
      `SELECT offset, ifnull(length(value), 0) AS length FROM ${table} WHERE key = ? AND offset < ?`,
    );
    this.#tombstones = db.prepare(
      `SELECT offset, 0 AS length FROM ${table} WHERE value IS NULL AND ts < ? AND offset < ? LIMIT ?`,
    );
  }

  /** What one slice may delete, and how far the walk then is. */
  plan(floor: number, tombstonesBefore: number): { readonly remove: readonly Old[]; readonly compactedTo: number } {
    const log = this.#log;
    const end = Math.min(floor, log.next);
    const recent = log.compactedTo < end ? this.#recent.all(log.compactedTo, end, SLICE) : [];
    if (recent.length > 0) {
      const remove = new Map<number, Old>();
      for (const { key, offset } of recent) for (const old of this.#older.all(key, offset)) remove.set(old.offset, old);
      return { remove: [...remove.values()], compactedTo: recent.at(-1)!.offset + 1 };
    }
    // Only a walked tombstone may go: until then something older can hide behind it.
    const walked = Math.min(log.compactedTo, log.next - 1);
    return {
      remove: this.#tombstones.all(tombstonesBefore, walked, SLICE),
      compactedTo: Math.max(log.compactedTo, end),
    };
  }
}
