import { Worker } from 'node:worker_threads';
import type { Log } from '@ringfence/base';
import { exitNow } from '@ringfence/host-kit';
import {
  type HashAnswer,
  type HashLimits,
  type HashRequest,
  PROGRESS,
  type SkipReason,
  type ThreadLimits,
} from './types.ts';

/** An idle thread keeps about 20 MB. Starting one takes about 60 ms of CPU. */
const IDLE_MS = 10_000;
/** A local disk answers one read of 256 KiB much sooner. */
const CALL_MAX_MS = 30_000;
/** Threads that do not return. Each keeps about 20 MB. */
const STUCK_MAX = 8;
/** Files of a mount namespace are not read for this time after calls for them took too long. */
const AVOID_MS = 600_000;
const AVOIDED_MAX = 1024;
/** Calls for one mount namespace that may take `callMaxMs`. */
const SLOW_CALLS_MAX = 4;
/** A call on a local disk returns in this time, at the end of the process. */
const EXIT_GRACE_MS = 200;
const RESOURCES = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };

export interface HashThreadOptions {
  readonly limits: HashLimits;
  /** whether the files are those of the host's mount namespace, which is never avoided */
  readonly isHost: boolean;
  readonly log: Log;
  /** time without requests after which the thread ends. @default 10 s */
  readonly idleMs?: number | undefined;
  /** time after which a system call of the thread counts as stuck. @default 30 s */
  readonly callMaxMs?: number | undefined;
  readonly onAnswer: (answer: Pick<HashAnswer, 'id'> & Partial<HashAnswer>) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly progress: Int32Array;
}

/**
 * The thread that hashes files. Starts with the first request, and again with the next one after it ended. A thread
 * whose system call does not return is left behind: another one continues with the other files.
 */
export class HashThread {
  readonly #options: HashThreadOptions;
  readonly #pending = new Map<number, HashRequest>();
  /** Mount namespaces whose files are skipped, with the time in ms until then. */
  readonly #avoided = new Map<number, number>();
  /** All threads that have not ended. */
  readonly #threads = new Set<Thread>();
  readonly #stuck = new Set<Thread>();
  #thread: Thread | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #watchTimer: NodeJS.Timeout | undefined;
  #stuckCalls = 0;
  /** Resolves when every thread that was asked to end has ended. */
  #ended: Promise<unknown> = Promise.resolve();

  constructor(options: HashThreadOptions) {
    this.#options = options;
  }

  /** Number of system calls that did not return in time. */
  get stuckCalls(): number {
    return this.#stuckCalls;
  }

