import type { Log } from '@ringfence/base';
import { outcomeOf } from '../outcome.ts';
import type { JobHandler, JobWorker } from '../port.ts';
import type { Counts } from '../stats.ts';
import type { Jobs, TakenJob } from './jobs.ts';

/** Limit of setTimeout. */
const SLEEP_MAX_MS = 2 ** 31 - 1;

export interface WorkerDeps {
  readonly jobs: Jobs;
  readonly counts: Counts;
  readonly log: Log | undefined;
  /** called when the worker is closed and no job is running */
  readonly onClosed: (worker: SqliteWorker) => void;
}

/** Runs the due jobs of a queue, at most `concurrency` at a time. Sleeps until the next job is due or until `wake`. */
export class SqliteWorker implements JobWorker {
  readonly queue: string;
  readonly #jobs: Jobs;
  readonly #handler: JobHandler;
  readonly #concurrency: number;
  readonly #counts: Counts;
  readonly #log: Log | undefined;
  readonly #onClosed: WorkerDeps['onClosed'];
  readonly #stop = new AbortController();
  readonly #active = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(queue: string, handler: JobHandler, concurrency: number, deps: WorkerDeps) {
    this.queue = queue;
    this.#handler = handler;
    this.#concurrency = concurrency;
    this.#jobs = deps.jobs;
    this.#counts = deps.counts;
    this.#log = deps.log;
    this.#onClosed = deps.onClosed;
  }

  readonly wake = (): void => {
    clearTimeout(this.#timer);
    if (this.#stop.signal.aborted) return;
    while (this.#active.size < this.#concurrency) {
      const job = this.#jobs.take(this.queue, Date.now());
      if (job === undefined) {
        this.#sleep();
        return;
      }
      const run: Promise<void> = this.#run(job).finally(() => {
        this.#active.delete(run);
        this.wake();
      });
      this.#active.add(run);
    }
  };

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await Promise.all(this.#active);
    this.#onClosed(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #sleep(): void {
    const due = this.#jobs.dueAt(this.queue);
    if (due !== null) this.#timer = setTimeout(this.wake, Math.min(SLEEP_MAX_MS, Math.max(1, due - Date.now())));
  }

  async #run(job: TakenJob): Promise<void> {
    const { id, payload, attempt, attempts, expires_at } = job;
    if (expires_at <= Date.now()) {
      this.#counts.jobs.expired++;
      this.#jobs.end(job, { kind: 'done' }, Date.now());
      return;
    }
    const run = { id, payload, attempt: attempt + 1, signal: this.#stop.signal };
    const outcome = await outcomeOf(() => this.#handler(run), attempt + 1 >= attempts);
    this.#jobs.end(job, outcome, Date.now());
    this.#counts.jobs[outcome.kind]++;
    if (outcome.kind === 'dead')
      this.#log?.error({ queue: this.queue, job: id, reason: outcome.reason }, 'a job failed and is now a dead letter');
  }
}
