import { type Job as BullJob, DelayedError, Queue, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type CheckedJob, KEEP_COUNT, KEEP_MS } from '../arguments.ts';
import type { CoordinationLog } from '../options.ts';
import { backoff, outcomeOf } from '../outcome.ts';
import type { DeadJob, JobCounts, JobHandler, JobWorker } from '../port.ts';
import type { Counts } from '../stats.ts';
import type { RedisClient } from './client.ts';

/** What BullMQ keeps of a job, as JSON. */
interface Data {
  /** base64 */
  readonly payload: string;
  /** ms since the epoch */
  readonly expiresAt: number;
}

/** A queue that nobody adds to or works on is gone after a day. */
const QUEUE_TTL_MS = 86_400_000;
const TOUCH_MS = 60_000;
/** Keys that BullMQ itself lets end, and goes by it: as long as the first is there nobody looks for jobs whose worker is gone. */
const BRIEF: ReadonlySet<string> = new Set(['stalled-check', 'limiter']);
const CLOSE_MS = 10_000;
/** Ours: BullMQ's own exponential one has no bound. */
const BACKOFF = 'bounded';
const KEEP = { age: KEEP_MS / 1000, count: KEEP_COUNT };
/** BullMQ refuses ids that are whole numbers. */
const idOf = (id: string): string => `j.${id}`;
const nameOf = (bullId: string | undefined): string => (bullId ?? '').slice(2);

const pauseOf = (options: number | { readonly delay?: number } | undefined): number =>
  (typeof options === 'number' ? options : options?.delay) ?? 0;

/** Jobs on BullMQ. */
export class Queues {
  readonly #client: RedisClient;
  readonly #counts: Counts;
  readonly #log: CoordinationLog | undefined;
  readonly #lockMs: number;
  readonly #prefix: string;
  readonly #queues = new Map<string, Queue<Data>>();

  constructor(client: RedisClient, counts: Counts, lockMs: number, log: CoordinationLog | undefined) {
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
      jobId: idOf(job.id),
      attempts,
      backoff: { type: BACKOFF, delay: backoffMs },
      ...(runAt > now && { delay: runAt - now }),
      removeOnComplete: KEEP,
      removeOnFail: KEEP,
    });
    const hash = queue.toKey(idOf(job.id));
    await this.#touch(queue, [hash, Math.max(0, expiresAt - now) + KEEP_MS]);
  }

  async counts(name: string): Promise<JobCounts> {
    const { waiting = 0, delayed = 0, active = 0, failed = 0 } = await this.#queue(name).getJobCounts();
    return { waiting, delayed, active, dead: failed };
  }

  async dead(name: string, limit: number): Promise<DeadJob[]> {
    const jobs = await this.#queue(name).getFailed(0, limit - 1);
    return jobs.map((job) => ({
      id: nameOf(job.id),
      payload: Buffer.from(job.data.payload, 'base64'),
      reason: job.failedReason ?? '',
      attempts: job.attemptsMade,
    }));
  }

  process(name: string, handler: JobHandler, concurrency: number): JobWorker {
    const stop = new AbortController();
    const inHand = new Set<Promise<void>>();
    const tracked: JobHandler = async (one) => {
      const work = handler(one);
      inHand.add(work);
      await work.finally(() => inHand.delete(work));
    };
    const run = (job: BullJob<Data>, token?: string): Promise<void> => this.#run(job, token, tracked, stop.signal);
    const connection = this.#client.patient();
    const worker = new Worker<Data>(name, run, {
      connection,
      prefix: this.#prefix,
      concurrency,
      lockDuration: this.#lockMs,
      stalledInterval: this.#lockMs / 2,
      // A job whose process died is no worse for it: attempts count what the handler threw.
      maxStalledCount: 1000,
      runRetryDelay: 500,
      settings: { backoffStrategy: (made, _type, _error, job) => backoff(pauseOf(job?.opts.backoff), made) },
    });
    // Lost connections are told by the client. What else there is (a lock lost, a job flushed away) leads to another run.
    worker.on(
      'error',
      ({ message }) =>
        this.#client.up && this.#log?.warn({ queue: name, reason: message }, 'a job worker goes on after a problem'),
    );
    const touch = (): void => {
      // Once more within the minute, if the server is away.
      if (this.#client.up) this.#touch(this.#queue(name)).catch(() => {});
    };
    worker.on('completed', touch);
    worker.on('failed', touch);
    const touching = setInterval(touch, TOUCH_MS).unref();
    const close = async (): Promise<void> => {
      stop.abort();
      clearInterval(touching);
      await Promise.allSettled(inHand);
      // While the server is away there is nobody to tell how they ended: BullMQ would wait for it, and keep the process.
      await orAfter(worker.close(!this.#client.up), CLOSE_MS);
      connection.disconnect();
    };
    return { close, [Symbol.asyncDispose]: close };
  }

  async #run(job: BullJob<Data>, token: string | undefined, handler: JobHandler, signal: AbortSignal): Promise<void> {
    const { payload, expiresAt } = job.data;
    if (signal.aborted) {
      // It was on its way when the worker began to close.
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (expiresAt <= Date.now()) {
      this.#counts.jobs.expired++;
      return;
    }
    const attempt = job.attemptsMade + 1;
    const id = nameOf(job.id);
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
      'a job can not be done: it is a dead letter now',
    );
    throw new UnrecoverableError(outcome.reason);
  }

  #queue(name: string): Queue<Data> {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const queue = new Queue<Data>(name, {
      connection: this.#client.commands as Redis,
      prefix: this.#prefix,
      skipWaitingForReady: true,
      streams: { events: { maxLen: 100 } },
    });
    queue.on('error', () => {});
    // BullMQ gives up on a queue whose first look at the server failed.
    queue.waitUntilReady().catch(() => this.#queues.delete(name));
    this.#queues.set(name, queue);
    return queue;
  }

  /** BullMQ gives its keys no end; here each has one. */
  async #touch(queue: Queue<Data>, ...more: (readonly [key: string, ms: number])[]): Promise<void> {
    const pipeline = this.#client.commands.pipeline();
    for (const [name, key] of Object.entries(queue.keys)) if (!BRIEF.has(name)) pipeline.pexpire(key, QUEUE_TTL_MS);
    for (const [key, ms] of more) pipeline.pexpire(key, ms);
    await pipeline.exec();
  }
}

/** Ends after `ms` at the latest: a server that is away must not keep a process from stopping. */
function orAfter(work: Promise<void>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  work
    .catch(() => {})
    .finally(() => {
      clearTimeout(timer);
      resolve();
    });
  return promise;
}
