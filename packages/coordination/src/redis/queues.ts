import { endsWithin, type Log } from '@ringfence/base';
import { type Job as BullJob, DelayedError, Queue, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type CheckedJob, KEEP_COUNT, KEEP_MS } from '../arguments.ts';
import { backoff, outcomeOf } from '../outcome.ts';
import type { DeadJob, JobCounts, JobHandler, JobWorker } from '../port.ts';
import type { Counts } from '../stats.ts';
import type { RedisClient } from './client.ts';

/** The data of a job, which BullMQ stores as JSON. */
interface JobData {
  /** base64 */
  readonly payload: string;
  /** ms since the epoch */
  readonly expiresAt: number;
}

/** Expiry of a queue without new jobs and workers: a day. */
const QUEUE_TTL_MS = 86_400_000;
const TOUCH_MS = 60_000;
/** Keys that BullMQ expires itself. Workers look for stalled jobs whenever `stalled-check` has expired. */
const EXPIRED_BY_BULLMQ: ReadonlySet<string> = new Set(['stalled-check', 'limiter']);
const CLOSE_MS = 10_000;
/** Our backoff strategy: the exponential backoff of BullMQ has no upper bound. */
const BACKOFF_TYPE = 'bounded';
const KEEP = { age: KEEP_MS / 1000, count: KEEP_COUNT };
/** BullMQ refuses ids that are integers. */
const toBullId = (id: string): string => `j.${id}`;
const fromBullId = (bullId: string | undefined): string => (bullId ?? '').slice(2);

const delayOf = (options: number | { readonly delay?: number } | undefined): number =>
  (typeof options === 'number' ? options : options?.delay) ?? 0;

/** Job queues on BullMQ. */
export class Queues {
  readonly #client: RedisClient;
  readonly #counts: Counts;
  readonly #log: Log | undefined;
  readonly #lockMs: number;
  readonly #prefix: string;
  readonly #queues = new Map<string, Queue<JobData>>();

  constructor(client: RedisClient, counts: Counts, lockMs: number, log: Log | undefined) {
    this.#client = client;
    this.#counts = counts;
    this.#lockMs = lockMs;
    this.#log = log;
    this.#prefix = `${client.prefix}:jobs`;
  }

  async add(job: CheckedJob): Promise<void> {
    const { payload, expiresAt, attempts, backoffMs, runAt } = job;
    const queue = this.#queue(job.queue);
    const now = Date.now();
    const data = { payload: Buffer.from(payload).toString('base64'), expiresAt };
    await queue.add('job', data, {
      jobId: toBullId(job.id),
      attempts,
      backoff: { type: BACKOFF_TYPE, delay: backoffMs },
      ...(runAt > now && { delay: runAt - now }),
      removeOnComplete: KEEP,
      removeOnFail: KEEP,
    });
    const hash = queue.toKey(toBullId(job.id));
    await this.#touch(queue, [hash, Math.max(0, expiresAt - now) + KEEP_MS]);
  }

  async counts(name: string): Promise<JobCounts> {
    const { waiting = 0, delayed = 0, active = 0, failed = 0 } = await this.#queue(name).getJobCounts();
    return { waiting, delayed, active, dead: failed };
  }

  async dead(name: string, limit: number): Promise<DeadJob[]> {
    const jobs = await this.#queue(name).getFailed(0, limit - 1);
    return jobs.map((job) => ({
      id: fromBullId(job.id),
      payload: Buffer.from(job.data.payload, 'base64'),
      reason: job.failedReason ?? '',
      attempts: job.attemptsMade,
    }));
  }

