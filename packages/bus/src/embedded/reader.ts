import { pause } from '@ringfence/base';
import Database from 'better-sqlite3';
import { BusClosedError, BusFormatError, BusStorageError, UnknownTopicError } from '../errors.ts';
import { type InRecord, type ReadOptions, topicsOf } from '../port.ts';
import { FORMAT } from './database.ts';
import { PartitionReader } from './partition-reader.ts';
import { type ReadSource, readTopic } from './read.ts';

export interface EmbeddedReaderOptions {
  /** The SQLite file of a bus, which another process may write to. */
  readonly path: string;
  /** How often a follower checks for new records, ms. @default 100 */
  readonly followIntervalMs?: number;
}

/**
 * Reads a bus that another process writes to. Holds no lock and no snapshot between two chunks, so it never blocks the
 * writer.
 */
export class EmbeddedReader implements AsyncDisposable {
  readonly #db: Database.Database;
  readonly #followIntervalMs: number;

  constructor(options: EmbeddedReaderOptions) {
    this.#db = openReadonly(options.path);
    this.#followIntervalMs = options.followIntervalMs ?? 100;
  }

  topics(): readonly string[] {
    return this.#db.prepare<[], string>('SELECT name FROM topics ORDER BY name').pluck().all();
  }

  read(options: ReadOptions): AsyncIterable<InRecord> {
    if (!this.#db.open) throw new BusClosedError('the reader');
    const partitions = topicsOf(options).flatMap((topic) => this.#partitions(topic));
    const source: ReadSource = { partitions, wait: this.#changes(), closed: () => !this.#db.open };
    return readTopic(source, options);
  }

  #partitions(topic: string): readonly PartitionReader[] {
    const rows = this.#db
      .prepare<[string], { id: number; partition: number }>(
        'SELECT id, partition FROM partitions WHERE topic = ? ORDER BY partition',
      )
      .all(topic);
    if (rows.length === 0) throw new UnknownTopicError(topic);
    return rows.map(({ id, partition }) => new PartitionReader(this.#db, id, topic, partition));
  }

  /** Waits for a commit of another connection, which changes SQLite's data_version. */
  #changes(): (signal?: AbortSignal) => Promise<void> {
    let seen = this.#dataVersion();
    return async (signal) => {
      while (!signal?.aborted && this.#db.open && this.#dataVersion() === seen) {
        await pause(this.#followIntervalMs, signal);
      }
      if (this.#db.open) seen = this.#dataVersion();
    };
  }

  #dataVersion(): unknown {
    return this.#db.pragma('data_version', { simple: true });
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function openReadonly(path: string): Database.Database {
  let db: Database.Database | null = null;
  try {
    db = new Database(path, { readonly: true, fileMustExist: true, timeout: 5000 });
    const format = Number(db.pragma('user_version', { simple: true }));
    if (format !== FORMAT) throw new BusFormatError(path, format, FORMAT);
    return db;
  } catch (error) {
    db?.close();
    throw error instanceof Database.SqliteError ? new BusStorageError(path, error.code, { cause: error }) : error;
  }
}

/** Opens a bus read-only, for any number of processes. */
export async function openEmbeddedReader(options: EmbeddedReaderOptions): Promise<EmbeddedReader> {
  return new EmbeddedReader(options);
}