  post(request: HashRequest): void {
    clearTimeout(this.#idleTimer);
    if (this.#stuck.size >= STUCK_MAX || this.#isAvoided(request)) {
      setImmediate(() => this.#skip(request.id, 'timed out'));
      return;
    }
    this.#pending.set(request.id, request);
    this.#thread ??= this.#start();
    this.#thread.worker.postMessage(request);
    this.#watch();
  }

  #skip(id: number, skipped: SkipReason): void {
    this.#pending.delete(id);
    this.#options.onAnswer({ id, skipped });
  }

  #start(): Thread {
    const { limits, isHost, log, callMaxMs = CALL_MAX_MS, onAnswer } = this.#options;
    const { maxBytes, bytesPerSecond } = limits;
    const namespaceMaxMs = isHost ? Number.POSITIVE_INFINITY : SLOW_CALLS_MAX * callMaxMs;
    const threadLimits: ThreadLimits = { maxBytes, bytesPerSecond, namespaceMaxMs };
    const progress = new Int32Array(new SharedArrayBuffer(PROGRESS.length * Int32Array.BYTES_PER_ELEMENT));
    const worker = new Worker(new URL('./hash-worker.ts', import.meta.url), {
      workerData: { limits: threadLimits, progress },
      name: 'hasher',
      trackUnmanagedFds: false,
      resourceLimits: RESOURCES,
    });
    worker.unref();
    worker.on('message', (answer: HashAnswer) => {
      const request = this.#pending.get(answer.id);
      if (request === undefined) return;
      this.#pending.delete(answer.id);
      if (answer.skipped === 'timed out') this.#avoid(request.mountNamespace);
      onAnswer(answer);
    });
    worker.on('error', (err) => log.warn({ err }, 'the hash thread failed: it starts again with the next executable'));
    const thread = { worker, progress };
    worker.on('exit', () => this.#onExit(thread));
    if (this.#threads.size === 0) process.on('exit', this.#onProcessExit);
    this.#threads.add(thread);
    return thread;
  }

  #onExit(thread: Thread): void {
    this.#threads.delete(thread);
    this.#stuck.delete(thread);
    if (this.#threads.size === 0) process.off('exit', this.#onProcessExit);
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    for (const id of [...this.#pending.keys()]) this.#skip(id, 'unreadable');
  }

  /** The process would wait for its threads, and so for a file system that does not answer. */
  readonly #onProcessExit = (code: number): void => {
    const steps = [...this.#threads].map(({ progress }) => ({ progress, step: Atomics.load(progress, PROGRESS.step) }));
    const calls = steps.filter(({ step }) => step % 2 !== 0);
    if (calls.length === 0) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, EXIT_GRACE_MS);
    if (calls.some(({ progress, step }) => Atomics.load(progress, PROGRESS.step) === step)) exitNow(code);
  };

  /** Finds a call that lasts for `callMaxMs`, or for twice that time. */
  #watch(): void {
    const thread = this.#thread;
    if (this.#watchTimer !== undefined || thread === undefined || this.#pending.size === 0) return;
    const step = Atomics.load(thread.progress, PROGRESS.step);
    const look = (): void => {
      this.#watchTimer = undefined;
      const isStuck = step % 2 !== 0 && Atomics.load(thread.progress, PROGRESS.step) === step;
      if (this.#thread === thread && isStuck) this.#leave(thread);
      this.#watch();
    };
    this.#watchTimer = setTimeout(look, this.#options.callMaxMs ?? CALL_MAX_MS).unref();
  }

  /** Leaves a thread behind whose call does not return, and gives its other files to a new one. */
  #leave(thread: Thread): void {
    const id = Atomics.load(thread.progress, PROGRESS.request);
    this.#stuckCalls++;
    this.#stuck.add(thread);
    thread.worker.removeAllListeners('message');
    thread.worker.postMessage(null);
    this.#thread = undefined;
    const request = this.#pending.get(id);
    if (request !== undefined) this.#avoid(request.mountNamespace);
    const path = request === undefined ? '' : Buffer.from(request.path).toString();
    const stuck = this.#stuck.size;
    this.#options.log.warn({ path, stuck }, "a file's hash was abandoned: its file system does not answer");
    this.#skip(id, 'timed out');
    const others = [...this.#pending.values()];
    this.#pending.clear();
    for (const other of others) this.post(other);
  }

  #avoid(mountNamespace: number): void {
    if (this.#options.isHost) return;
    this.#avoided.delete(mountNamespace);
    this.#avoided.set(mountNamespace, performance.now() + AVOID_MS);
    const [oldest = 0] = this.#avoided.keys();
    if (this.#avoided.size > AVOIDED_MAX) this.#avoided.delete(oldest);
  }

  #isAvoided({ mountNamespace }: HashRequest): boolean {
    const until = this.#avoided.get(mountNamespace);
    return until !== undefined && until > performance.now();
  }

  /** Call it when no request is outstanding. */
  startIdleTimer(): void {
    this.#idleTimer = setTimeout(() => void this.end(), this.#options.idleMs ?? IDLE_MS).unref();
  }

  /** Ends the thread without waiting for its requests. Resolves when it has ended, unless it is stuck. */
  async end(): Promise<void> {
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#watchTimer);
    this.#watchTimer = undefined;
    const worker = this.#thread?.worker;
    this.#thread = undefined;
    this.#pending.clear();
    if (worker !== undefined) {
      const exit = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
      this.#ended = Promise.all([this.#ended, exit]);
      worker.ref();
      worker.postMessage(null);
    }
    await this.#ended;
  }
}
