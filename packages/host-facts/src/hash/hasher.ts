import { createHash } from 'node:crypto';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { awaitTruncation } from '@ringfence/host-kit';
import { type Executable, openExecutable, runsFrom } from './executable.ts';
import type { HashAnswer, HashLimits, HashRequest, Skipped } from './types.ts';

/** Files held open while they wait: what is open stays what it is, however soon its process ends. */
const OPEN_MAX = 64;
const CHUNK_BYTES = 256 * 1024;
/** So much may be read at once before the pace counts. */
const BURST_BYTES = 8 << 20;
/** The kernel's clock for ctime moves in steps of at most 10 ms: what is as old as this has another one when it is written to again. */
const SETTLED_MS = 20;

interface Job {
  readonly request: HashRequest;
  executable?: Executable | Skipped;
}

/** Reads one executable after the other, never faster than it may; what runs since before the agent did comes last. */
export class Hasher {
  readonly #limits: HashLimits;
  readonly #answer: (answer: HashAnswer) => void;
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  readonly #jobs: Job[] = [];
  readonly #patient: Job[] = [];
  #open = 0;
  #running = false;
  /** bytes that may be read now; below 0: owed */
  #allowance = BURST_BYTES;
  #paidAt = performance.now();

  constructor(limits: HashLimits, answer: (answer: HashAnswer) => void) {
    this.#limits = limits;
    this.#answer = answer;
  }

  submit(request: HashRequest): void {
    const job: Job = { request };
    if (!request.patient && this.#open < OPEN_MAX) this.#openFor(job);
    (request.patient ? this.#patient : this.#jobs).push(job);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let job = this.#next(); job !== undefined; job = this.#next()) {
      const executable = job.executable ?? this.#openFor(job);
      if (typeof executable === 'string') this.#skip(job.request, executable);
      else await this.#hash(job.request, executable);
    }
    this.#running = false;
  }

  #next(): Job | undefined {
    return this.#jobs.shift() ?? this.#patient.shift();
  }

  #openFor(job: Job): Executable | Skipped {
    job.executable = attempt(() => openExecutable(job.request));
    if (typeof job.executable !== 'string') this.#open++;
    return job.executable;
  }

  async #hash(request: HashRequest, executable: Executable): Promise<void> {
    const size = Number(executable.stat.size);
    try {
      if (size > this.#limits.maxBytes) this.#skip(request, 'too big', size, !executable.touched);
      else {
        const sha256 = await this.#read(request, executable, size);
        if (typeof sha256 === 'string') this.#skip(request, sha256, size);
        else this.#tell(request, { size, sha256, lasting: !executable.touched, touched: executable.touched });
      }
    } finally {
      closeSync(executable.fd);
      this.#open--;
    }
  }

  async #read(request: HashRequest, executable: Executable, size: number): Promise<Buffer | Skipped> {
    const { fd, stat, touched } = executable;
    const age = Date.now() - Number(stat.ctimeMs);
    if (age >= 0 && age < SETTLED_MS) await sleep(SETTLED_MS - age);
    const hash = createHash('sha256');
    for (let at = 0; at < size; ) {
      const length = attempt(() => readSync(fd, this.#chunk, 0, Math.min(CHUNK_BYTES, size - at), at));
      if (typeof length === 'string') return length;
      if (length === 0) return 'changed';
      hash.update(this.#chunk.subarray(0, length));
      at += length;
      await this.#pay(length);
    }
    awaitTruncation(fd);
    const after = fstatSync(fd, { bigint: true });
    // Of a file that was unlinked meanwhile the ctime is another one too: as long as the process runs from it, nobody could write to it.
    const same = after.size === stat.size && after.mtimeNs === stat.mtimeNs;
    if (!same || (touched ? !runsFrom(request, executable) : after.ctimeNs !== stat.ctimeNs)) return 'changed';
    return hash.digest();
  }

  /** Waits until what was read is paid for; others get their turn in any case. */
  async #pay(bytes: number): Promise<void> {
    const { bytesPerSecond } = this.#limits;
    const now = performance.now();
    this.#allowance = Math.min(BURST_BYTES, this.#allowance + ((now - this.#paidAt) / 1000) * bytesPerSecond) - bytes;
    this.#paidAt = now;
    if (this.#allowance < 0) await sleep((-this.#allowance / bytesPerSecond) * 1000);
    else await nextTurn();
  }

  #skip(request: HashRequest, skipped: Skipped, size = 0, lasting: boolean = skipped === 'remote'): void {
    this.#tell(request, { size, skipped, lasting });
  }

  #tell({ id }: HashRequest, answer: Partial<HashAnswer>): void {
    this.#answer({ id, size: 0, sha256: null, skipped: null, lasting: false, touched: false, ...answer });
  }
}

/** A file that can't be read is no reason to stop. */
function attempt<T>(run: () => T): T | Skipped {
  try {
    return run();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return 'unreadable';
  }
}
