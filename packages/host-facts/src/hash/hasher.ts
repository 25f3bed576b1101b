import { createHash } from 'node:crypto';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { awaitTruncation } from '@ringfence/host-kit';
import { type Executable, openExecutable, runsFrom } from './executable.ts';
import { type HashAnswer, type HashRequest, PROGRESS, type SkipReason, type ThreadLimits } from './types.ts';

/** Waiting files that are held open: an open file stays available after its process has ended. */
const OPEN_MAX = 64;
const CHUNK_BYTES = 256 * 1024;
/** Bytes that may be read before the rate limit applies. */
const BURST_BYTES = 8 << 20;
/** The kernel's clock for ctime has steps of at most 10 ms. A write to a file of this age changes its ctime. */
const SETTLED_MS = 20;
/** Interval in which the time of calls is added up. */
const SPENT_MS = 600_000;
const NAMESPACES_MAX = 4096;

interface Job {
  readonly request: HashRequest;
  executable?: Executable | SkipReason;
}

/** Hashes one file after the other within the rate limit. Requests with low priority come last. */
export class Hasher {
  readonly #limits: ThreadLimits;
  readonly #progress: Int32Array;
  readonly #onAnswer: (answer: HashAnswer) => void;
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  readonly #jobs: Job[] = [];
  readonly #lowPriorityJobs: Job[] = [];
  /** Time in calls since `#spentSince`, by mount namespace, ms. */
  readonly #spent = new Map<number, number>();
  #spentSince = performance.now();
  #openFiles = 0;
  #running = false;
  /** Bytes that may be read now; negative after a read beyond the limit. */
  #allowance = BURST_BYTES;
  #allowanceAt = performance.now();

  /** @param progress shared memory, which shows that a call does not return (PROGRESS) */
  constructor(limits: ThreadLimits, progress: Int32Array, onAnswer: (answer: HashAnswer) => void) {
    this.#limits = limits;
    this.#progress = progress;
    this.#onAnswer = onAnswer;
  }

  submit(request: HashRequest): void {
    const job: Job = { request };
    if (!request.lowPriority && this.#openFiles < OPEN_MAX) this.#open(job);
    (request.lowPriority ? this.#lowPriorityJobs : this.#jobs).push(job);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let job = this.#next(); job !== undefined; job = this.#next()) {
      const executable = job.executable ?? this.#open(job);
      if (typeof executable === 'string') this.#skip(job.request, executable);
      else await this.#hash(job.request, executable);
    }
    this.#running = false;
  }

  #next(): Job | undefined {
    return this.#jobs.shift() ?? this.#lowPriorityJobs.shift();
  }

  #open(job: Job): Executable | SkipReason {
    const { request } = job;
    job.executable = this.#isSlow(request) ? 'timed out' : this.#call(request, () => openExecutable(request));
    if (typeof job.executable !== 'string') this.#openFiles++;
    return job.executable;
  }

  async #hash(request: HashRequest, executable: Executable): Promise<void> {
    const size = Number(executable.stat.size);
    try {
      if (size > this.#limits.maxBytes) this.#skip(request, 'too big', size, !executable.touched);
      else {
        const sha256 = await this.#read(request, executable, size);
        if (typeof sha256 === 'string') this.#skip(request, sha256, size);
        else this.#answer(request, { size, sha256, lasting: !executable.touched, touched: executable.touched });
      }
    } finally {
      this.#call(request, () => closeSync(executable.fd));
      this.#openFiles--;
    }
  }

  async #read(request: HashRequest, executable: Executable, size: number): Promise<Buffer | SkipReason> {
    const { fd, stat, touched } = executable;
    const age = Date.now() - Number(stat.ctimeMs);
    if (age >= 0 && age < SETTLED_MS) await sleep(SETTLED_MS - age);
    const hash = createHash('sha256');
    for (let at = 0; at < size; ) {
      if (this.#isSlow(request)) return 'timed out';
      const wanted = Math.min(CHUNK_BYTES, size - at);
      const length = this.#call(request, () => readSync(fd, this.#chunk, 0, wanted, at));
      if (typeof length === 'string') return length;
      if (length === 0) return 'changed';
      hash.update(this.#chunk.subarray(0, length));
      at += length;
      await this.#throttle(length);
    }
    const isSame = this.#call(request, () => {
      awaitTruncation(fd);
      const after = fstatSync(fd, { bigint: true });
      // Unlinking a file changes its ctime, too. No process can write to it as long as the process runs from it.
      const same = after.size === stat.size && after.mtimeNs === stat.mtimeNs;
      return same && (touched ? runsFrom(request, executable) : after.ctimeNs === stat.ctimeNs);
    });
    return isSame === true ? hash.digest() : 'changed';
  }

  /** Calls `run`, which may block. Returns 'unreadable' if a system call fails. */
  #call<T>({ id, mountNamespace }: HashRequest, run: () => T): T | 'unreadable' {
    const startedAt = performance.now();
    Atomics.store(this.#progress, PROGRESS.request, id);
    Atomics.add(this.#progress, PROGRESS.step, 1);
    try {
      return run();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return 'unreadable';
    } finally {
      Atomics.add(this.#progress, PROGRESS.step, 1);
      this.#addSpent(mountNamespace, performance.now() - startedAt);
    }
  }

  #addSpent(mountNamespace: number, ms: number): void {
    const now = performance.now();
    if (now - this.#spentSince > SPENT_MS || this.#spent.size >= NAMESPACES_MAX) {
      this.#spent.clear();
      this.#spentSince = now;
    }
    this.#spent.set(mountNamespace, (this.#spent.get(mountNamespace) ?? 0) + ms);
  }

  /** Each call for a mount namespace may return in time, and all of them hold the thread for hours. */
  #isSlow({ mountNamespace }: HashRequest): boolean {
    return (this.#spent.get(mountNamespace) ?? 0) > this.#limits.namespaceMaxMs;
  }

  /** Waits until the bytes that were read are within the limit. Yields to the event loop in any case. */
  async #throttle(bytes: number): Promise<void> {
    const { bytesPerSecond } = this.#limits;
    const now = performance.now();
    const gained = ((now - this.#allowanceAt) / 1000) * bytesPerSecond;
    this.#allowance = Math.min(BURST_BYTES, this.#allowance + gained) - bytes;
    this.#allowanceAt = now;
    if (this.#allowance < 0) await sleep((-this.#allowance / bytesPerSecond) * 1000);
    else await nextTurn();
  }

  #skip(request: HashRequest, skipped: SkipReason, size = 0, lasting: boolean = skipped === 'remote'): void {
    this.#answer(request, { size, skipped, lasting });
  }

  #answer({ id }: HashRequest, answer: Partial<HashAnswer>): void {
    this.#onAnswer({ id, size: 0, sha256: null, skipped: null, lasting: false, touched: false, ...answer });
  }
}