  process(name: string, handler: JobHandler, concurrency: number): JobWorker {
    const stop = new AbortController();
    const active = new Set<Promise<void>>();
    const tracked: JobHandler = async (jobRun) => {
      const work = handler(jobRun);
      active.add(work);
      await work.finally(() => active.delete(work));
    };
    const run = (job: BullJob<JobData>, token?: string): Promise<void> => this.#run(job, token, tracked, stop.signal);
    const connection = this.#client.connectWorker();
    const worker = new Worker<JobData>(name, run, {
      connection,
      prefix: this.#prefix,
      concurrency,
      lockDuration: this.#lockMs,
      stalledInterval: this.#lockMs / 2,
      // A crash of the process does not use up an attempt: attempts count errors of the handler.
      maxStalledCount: 1000,
      runRetryDelay: 500,
      settings: { backoffStrategy: (made, _type, _error, job) => backoff(delayOf(job?.opts.backoff), made) },
    });
    // The client logs lost connections. After other errors (a lost lock, a flushed job), the job runs again.
    worker.on(
      'error',
      ({ message }) =>
        this.#client.up && this.#log?.warn({ queue: name, reason: message }, 'a job worker continues after an error'),
    );
    const touch = (): void => {
      // If this fails because the server is away, the timer does it within a minute.
      if (this.#client.up) this.#touch(this.#queue(name)).catch(() => {});
    };
    worker.on('completed', touch);
    worker.on('failed', touch);
    const touchTimer = setInterval(touch, TOUCH_MS).unref();
    const close = async (): Promise<void> => {
      stop.abort();
      clearInterval(touchTimer);
      await Promise.allSettled(active);
      // While the server is away, force the close: BullMQ would wait to store the outcomes and keep the process alive.
      // Wait for a limited time, so that an outage of the server cannot keep the process from stopping.
      await endsWithin(Promise.allSettled([worker.close(!this.#client.up)]), CLOSE_MS);
      connection.disconnect();
    };
    return { close, [Symbol.asyncDispose]: close };
  }

  async #run(
    job: BullJob<JobData>,
    token: string | undefined,
    handler: JobHandler,
    signal: AbortSignal,
  ): Promise<void> {
    const { payload, expiresAt } = job.data;
    if (signal.aborted) {
      // The job was delivered while the worker was closing.
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (expiresAt <= Date.now()) {
      this.#counts.jobs.expired++;
      return;
    }
    const attempt = job.attemptsMade + 1;
    const id = fromBullId(job.id);
    const last = attempt >= (job.opts.attempts ?? 1);
    const outcome = await outcomeOf(
      () => handler({ id, payload: Buffer.from(payload, 'base64'), attempt, signal }),
      last,
    );
    this.#counts.jobs[outcome.kind]++;
    if (outcome.kind === 'done') return;
    if (outcome.kind === 'postponed') {
      await job.moveToDelayed(Date.now() + outcome.delayMs, token);
      throw new DelayedError();
    }
    if (outcome.kind === 'retried') throw new Error(outcome.reason);
    this.#log?.error(
      { queue: job.queueName, job: id, reason: outcome.reason },
      'a job failed and is now a dead letter',
    );
    throw new UnrecoverableError(outcome.reason);
  }

  #queue(name: string): Queue<JobData> {
    const existing = this.#queues.get(name);
    if (existing !== undefined) return existing;
    const queue = new Queue<JobData>(name, {
      connection: this.#client.commands as Redis,
      prefix: this.#prefix,
      skipWaitingForReady: true,
      streams: { events: { maxLen: 100 } },
    });
    queue.on('error', () => {});
    // BullMQ cannot recover a queue whose first connection failed, so create it anew.
    queue.waitUntilReady().catch(() => this.#queues.delete(name));
    this.#queues.set(name, queue);
    return queue;
  }

  /** Sets the expiry of the queue's keys, because BullMQ sets none. */
  async #touch(queue: Queue<JobData>, ...expiries: (readonly [key: string, ms: number])[]): Promise<void> {
    const pipeline = this.#client.commands.pipeline();
    for (const [name, key] of Object.entries(queue.keys))
      if (!EXPIRED_BY_BULLMQ.has(name)) pipeline.pexpire(key, QUEUE_TTL_MS);
    for (const [key, ms] of expiries) pipeline.pexpire(key, ms);
    await pipeline.exec();
  }
}
