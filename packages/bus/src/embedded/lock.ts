import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { BusLockedError } from '../errors.ts';

/**
 * One writing process per bus. The lock is SQLite's own (fcntl) on a tiny database beside the bus, so it goes with the process however it dies,
 * and whoever is refused can still read who holds it.
 */
export class WriterLock {
  readonly #db: Database.Database;

  /** Throws BusLockedError when another process, or this one, holds it. */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#db = new Database(`${path}.lock`, { timeout: 0 });
    try {
      this.#db.exec(
        'PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS holder (one INTEGER PRIMARY KEY, pid INTEGER);',
      );
      this.#db.prepare('INSERT OR REPLACE INTO holder VALUES (1, ?)').run(process.pid);
      this.#db.exec('COMMIT; BEGIN IMMEDIATE');
    } catch (error) {
      const locked = error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');
      const pid = locked ? this.#holder() : 0;
      this.#db.close();
      throw locked ? new BusLockedError(path, pid, { cause: error }) : error;
    }
  }

  #holder(): number {
    try {
      return this.#db.prepare<[], number>('SELECT pid FROM holder').pluck().get() ?? 0;
    } catch (error) {
      // The holder is writing its pid at this very moment; who it is stays unknown.
      if (error instanceof Database.SqliteError) return 0;
      throw error;
    }
  }

  release(): void {
    this.#db.close();
  }
}
