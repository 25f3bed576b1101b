import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { BusClosedError, BusFormatError, BusStorageError, UnknownTopicError } from '../errors.ts';
import { type InRecord, type ReadOptions, topicsOf } from '../port.ts';
import { FORMAT } from './database.ts';
import { PartitionReader } from './partition-reader.ts';
import { type ReadSource, readTopic } from './read.ts';

export interface EmbeddedReaderOptions {
  /** The SQLite file of a bus, written by another process or by none. */
  readonly path: string;
  /** How often a follower looks whether the other process has written, ms. @default 100 */
  readonly followIntervalMs?: number;
}

/** Reads a bus that another process writes. It takes no lock and holds no snapshot between two chunks, so it never holds up the writer. */
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

  /** SQLite counts the commits of other connections; nothing is read until the count moves. */
  #changes(): (signal?: AbortSignal) => Promise<void> {
    let seen = this.#dataVersion();
    return async (signal) => {
      while (!signal?.aborted && this.#db.open && this.#dataVersion() === seen) {
        // An abort ends the pause early; that it does so by throwing is no error.
        await sleep(this.#followIntervalMs, undefined, signal === undefined ? {} : { signal }).catch(
          (error: unknown) => {
            if (!signal?.aborted) throw error;
          },
        );
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

/** Opens a bus for reading only; any number may. */
export async function openEmbeddedReader(options: EmbeddedReaderOptions): Promise<EmbeddedReader> {
  return new EmbeddedReader(options);
}
