import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PAGE_SIZE } from './database.ts';
import type { Store } from './store.ts';

export interface CheckpointSettings {
  readonly path: string;
  readonly synchronous: 'normal' | 'full';
}

/** What SQLite answers, in pages. */
export interface CheckpointReply {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

/** A transaction writes at least the leaf and the interior page again. */
const PAGES_PER_WRITE = 2;

/**
 * Keeps the write-ahead log small. A thread copies the bulk back while writing goes on; it never quite catches up under load, so the main thread
 * does the small rest now and then: only when all is copied does SQLite begin the log anew.
 */
export class Checkpointer {
  readonly #store: Store;
  #worker: Worker | null = null;
  #running = false;
  #failed = false;
  #written = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  wrote(bytes: number): void {
    const budget = this.#store.walBudget;
    if (budget === 0) return;
    this.#written += bytes + PAGES_PER_WRITE * PAGE_SIZE;
    if (this.#written < budget / 8) return;
    if (this.#failed || (this.#running && this.#written > budget / 2)) this.#checkpointHere();
    else if (!this.#running) this.#checkpointThere();
  }

  #checkpointHere(): void {
    this.#written = 0;
    this.#store.db.pragma('wal_checkpoint(PASSIVE)');
  }

  #checkpointThere(): void {
    this.#worker ??= this.#start();
    this.#running = true;
    this.#written = 0;
    this.#worker.postMessage('checkpoint');
  }

  #start(): Worker {
    const { path, synchronous } = this.#store.options;
    const settings: CheckpointSettings = { path, synchronous };
    const script = new URL(`./checkpoint-worker${extname(import.meta.filename)}`, import.meta.url);
    const worker = new Worker(script, {
      workerData: settings,
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    });
    worker.on('message', (reply: CheckpointReply) => {
      this.#running = false;
      if (this.#store.db.open && reply.log * PAGE_SIZE > this.#store.walBudget / 4) this.#checkpointHere();
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

  /** Lets a checkpoint that runs end. */
  async stop(): Promise<void> {
    const worker = this.#worker;
    if (worker === null || this.#failed) return;
    const exited = once(worker, 'exit');
    worker.ref();
    worker.postMessage('stop');
    await exited;
  }
}
