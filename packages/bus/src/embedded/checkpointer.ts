import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Statement } from 'better-sqlite3';
import { PAGE_SIZE } from './database.ts';
import type { Store } from './store.ts';

export interface CheckpointSettings {
  readonly path: string;
  readonly synchronous: 'normal' | 'full';
  /** shared: 1 while the thread copies */
  readonly busy: Int32Array;
}

/** What SQLite answers, in pages. */
export interface CheckpointReply {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

/** A transaction writes at least the leaf and the interior page again. */
const BYTES_PER_COMMIT = 2 * PAGE_SIZE;
/** Bytes written between two looks at the log: a look costs some microseconds. */
const LOOK_EVERY = 256 * 1024;
/** A thread that takes longer hangs in the disk; the admission rule then refuses as the log grows. */
const LONGEST_WAIT_MS = 2000;
/** A thread that has nothing to copy keeps some 12 MB; a log that grows slowly needs it every few minutes. */
const IDLE_MS = 10_000;

/**
 * Keeps the write-ahead log within its budget. A thread copies the bulk back while writing goes on; it never quite catches up under load, so the
 * main thread does the small rest now and then: only when all is copied does SQLite begin the log anew.
 */
export class Checkpointer {
  readonly #store: Store;
  readonly #budget: number;
  readonly #look: Statement<[], CheckpointReply>;
  readonly #busy = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | undefined;
  /** every thread that was told to end has ended */
  #ended: Promise<unknown> = Promise.resolve();
  #running = false;
  #failed = false;
  #reported = false;
  #written = 0;

  constructor(store: Store) {
    this.#store = store;
    this.#budget = store.walBudget;
    this.#look = store.db.prepare('PRAGMA wal_checkpoint(NOOP)');
    if (this.#budget > 0) store.db.pragma(`journal_size_limit = ${this.#budget}`);
  }

  wrote(bytes: number): void {
    if (this.#budget === 0) return;
    this.#written += bytes + BYTES_PER_COMMIT;
    if (this.#written < LOOK_EVERY) return;
    this.#written = 0;
    const { log, checkpointed } = this.#look.get() ?? { log: 0, checkpointed: 0 };
    const logBytes = log * PAGE_SIZE;
    if (logBytes > this.#budget * 0.75) this.#finishNow();
    else if (logBytes > this.#budget / 8 && log > checkpointed) this.#copyBack();
  }

  #copyBack(): void {
    if (this.#running) return;
    if (this.#failed) {
      this.#checkpoint('PASSIVE');
      return;
    }
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    this.#running = true;
    this.#worker.postMessage('checkpoint');
  }

  /** Holds everything up, while the thread copies and for the rest: better that than a log without bound. */
  #finishNow(): void {
    // SQLite refuses a second checkpoint at once, whatever its mode.
    Atomics.wait(this.#busy, 0, 1, LONGEST_WAIT_MS);
    this.#checkpoint('RESTART');
  }

  /** What was committed stays committed, so a checkpoint that fails must not fail its caller; the log grows until the admission rule refuses. */
  #checkpoint(mode: 'PASSIVE' | 'RESTART'): void {
    try {
      this.#store.db.pragma(`wal_checkpoint(${mode})`);
      this.#reported = false;
    } catch (error) {
      this.#report(error);
    }
  }

  /** Once, not with each of the tries that follow. */
  #report(error: unknown): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#store.options.log?.warn(
      { err: error, path: this.#store.options.path },
      'the log of the bus could not be folded back; it is tried again',
    );
  }

  #start(): Worker {
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
        'the checkpoint thread ended; checkpoints go on, with short pauses of the process',
      );
    });
    worker.unref();
    return worker;
  }

  /** Resolves when the thread has ended, after a checkpoint that runs. The next one starts another. */
  async stop(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = null;
    if (worker !== null && !this.#failed) {
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      this.#ended = Promise.all([this.#ended, exited]);
      worker.ref();
      worker.postMessage('stop');
    }
    await this.#ended;
  }
}
