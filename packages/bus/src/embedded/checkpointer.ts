import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Statement } from 'better-sqlite3';
import { PAGE_SIZE } from './database.ts';
import type { Store } from './store.ts';

export interface CheckpointSettings {
  readonly path: string;
  readonly synchronous: 'normal' | 'full';
  /** Shared memory: 1 while the thread runs a checkpoint. */
  readonly busy: Int32Array;
}

/** The row that `PRAGMA wal_checkpoint` returns, in pages. */
export interface CheckpointReply {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

/** A transaction rewrites at least a leaf page and an interior page. */
const BYTES_PER_COMMIT = 2 * PAGE_SIZE;
/** Bytes written between two measurements of the log. A measurement takes some microseconds. */
const MEASURE_EVERY = 256 * 1024;
/** A thread that takes longer hangs on the disk. The log then grows until `Space` refuses writes. */
const MAX_WAIT_MS = 2000;
/** An idle thread costs about 12 MB, and a slowly growing log needs it every few minutes only. */
const IDLE_MS = 10_000;

/**
 * Keeps the write-ahead log (WAL) within its budget. A thread copies most pages into the database while writes
 * continue, but never all of them under load. SQLite restarts the log only when all pages are copied, so the main
 * thread occasionally copies the small remainder.
 */
export class Checkpointer {
  readonly #store: Store;
  readonly #budget: number;
  readonly #measure: Statement<[], CheckpointReply>;
  readonly #busy = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | undefined;
  /** Resolves when all stopped threads have ended. */
  #allEnded: Promise<unknown> = Promise.resolve();
  #running = false;
  #failed = false;
  #reported = false;
  #written = 0;

  constructor(store: Store) {
    this.#store = store;
    this.#budget = store.walBudget;
    this.#measure = store.db.prepare('PRAGMA wal_checkpoint(NOOP)');
    if (this.#budget > 0) store.db.pragma(`journal_size_limit = ${this.#budget}`);
  }

  wrote(bytes: number): void {
    if (this.#budget === 0) return;
    this.#written += bytes + BYTES_PER_COMMIT;
    if (this.#written < MEASURE_EVERY) return;
    this.#written = 0;
    const { log, checkpointed } = this.#measure.get() ?? { log: 0, checkpointed: 0 };
    const logBytes = log * PAGE_SIZE;
    if (logBytes > this.#budget * 0.75) this.#restartLog();
    else if (logBytes > this.#budget / 8 && log > checkpointed) this.#startCheckpoint();
  }

  #startCheckpoint(): void {
    if (this.#running) return;
    if (this.#failed) {
      this.#checkpoint('PASSIVE');
      return;
    }
    clearTimeout(this.#idle);
    this.#worker ??= this.#startWorker();
    this.#running = true;
    this.#worker.postMessage('checkpoint');
  }

  /** Blocks the event loop until the whole log is copied, because the log must not grow without bound. */
  #restartLog(): void {
    // SQLite refuses a second checkpoint at the same time, in every mode.
    Atomics.wait(this.#busy, 0, 1, MAX_WAIT_MS);
    this.#checkpoint('RESTART');
  }

  /**
   * Logs errors instead of throwing, because the caller's commit has succeeded. The log grows until `Space` refuses.
   */
  #checkpoint(mode: 'PASSIVE' | 'RESTART'): void {
    try {
      this.#store.db.pragma(`wal_checkpoint(${mode})`);
      this.#reported = false;
    } catch (error) {
      this.#report(error);
    }
  }

  /** Logs the first failure of several in a row. */
  #report(error: unknown): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#store.options.log?.warn(
      { err: error, path: this.#store.options.path },
      'a checkpoint of the bus failed; retrying',
    );
  }

  #startWorker(): Worker {
    const { path, synchronous } = this.#store.options;
    const settings: CheckpointSettings = { path, synchronous, busy: this.#busy };
    const script = new URL(`./checkpoint-worker${extname(import.meta.filename)}`, import.meta.url);
    const worker = new Worker(script, {
      workerData: settings,
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    });
    worker.on('message', (reply: CheckpointReply | { readonly error: unknown }) => {
      this.#running = false;
      this.#idle = setTimeout(() => void this.stop(), IDLE_MS).unref();
      if ('error' in reply) this.#report(reply.error);
      else if (this.#store.db.open && reply.log * PAGE_SIZE > this.#budget / 4) this.#checkpoint('PASSIVE');
    });
    worker.on('error', (error) => {
      this.#failed = true;
      this.#store.options.log?.warn(
        { err: error },
        'the checkpoint thread has ended: checkpoints continue on the main thread, with short pauses',
      );
    });
    worker.unref();
    return worker;
  }

  /** Ends the thread after its current checkpoint. The next checkpoint starts a new thread. */
  async stop(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = null;
    if (worker !== null && !this.#failed) {
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      this.#allEnded = Promise.all([this.#allEnded, exited]);
      worker.ref();
      worker.postMessage('stop');
    }
    await this.#allEnded;
  }
}
