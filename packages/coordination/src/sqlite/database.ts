import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { CoordinationLockedError } from '../errors.ts';
import type { SqliteOptions } from '../options.ts';

/** The `state` of a job is 0 (waiting or delayed), 1 (running), 2 (done) or 3 (dead). `forget_at` is its expiry. */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS jobs (queue TEXT NOT NULL, id TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0, run_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, forget_at INTEGER NOT NULL, attempt INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL, backoff_ms INTEGER NOT NULL, payload BLOB NOT NULL, reason TEXT NOT NULL DEFAULT '', PRIMARY KEY (queue, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS jobs_due ON jobs (queue, state, run_at);
CREATE TABLE IF NOT EXISTS leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, token INTEGER NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS buckets (key TEXT PRIMARY KEY, level REAL NOT NULL, at INTEGER NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS windows (key TEXT PRIMARY KEY, value INTEGER NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fence (id INTEGER PRIMARY KEY, token INTEGER NOT NULL);
`;
/** Value of `user_version`. A file of another format is deleted. */
const FORMAT = 1;

/** Opens the file for exclusive use by this process. Deletes a damaged file, because its content can be rebuilt. */
export function openDatabase({ path, log }: SqliteOptions): Database.Database {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return prepare(path);
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    if (error.code.startsWith('SQLITE_BUSY')) throw new CoordinationLockedError(path, { cause: error });
    if (!/^SQLITE_(CORRUPT|NOTADB|MISMATCH)/.test(error.code)) throw error;
    log?.warn(
      { path, err: error },
      'the coordination file is damaged and is recreated; its content is rebuilt from the bus',
    );
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    return prepare(path);
  }
}

function prepare(path: string): Database.Database {
  // Only the owner may read the file, from its first byte on. The write-ahead log gets the same mode.
  if (path !== ':memory:' && !existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  const db = new Database(path, { timeout: 0 });
  try {
    // Set this before the first access, so that the file stays locked until this process ends, even by a crash.
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = NORMAL');
    db.pragma('cache_size = -512');
    const version = db.pragma('user_version', { simple: true });
    if (version !== 0 && version !== FORMAT) {
      throw new Database.SqliteError(`the file has format ${version}, not ${FORMAT}`, 'SQLITE_MISMATCH');
    }
    db.exec(SCHEMA);
    db.pragma(`user_version = ${FORMAT}`);
    // These jobs were running when the previous process ended.
    db.exec('UPDATE jobs SET state = 0 WHERE state = 1');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
