import type Database from 'better-sqlite3';

/** Counters that start at 0 and expire a fixed time after their first use. Times are in ms since the epoch. */
export class Windows {
  readonly #add: Database.Statement<Record<string, string | number>, number>;

  constructor(db: Database.Database) {
    this.#add = db
      .prepare<Record<string, string | number>, number>(
        `INSERT INTO windows VALUES (@key, @by, @ends)
         ON CONFLICT DO UPDATE SET value = iif(expires_at > @now, value, 0) + @by, expires_at = iif(expires_at > @now, expires_at, @ends)
         RETURNING value`,
      )
      .pluck();
  }

  add(key: string, by: number, windowMs: number, now: number): number {
    return this.#add.get({ key, by, now, ends: now + windowMs }) as number;
  }
}
