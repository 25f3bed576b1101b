import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { BusError, BusFullError, BusStorageError } from '../errors.ts';
import { Catalog } from './catalog.ts';
import { isDamage, markClosed, markSuspect, openDatabase, PAGE_SIZE } from './database.ts';
import { Drops } from './drops.ts';
import { Groups } from './groups.ts';
import { WriterLock } from './lock.ts';
import type { CompiledOptions } from './options.ts';
import type { PartitionLog } from './partition-log.ts';
import { StateStores } from './state.ts';

/** The open database: its tables, transactions and size. */
export class Store {
  readonly options: CompiledOptions;
  readonly db: Database.Database;
  readonly catalog: Catalog;
  readonly groups: Groups;
  readonly state: StateStores;
  readonly drops: Drops;
  readonly movedAside: string | null;
  /** Budget of the write-ahead log, bytes. */
  readonly walBudget: number;
  /** Called after each commit. */
  onCommit: (bytes: number) => void = () => {};
  readonly #lock: WriterLock | null;
  readonly #begin: Database.Statement<[]>;
  readonly #commit: Database.Statement<[]>;
  readonly #rollback: Database.Statement<[]>;
  readonly #pages: Database.Statement<[], number>;
  readonly #freePages: Database.Statement<[], number>;

  constructor(options: CompiledOptions) {
    this.options = options;
    const { path, maxBytes } = options;
    let lock: WriterLock | null = null;
    let db: Database.Database | null = null;
    try {
      this.#lock = lock = path === ':memory:' ? null : new WriterLock(path);
      const opened = openDatabase(options);
      this.db = db = opened.db;
      this.movedAside = opened.movedAside;
      this.walBudget = path === ':memory:' ? 0 : Math.min(64 * 2 ** 20, maxBytes / 4);
      // Last resort: `Space` refuses earlier, except commits that free room.
      this.db.pragma(`max_page_count = ${Math.floor((maxBytes - this.walBudget) / PAGE_SIZE)}`);
      this.#begin = this.db.prepare('BEGIN IMMEDIATE');
      this.#commit = this.db.prepare('COMMIT');
      this.#rollback = this.db.prepare('ROLLBACK');
      this.#pages = this.db.prepare<[], number>('PRAGMA page_count').pluck();
      this.#freePages = this.db.prepare<[], number>('PRAGMA freelist_count').pluck();
      this.catalog = new Catalog(this.db);
      this.groups = new Groups(this.db);
      this.state = new StateStores(this.db);
      this.drops = new Drops(this.db);
    } catch (error) {
      db?.close();
      lock?.release();
      throw this.translate(error);
    }
  }

  /**
   * Runs `write` in a transaction. `write` adds each changed partition to `touched`. `bytes` is the approximate size of
   * the new records.
   */
  transaction(write: (touched: Set<PartitionLog>) => void, bytes = 0): void {
    const touched = new Set<PartitionLog>();
    try {
      this.#begin.run();
      write(touched);
      this.#commit.run();
    } catch (error) {
      if (this.db.inTransaction) this.#rollback.run();
      for (const log of touched) log.revert();
      throw this.translate(error);
    }
    for (const log of touched) log.markCommitted();
    this.onCommit(bytes);
  }

  /** Converts errors of SQLite to errors of the bus. Marks a damaged file for a check at the next open. */
  translate(error: unknown): unknown {
    if (error instanceof BusError || !(error instanceof Database.SqliteError)) return error;
    const { path, maxBytes } = this.options;
    if (error.code === 'SQLITE_FULL')
      return new BusFullError(fileBytes(path) + this.walBytes(), maxBytes, 0, { cause: error });
    if (isDamage(error)) markSuspect(path);
    return new BusStorageError(path, error.code, { cause: error });
  }

  /** Returns the bytes of the pages in use. */
  liveBytes(): number {
    return ((this.#pages.get() ?? 0) - (this.#freePages.get() ?? 0)) * PAGE_SIZE;
  }

  /** Returns the free bytes of the file system. */
  availableBytes(): number {
    if (this.options.path === ':memory:') return Infinity;
    const { bavail, bsize } = statfsSync(dirname(this.options.path));
    return bavail * bsize;
  }

  walBytes(): number {
    if (this.options.path === ':memory:') return 0;
    return fileBytes(`${this.options.path}-wal`);
  }

  close(): void {
    try {
      this.transaction(() => {
        for (const log of this.catalog.all()) log.saveSize();
        markClosed(this.db);
      });
    } catch (error) {
      // A full disk must not prevent the close. The next open counts the records and checks the file.
      this.options.log?.warn({ err: error, path: this.options.path }, 'the bus was not closed cleanly');
    } finally {
      this.db.close();
      this.#lock?.release();
    }
  }
}

function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
