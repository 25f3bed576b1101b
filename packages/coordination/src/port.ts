/**
 * State that several processes of a service share in addition to the bus: jobs, leases, rate limits, dedup windows and
 * counters. The drivers are Redis (BullMQ and ioredis) for a fleet and an SQLite file for a single process. A Redis can
 * be lost or flushed at any time, so callers must be able to rebuild their state from the bus. All state expires unless
 * it is renewed.
 *
 * Every call rejects with CoordinationAwayError (fate `retriable`) if the server does not answer within the deadline.
 * The call may or may not have been executed, so every call can be retried.
 */

export interface Job {
  /** Adding an id that the queue already knows, even of a completed job, has no effect. */
  readonly id: string;
  readonly queue: string;
  readonly payload: Uint8Array;
  /** Earliest start, in ms since the epoch. @default now */
  readonly runAt?: number;
  /** Attempts before the job becomes a dead letter. @default 5 */
  readonly attempts?: number;
  /** Backoff after the first failed attempt, in ms. It doubles with each attempt, up to 4 s. @default 250 */
  readonly backoffMs?: number;
  /** Expiry in ms since the epoch. The job is not run after it, but counted as expired. */
  readonly expiresAt: number;
}

export interface JobRun {
  readonly id: string;
  readonly payload: Uint8Array;
  /** From 1. Postponed runs do not count. */
  readonly attempt: number;
  /** Aborts when the worker is closing. */
  readonly signal: AbortSignal;
}

/**
 * Runs a job, which is done when the handler resolves. PostponeError postpones the job without using up an attempt, an
 * error of fate `poison` makes it a dead letter at once, and any other error retries it. Jobs run at least once: a job
 * runs again if its process died or lost the server.
 */
export type JobHandler = (run: JobRun) => Promise<void>;

export interface WorkerOptions {
  /** Jobs that run at the same time. @default 16 */
  readonly concurrency?: number;
}

export interface JobWorker extends AsyncDisposable {
  /** Takes no more jobs and resolves when the running jobs have ended. */
  close(): Promise<void>;
}

/** Jobs in a queue. `dead` counts the dead letters that are still kept. */
export interface JobCounts {
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
  readonly dead: number;
}

export interface DeadJob {
  readonly id: string;
  readonly payload: Uint8Array;
  readonly reason: string;
  readonly attempts: number;
}

export interface Holder {
  readonly owner: string;
  /** Fencing token, which is higher than that of all previous holders, even after the server lost its data. */
  readonly token: number;
}

export interface Lease extends Holder {
  readonly name: string;
}

export interface Bucket {
  /** Tokens per second. */
  readonly rate: number;
  /** Capacity in tokens. */
  readonly burst: number;
}

export interface TakeResult {
  readonly granted: boolean;
  /** Milliseconds until the bucket has enough tokens, by the server's clock; 0 when granted. */
  readonly retryAfterMs: number;
}

export interface CoordinationStats {
  /** 1 while the server is connected, else 0. */
  readonly up: number;
  readonly reconnects: number;
  /** Failed calls by cause. */
  readonly failures: Readonly<Record<'away' | 'timeout' | 'error', number>>;
  /** Jobs that this process ran, by outcome. */
  readonly jobs: Readonly<Record<'done' | 'retried' | 'postponed' | 'dead' | 'expired', number>>;
}

export interface Coordination extends AsyncDisposable {
  /** Adds a job. When it resolves, the job is as durable as the server. */
  add(job: Job): Promise<void>;
  /**
   * Runs the jobs of a queue until the worker is closed. The worker continues by itself after an outage of the server.
   */
  process(queue: string, handler: JobHandler, options?: WorkerOptions): Promise<JobWorker>;
  counts(queue: string): Promise<JobCounts>;
  /** Returns the dead letters of a queue, newest first. */
  dead(queue: string, limit: number): Promise<readonly DeadJob[]>;
  /**
   * Acquires a lease, or returns null if another owner holds it. An owner can acquire its lease again and gets a new
   * token. `takeOver` also takes the lease from another owner, whose token becomes invalid: use it if that owner ended.
   */
  acquire(name: string, owner: string, ttlMs: number, takeOver?: boolean): Promise<Lease | null>;
  /** Renews a lease. Returns false if the lease was lost: another owner may hold it. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  /** Releases a lease. Has no effect if the lease was lost. */
  release(lease: Lease): Promise<void>;
  /** Returns the holder of each lease, or null for a free lease. */
  holders(names: readonly string[]): Promise<readonly (Holder | null)[]>;
  /** Takes `amount` tokens (at most `burst`, default 1) from a token bucket, all or nothing. A new bucket is full. */
  take(key: string, bucket: Bucket, amount?: number): Promise<TakeResult>;
  /** Returns true for the first call with this key within the window, and false for all others. */
  once(key: string, windowMs: number): Promise<boolean>;
  /** Adds to a counter and returns its value. The counter starts at 0 and resets `windowMs` after its first use. */
  count(key: string, by: number, windowMs: number): Promise<number>;
  stats(): CoordinationStats;
  close(): Promise<void>;
}
