import type { Log } from '@ringfence/base';
import type Database from 'better-sqlite3';
import { checkBucket, checkCount, checkJob, checkName, checkTtl } from '../arguments.ts';
import { CoordinationClosedError } from '../errors.ts';
import type { SqliteOptions } from '../options.ts';
import type {
  Bucket,
  Coordination,
  CoordinationStats,
  DeadJob,
  Holder,
  Job,
  JobCounts,
  JobHandler,
  JobWorker,
  Lease,
  TakeResult,
  WorkerOptions,
} from '../port.ts';
import { Counts } from '../stats.ts';
import { Buckets } from './buckets.ts';
import { openDatabase } from './database.ts';
import { Jobs } from './jobs.ts';
import { Leases } from './leases.ts';
import { Windows } from './windows.ts';
import { SqliteWorker } from './worker.ts';

const PURGE_MS = 60_000;

/** The driver for an SQLite file, which serves a single process. */
export class SqliteCoordination implements Coordination {
  readonly #db: Database.Database;
  readonly #jobs: Jobs;
  readonly #leases: Leases;
  readonly #windows: Windows;
  readonly #buckets: Buckets;
  readonly #workers = new Set<SqliteWorker>();
  readonly #counts = new Counts();
  readonly #log: Log | undefined;
  readonly #purgeTimer: NodeJS.Timeout;
  #closed: Promise<void> | undefined;

  constructor(options: SqliteOptions) {
    this.#db = openDatabase(options);
    this.#jobs = new Jobs(this.#db);
    this.#leases = new Leases(this.#db);
    this.#windows = new Windows(this.#db);
    this.#buckets = new Buckets(this.#db);
    this.#log = options.log;
    this.#counts.up = 1;
    this.#purgeTimer = setInterval(() => this.#purge(), PURGE_MS).unref();
  }

  async add(job: Job): Promise<void> {
    this.#checkOpen('add');
    const added = this.#jobs.add(checkJob(job, Date.now()));
    if (added) for (const worker of this.#workers) if (worker.queue === job.queue) worker.wake();
  }

  async process(queue: string, handler: JobHandler, options: WorkerOptions = {}): Promise<JobWorker> {
    this.#checkOpen('process');
    checkName('queue', queue);
    const onClosed = (closedWorker: SqliteWorker): boolean => this.#workers.delete(closedWorker);
    const deps = { jobs: this.#jobs, counts: this.#counts, log: this.#log, onClosed };
    const worker = new SqliteWorker(queue, handler, options.concurrency ?? 16, deps);
    this.#workers.add(worker);
    worker.wake();
    return worker;
  }

  async counts(queue: string): Promise<JobCounts> {
    this.#checkOpen('counts');
    return this.#jobs.counts(queue, Date.now());
  }

  async dead(queue: string, limit: number): Promise<readonly DeadJob[]> {
    this.#checkOpen('dead');
    return this.#jobs.dead(queue, limit);
  }

  async acquire(name: string, owner: string, ttlMs: number, takeOver = false): Promise<Lease | null> {
    this.#checkOpen('acquire');
    checkName('lease', name);
    checkName('owner', owner);
    checkTtl('the TTL of the lease', ttlMs);
    return this.#leases.acquire(name, owner, ttlMs, Date.now(), takeOver);
  }

  async renew(lease: Lease, ttlMs: number): Promise<boolean> {
    this.#checkOpen('renew');
    checkTtl('the TTL of the lease', ttlMs);
    return this.#leases.renew(lease, ttlMs, Date.now());
  }

  async release(lease: Lease): Promise<void> {
    this.#checkOpen('release');
    this.#leases.release(lease);
  }

  async holders(names: readonly string[]): Promise<readonly (Holder | null)[]> {
    this.#checkOpen('holders');
    const now = Date.now();
    return names.map((name) => this.#leases.holder(name, now));
  }

  async take(key: string, bucket: Bucket, amount = 1): Promise<TakeResult> {
    this.#checkOpen('take');
    checkName('bucket', key);
    checkBucket(bucket, amount);
    return this.#buckets.take(key, bucket, amount, Date.now());
  }

  async once(key: string, windowMs: number): Promise<boolean> {
    this.#checkOpen('once');
    checkName('dedup key', key);
    checkTtl('the dedup window', windowMs);
    return this.#windows.add(`once/${key}`, 1, windowMs, Date.now()) === 1;
  }

  async count(key: string, by: number, windowMs: number): Promise<number> {
    this.#checkOpen('count');
    checkName('counter', key);
    checkTtl('the window of the counter', windowMs);
    checkCount(by);
    return this.#windows.add(`count/${key}`, by, windowMs, Date.now());
  }

  stats(): CoordinationStats {
    return this.#counts.snapshot();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#purgeTimer);
    await Promise.all([...this.#workers].map((worker) => worker.close()));
    this.#counts.up = 0;
    this.#db.close();
  }

  #checkOpen(call: string): void {
    if (this.#closed !== undefined) throw new CoordinationClosedError(call);
  }

  #purge(): void {
    const now = Date.now();
    this.#jobs.purge(now);
    for (const table of ['leases', 'buckets', 'windows'])
      this.#db.prepare(`DELETE FROM ${table} WHERE expires_at < ?`).run(now);
  }
}
