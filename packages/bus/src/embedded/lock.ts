import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { BusLockedError } from '../errors.ts';
import { isDamage } from './database.ts';

/**
 * One writing process per bus. The lock is SQLite's own (fcntl) on a tiny database beside the bus, so it goes with the process however it dies,
 * and whoever is refused can still read who holds it.
 */
export class WriterLock {
  readonly #db: Database.Database;

  /** Throws BusLockedError when another process, or this one, holds it. */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = `${path}.lock`;
    try {
      this.#db = acquire(file);
    } catch (error) {
      if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
        throw new BusLockedError(path, holder(file), { cause: error });
      }
      if (!isDamage(error)) throw error;
      // Nobody can hold a lock on what is no database.
      rmSync(file);
      this.#db = acquire(file);
    }
  }

  release(): void {
    this.#db.close();
  }
}

function acquire(file: string): Database.Database {
  const db = new Database(file, { timeout: 0 });
  try {
    db.exec('BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS holder (one INTEGER PRIMARY KEY, pid INTEGER)');
    db.prepare('INSERT OR REPLACE INTO holder VALUES (1, ?)').run(process.pid);
    // Whoever may read it may hold a lock on it.
    chmodSync(file, 0o600);
    // The pid must be readable while the lock is held. Whoever comes in between takes the lock, and this process is refused.
    db.exec('COMMIT; BEGIN IMMEDIATE');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Its pid; 0 while it is writing it. */
function holder(file: string): number {
  const db = new Database(file, { readonly: true, timeout: 100 });
  try {
    return db.prepare<[], number>('SELECT pid FROM holder').pluck().get() ?? 0;
  } catch (error) {
    if (error instanceof Database.SqliteError) return 0;
    throw error;
  } finally {
    db.close();
  }
}
