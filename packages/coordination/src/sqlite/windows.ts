import type Database from 'better-sqlite3';

/** Numbers that begin at 0 and are forgotten a while after they began. Times in ms since the epoch. */
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
