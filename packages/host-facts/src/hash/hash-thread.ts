import { Worker } from 'node:worker_threads';
import type { Log } from '@ringfence/base';
import type { HashAnswer, HashLimits, HashRequest } from './types.ts';

/** An idle thread keeps about 20 MB. Starting one takes about 60 ms of CPU. */
const IDLE_MS = 10_000;
const RESOURCES = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };

export interface HashThreadOptions {
  readonly limits: HashLimits;
  readonly log: Log;
  /** time without requests after which the thread ends. @default 10 s */
  readonly idleMs?: number | undefined;
  readonly onAnswer: (answer: HashAnswer) => void;
  /** called when the thread ends although `end` was not called: its requests get no answer */
  readonly onCrash: () => void;
}

/** The thread that hashes files. Starts with the first request, and again with the next one after it ended. */
export class HashThread {
  readonly #options: HashThreadOptions;
  #worker: Worker | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  /** Resolves when every thread that was asked to end has ended. */
  #ended: Promise<unknown> = Promise.resolve();

  constructor(options: HashThreadOptions) {
    this.#options = options;
  }

  post(request: HashRequest): void {
    clearTimeout(this.#idleTimer);
    this.#worker ??= this.#start();
    this.#worker.postMessage(request);
  }

  #start(): Worker {
    const { limits, log, onAnswer, onCrash } = this.#options;
    const { maxBytes, bytesPerSecond } = limits;
    const worker = new Worker(new URL('./hash-worker.ts', import.meta.url), {
      workerData: { maxBytes, bytesPerSecond },
      name: 'hasher',
      trackUnmanagedFds: false,
      resourceLimits: RESOURCES,
    });
    worker.unref();
    worker.on('message', onAnswer);
    worker.on('error', (err) => log.warn({ err }, 'the hash thread failed: it starts again with the next executable'));
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      onCrash();
    });
    return worker;
  }

  /** Call it when no request is outstanding. */
  startIdleTimer(): void {
    this.#idleTimer = setTimeout(() => void this.end(), this.#options.idleMs ?? IDLE_MS).unref();
  }

  /** Ends the thread without waiting for its requests. Resolves when it has ended. */
  async end(): Promise<void> {
    clearTimeout(this.#idleTimer);
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker !== undefined) {
      const exit = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
      this.#ended = Promise.all([this.#ended, exit]);
      worker.ref();
      worker.postMessage(null);
    }
    await this.#ended;
  }
}
