import type { Database, Statement } from 'better-sqlite3';

/** The next offset of each consumer group, in each partition that it has ever read. */
export class Groups {
  /** partition id → group → next offset */
  readonly #next: Map<number, Map<string, number>> = new Map();
  readonly #save: Statement<[string, number, number]>;
  readonly #forget: Statement<[string]>;

  constructor(db: Database) {
    this.#save = db.prepare('INSERT OR REPLACE INTO offsets (grp, partition, next) VALUES (?, ?, ?)');
    this.#forget = db.prepare('DELETE FROM offsets WHERE grp = ?');
    const rows = db.prepare<[], { grp: string; partition: number; next: number }>('SELECT * FROM offsets').all();
    for (const row of rows) this.set(row.grp, row.partition, row.next);
  }

  get(group: string, partition: number): number | undefined {
    return this.#next.get(partition)?.get(group);
  }

  /** Writes to the database only. Call `set` after the transaction. */
  save(group: string, partition: number, next: number): void {
    this.#save.run(group, partition, next);
  }

  set(group: string, partition: number, next: number): void {
    const groups = this.#next.get(partition);
    if (groups === undefined) this.#next.set(partition, new Map([[group, next]]));
    else groups.set(group, next);
  }

  /** Returns the offset below which every group has consumed all records; Infinity without a group. */
  floor(partition: number): number {
    let floor = Infinity;
    for (const next of this.#next.get(partition)?.values() ?? []) if (next < floor) floor = next;
    return floor;
  }

  /** Deletes the offsets of a group, which releases its records to retention. */
  forget(group: string): void {
    this.#forget.run(group);
    for (const groups of this.#next.values()) groups.delete(group);
  }
}
