import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { makePrivateDatabase } from '@ringfence/base';
import Database from 'better-sqlite3';
import { BusLockedError } from '../errors.ts';
import { isDamage } from './database.ts';

/**
 * Ensures a single writing process. The lock is SQLite's lock (fcntl) on a small database beside the bus. The kernel
 * releases it when the process dies, and other processes can read the pid of the holder.
 */
export class WriterLock {
  readonly #db: Database.Database;

  /** Throws BusLockedError when this or another process holds the lock. */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = `${path}.lock`;
    try {
      this.#db = acquire(file);
    } catch (error) {
      if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
        throw new BusLockedError(path, holderOf(file), { cause: error });
      }
      if (!isDamage(error)) throw error;
      // A file that is not a database cannot be locked.
      rmSync(file);
      this.#db = acquire(file);
    }
  }

  release(): void {
    this.#db.close();
  }
}

function acquire(file: string): Database.Database {
  // Any process that may read the file could lock it.
  makePrivateDatabase(file);
  const db = new Database(file, { timeout: 0 });
  try {
    db.exec('BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS holder (one INTEGER PRIMARY KEY, pid INTEGER)');
    db.prepare('INSERT OR REPLACE INTO holder VALUES (1, ?)').run(process.pid);
    // Commit the pid, so that it is readable while the lock is held. If another process takes the lock in between, the
    // second BEGIN throws.
    db.exec('COMMIT; BEGIN IMMEDIATE');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Returns the pid of the holder, or 0 before it is stored. */
function holderOf(file: string): number {
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
