import type { Database, Statement } from 'better-sqlite3';

/**
 * Why the disk bound deleted records before their time. `early`: before the end of their retention, consumed by every
 * group. `unconsumed`: expired, but not consumed by some group, which has lost them.
 */
export type DropCause = 'early' | 'unconsumed';

export interface Drop {
  readonly topic: string;
  readonly cause: DropCause;
  readonly records: number;
  readonly bytes: number;
}

/** Counts dropped records, in the transaction that deletes them, so that a crash loses no count. */
export class Drops {
  readonly #add: Statement<[string, DropCause, number, number]>;
  readonly #all: Statement<[], Drop>;

  constructor(db: Database) {
    this.#add = db.prepare(
      'INSERT INTO drops VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET records = records + excluded.records, bytes = bytes + excluded.bytes',
    );
    this.#all = db.prepare('SELECT topic, cause, records, bytes FROM drops ORDER BY topic, cause');
  }

  add(topic: string, cause: DropCause, records: number, bytes: number): void {
    this.#add.run(topic, cause, records, bytes);
  }

  all(): readonly Drop[] {
    return this.#all.all();
  }
}
