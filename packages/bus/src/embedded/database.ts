import { existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { makePrivateDatabase } from '@ringfence/base';
import Database from 'better-sqlite3';
import { BusFormatError } from '../errors.ts';
import type { CompiledOptions } from './options.ts';

/**
 * Larger pages shorten the overflow chains of 60 kB batches; smaller ones reduce the writes for an offset. 8 KiB was
 * the fastest of 4, 8, 16 and 32 KiB.
 */
export const PAGE_SIZE = 8192;
/** `user_version` of the file. */
export const FORMAT = 1;
/** A full check reads about 500 MB/s. Larger files are checked only after damage was seen. */
const CHECK_BYTES = 256 * 2 ** 20;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, partitions INTEGER NOT NULL, compacted INTEGER NOT NULL, retention_ms REAL, retention_bytes REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS partitions (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL, accounted_to INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, UNIQUE (topic, partition));
CREATE TABLE IF NOT EXISTS offsets (grp TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (grp, partition)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS loose_groups (grp TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (store TEXT NOT NULL, partition INTEGER NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, offset INTEGER NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (store, partition, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS drops (topic TEXT NOT NULL, cause TEXT NOT NULL, records INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (topic, cause)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS running (one INTEGER PRIMARY KEY, pid INTEGER NOT NULL);
PRAGMA user_version = ${FORMAT};
`;

export interface OpenedDatabase {
  readonly db: Database.Database;
  /** Path to which a damaged file was moved, or null. */
  readonly movedAside: string | null;
}

/** Opens the file. Replaces a damaged file by an empty one, because a sensor that cannot start protects nothing. */
export function openDatabase(options: CompiledOptions): OpenedDatabase {
  if (options.path === ':memory:') return { db: prepareDatabase(options), movedAside: null };
  try {
    return { db: prepareDatabase(options), movedAside: null };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const movedAside = moveAside(options.path);
    options.log?.error(
      { path: options.path, movedAside, err: error },
      `the bus file is damaged; it was moved to ${movedAside} and replaced by an empty one. Recover its records with "sqlite3 .recover"`,
    );
    return { db: prepareDatabase(options), movedAside };
  }
}

function prepareDatabase(options: CompiledOptions): Database.Database {
  // The file contains arguments of processes.
  if (options.path !== ':memory:') makePrivateDatabase(options.path);
  const db = new Database(options.path, { timeout: 5000 });
  try {
    db.pragma(`page_size = ${PAGE_SIZE}`);
    db.pragma('journal_mode = WAL');
    db.pragma(`synchronous = ${options.synchronous}`);
    // Checkpointer runs the checkpoints.
    db.pragma('wal_autocheckpoint = 0');
    db.pragma('cache_size = -4096');
    db.pragma('temp_store = MEMORY');
    const version = db.pragma('user_version', { simple: true });
    if (version !== 0 && version !== FORMAT) throw new BusFormatError(options.path, Number(version), FORMAT);
    if (version !== 0) checkIntegrity(db, options.path);
    db.exec(SCHEMA);
    db.prepare('INSERT OR REPLACE INTO running VALUES (1, ?)').run(process.pid);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Checks the file after a crash if it is small enough, and always after damage was seen. Throws DamageError. */
function checkIntegrity(db: Database.Database, path: string): void {
  const suspect = existsSync(suspectFile(path));
  const crashed = db.prepare('SELECT 1 FROM running').get() !== undefined;
  if (!suspect && !(crashed && statSync(path).size <= CHECK_BYTES)) return;
  // quick_check does not compare indexes with their tables.
  const verdict = db.pragma(suspect ? 'integrity_check(1)' : 'quick_check(1)', { simple: true });
  if (verdict !== 'ok') throw new DamageError(String(verdict));
  rmSync(suspectFile(path), { force: true });
}

class DamageError extends Error {}

export function isDamage(error: unknown): boolean {
  if (error instanceof DamageError) return true;
  return (
    error instanceof Database.SqliteError && (error.code.startsWith('SQLITE_CORRUPT') || error.code === 'SQLITE_NOTADB')
  );
}

/** Makes the next open check the whole file. */
export function markSuspect(path: string): void {
  if (path !== ':memory:') writeFileSync(suspectFile(path), '');
}

function suspectFile(path: string): string {
  return `${path}.suspect`;
}

function moveAside(path: string): string {
  const target = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
  }
  rmSync(suspectFile(path), { force: true });
  return target;
}

/** Marks the file as closed cleanly, so that the next open need not check it. */
export function markClosed(db: Database.Database): void {
  db.exec('DELETE FROM running');
}
