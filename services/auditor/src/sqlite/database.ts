import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { makePrivateDatabase } from '@ringfence/base';
import Database from 'better-sqlite3';
import { AuditBusyError, AuditFullError, AuditMissingError, AuditStorageError, AuditVersionError } from '../errors.ts';

export type Sqlite = Database.Database;

/** Version of the file format (`user_version`). */
export const FORMAT = 1;

/** How long to wait for another process that holds the write lock, ms. */
const BUSY_TIMEOUT_MS = 5000;

/**
 * `records` holds the evidence; the other tables index it. A chain links the records of one kind from one source
 * partition by `seq`; `base_*` is the last record that retention dropped, `head_*` the newest.
 */
const SCHEMA = `
CREATE TABLE chains (
  chain INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL, kind INTEGER NOT NULL,
  base_seq INTEGER NOT NULL, base_hash BLOB NOT NULL, head_seq INTEGER NOT NULL, head_hash BLOB NOT NULL,
  span INTEGER NOT NULL, events INTEGER NOT NULL, UNIQUE (topic, partition, kind)
);
CREATE TABLE records (
  record INTEGER PRIMARY KEY, chain INTEGER NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, id TEXT NOT NULL,
  timestamp INTEGER NOT NULL, until INTEGER NOT NULL, host TEXT NOT NULL, source_offset INTEGER NOT NULL,
  event_kinds INTEGER NOT NULL, events INTEGER NOT NULL, prev_hash BLOB NOT NULL, hash BLOB NOT NULL, size INTEGER NOT NULL, packed INTEGER NOT NULL,
  entities BLOB NOT NULL, payload BLOB NOT NULL
);
CREATE UNIQUE INDEX records_chain ON records (chain, seq);
CREATE UNIQUE INDEX records_id ON records (kind, id);
CREATE INDEX records_time ON records (kind, timestamp, host);
CREATE TABLE entities (entity INTEGER NOT NULL, kind INTEGER NOT NULL, record INTEGER NOT NULL, PRIMARY KEY (entity, kind, record)) WITHOUT ROWID;
CREATE TABLE causes (cause TEXT NOT NULL, record INTEGER NOT NULL, PRIMARY KEY (cause, record)) WITHOUT ROWID;
CREATE TABLE incidents (id TEXT PRIMARY KEY, version INTEGER NOT NULL, last_seen INTEGER NOT NULL, record INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX incidents_time ON incidents (last_seen);
CREATE TABLE positions (topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (topic, partition)) WITHOUT ROWID;
CREATE TABLE drops (
  kind INTEGER NOT NULL, cause TEXT NOT NULL, count INTEGER NOT NULL, events INTEGER NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY (kind, cause)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE search USING fts5 (text, content='', contentless_delete=1, detail=full, tokenize="unicode61 remove_diacritics 0 tokenchars '_'");
`;

export interface OpenedDatabase {
  readonly db: Sqlite;
  /** Where a damaged file was moved; null when the file was intact */
  readonly movedAside: string | null;
}

/** Opens the file for writing. A damaged file is evidence too: it is moved aside, and a new file is created. */
export function openForWriting(path: string, synchronous: 'full' | 'normal'): OpenedDatabase {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return { db: open(path, synchronous), movedAside: null };
  } catch (error) {
    if (!(error instanceof AuditStorageError) || !isDamage(error.sqliteCode)) throw error;
    return { movedAside: moveAside(path), db: open(path, synchronous) };
  }
}

function open(path: string, synchronous: 'full' | 'normal'): Sqlite {
  let db: Sqlite | undefined;
  try {
    // Arguments contain secrets.
    makePrivateDatabase(path);
    db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    db.pragma('journal_mode = WAL');
    db.pragma(`synchronous = ${synchronous}`);
    db.pragma('journal_size_limit = 4194304');
    db.pragma('cache_size = -4096');
    const found = db.pragma('user_version', { simple: true }) as number;
    if (found > FORMAT) throw new AuditVersionError(path, found, FORMAT);
    if (found === 0) create(db);
    db.prepare('SELECT count(*) FROM chains').get();
    return db;
  } catch (error) {
    db?.close();
    throw storageError(path, error);
  }
}

function create(db: Sqlite): void {
  db.transaction(() => {
    db.exec(SCHEMA);
    db.pragma(`user_version = ${FORMAT}`);
  }).immediate();
}

/** Opens the file for reading; another process may write to it. */
export function openForReading(path: string): Sqlite {
  if (!existsSync(path)) throw new AuditMissingError(path);
  let db: Sqlite | undefined;
  try {
    db = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    const found = db.pragma('user_version', { simple: true }) as number;
    if (found === 0) throw new AuditMissingError(path);
    if (found !== FORMAT) throw new AuditVersionError(path, found, FORMAT);
    return db;
  } catch (error) {
    db?.close();
    throw storageError(path, error);
  }
}

function isDamage(sqliteCode: string): boolean {
  return sqliteCode === 'SQLITE_NOTADB' || sqliteCode.startsWith('SQLITE_CORRUPT');
}

function moveAside(path: string): string {
  const target = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
  }
  return target;
}

/** Codes by which SQLite reports a full disk: when it grows the file, the write-ahead log, or the log's index. */
const DISK_FULL: ReadonlySet<string> = new Set(['SQLITE_FULL', 'SQLITE_IOERR_WRITE', 'SQLITE_IOERR_SHMSIZE']);

/** Converts an SQLite error to an AuditError; returns other errors unchanged. */
export function storageError(path: string, error: unknown): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const { code } = error;
  if (DISK_FULL.has(code)) {
    return new AuditFullError(path, 'the disk is full', { cause: error });
  }
  if (code.startsWith('SQLITE_BUSY')) return new AuditBusyError(path, { cause: error });
  return new AuditStorageError(path, code, { cause: error });
}
