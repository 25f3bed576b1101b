import type { Database, Statement } from 'better-sqlite3';
import type { PartitionLog } from './partition-log.ts';

interface RemovableRecord {
  readonly offset: number;
  readonly length: number;
}

const SLICE = 128;

/**
 * Finds the records that newer ones have replaced. Walks only the records since the last walk, so the cost depends on
 * the writes and not on the size of the topic. Ignores records that a group has not consumed, so that a group sees each
 * state or a later one.
 */
export class Compactor {
  readonly #log: PartitionLog;
  readonly #recent: Statement<[number, number, number], { offset: number; key: string }>;
  readonly #older: Statement<[string, number], RemovableRecord>;
  readonly #tombstones: Statement<[number, number, number], RemovableRecord>;

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

  /** Returns the records that one slice may delete, and the offset up to which the walk is complete then. */
  plan(
    floor: number,
    tombstonesBefore: number,
  ): { readonly remove: readonly RemovableRecord[]; readonly compactedTo: number } {
    const log = this.#log;
    const end = Math.min(floor, log.next);
    const recent = log.compactedTo < end ? this.#recent.all(log.compactedTo, end, SLICE) : [];
    if (recent.length > 0) {
      const remove = new Map<number, RemovableRecord>();
      for (const { key, offset } of recent)
        for (const older of this.#older.all(key, offset)) remove.set(older.offset, older);
      return { remove: [...remove.values()], compactedTo: recent.at(-1)!.offset + 1 };
    }
    // Delete only tombstones that the walk has passed. Before that, older records of their keys may still exist.
    const walked = Math.min(log.compactedTo, log.next - 1);
    return {
      remove: this.#tombstones.all(tombstonesBefore, walked, SLICE),
      compactedTo: Math.max(log.compactedTo, end),
    };
  }
}
