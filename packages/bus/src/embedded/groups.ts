import type { Database, Statement } from 'better-sqlite3';

/** The next offset of each consumer group, in each partition that it has ever read. */
export class Groups {
  /** partition id → group → next offset */
  readonly #next: Map<number, Map<string, number>> = new Map();
  /** Groups that retention does not wait for. */
  readonly #loose: Set<string> = new Set();
  readonly #save: Statement<[string, number, number]>;
  readonly #saveLoose: Statement<[string]>;
  readonly #deleteLoose: Statement<[string]>;
  readonly #forget: Statement<[string]>;

  constructor(db: Database) {
    this.#save = db.prepare('INSERT OR REPLACE INTO offsets (grp, partition, next) VALUES (?, ?, ?)');
    this.#forget = db.prepare('DELETE FROM offsets WHERE grp = ?');
    this.#saveLoose = db.prepare('INSERT OR IGNORE INTO loose_groups (grp) VALUES (?)');
    this.#deleteLoose = db.prepare('DELETE FROM loose_groups WHERE grp = ?');
    for (const { grp } of db.prepare<[], { grp: string }>('SELECT grp FROM loose_groups').all()) this.#loose.add(grp);
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

  /** Sets whether retention waits for a group, in the file too. */
  setHolding(group: string, isHolding: boolean): void {
    if (isHolding !== this.#loose.has(group)) return;
    (isHolding ? this.#deleteLoose : this.#saveLoose).run(group);
    if (isHolding) this.#loose.delete(group);
    else this.#loose.add(group);
  }

  /** Returns the offset below which every group that retention waits for has consumed all records; else Infinity. */
  floor(partition: number): number {
    let floor = Infinity;
    for (const [group, next] of this.#next.get(partition) ?? [])
      if (next < floor && !this.#loose.has(group)) floor = next;
    return floor;
  }

  /** Deletes the offsets of a group, which releases its records to retention. */
  forget(group: string): void {
    this.#forget.run(group);
    this.setHolding(group, true);
    for (const groups of this.#next.values()) groups.delete(group);
  }
}
