/**
 * What several processes of a service share beside the bus: jobs, leases, rate limits, dedup windows, counters. Drivers: Redis (BullMQ and ioredis) for
 * a fleet, one SQLite file for one process. Nothing here is the truth about anything: whoever uses it must be able to rebuild it from the bus, since a
 * Redis can be lost or flushed at any time. Everything ends by itself: a key that nobody renews expires.
 *
 * Every call rejects with CoordinationAwayError (fate `retriable`) when the server does not answer within the deadline; what was asked may or may not
 * have happened then, so every call can be made again.
 */

export interface Job {
  /** Adding an id that the queue knows, done or not, changes nothing. */
  readonly id: string;
  readonly queue: string;
  readonly payload: Uint8Array;
  /** ms since the epoch; not before. @default now */
  readonly runAt?: number;
  /** How often the handler may throw before the job is a dead letter. @default 5 */
  readonly attempts?: number;
  /** Pause after the first throw, ms; doubled with each, up to 4 s. @default 250 */
  readonly backoffMs?: number;
  /** ms since the epoch; from then on it isn't run any more, but counted as expired. */
  readonly expiresAt: number;
}

export interface JobRun {
  readonly id: string;
  readonly payload: Uint8Array;
  /** from 1, of those in which the handler threw */
  readonly attempt: number;
  /** the worker is closing */
  readonly signal: AbortSignal;
}

/**
 * Done when it resolves. Throws PostponeError to be called again later without having used up an attempt; an error of fate `poison` makes a dead letter
 * at once; anything else is tried again. A handler may be called twice for one job (its process died, or lost the server): at least once.
 */
export type JobHandler = (run: JobRun) => Promise<void>;

export interface WorkerOptions {
  /** jobs in hand at a time. @default 16 */
  readonly concurrency?: number;
}

export interface JobWorker extends AsyncDisposable {
  /** Takes no more; ends when those in hand have. */
  close(): Promise<void>;
}

/** In a queue now. `dead`: the dead letters kept. */
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
  /** Fencing token: each holder's is higher than that of every holder before it, also after the server lost everything. */
  readonly token: number;
}

export interface Lease extends Holder {
  readonly name: string;
}

export interface Bucket {
  /** per second */
  readonly rate: number;
  /** most that can be taken at once */
  readonly burst: number;
}

export interface Taken {
  readonly granted: boolean;
  /** when there will be as many, by the server's clock; 0 when granted */
  readonly retryAfterMs: number;
}

export interface CoordinationStats {
  /** 1 while the server answers */
  readonly up: number;
  readonly reconnects: number;
  /** calls that were given up, by cause */
  readonly failures: Readonly<Record<'away' | 'timeout' | 'error', number>>;
  /** of jobs that were run here */
  readonly jobs: Readonly<Record<'done' | 'retried' | 'postponed' | 'dead' | 'expired', number>>;
}

export interface Coordination extends AsyncDisposable {
  /** Durable, as far as the server is, when it resolves. */
  add(job: Job): Promise<void>;
  /** Runs the jobs of a queue until the worker is closed; goes on by itself when the server was away. */
  process(queue: string, handler: JobHandler, options?: WorkerOptions): Promise<JobWorker>;
  counts(queue: string): Promise<JobCounts>;
  /** Newest first. */
  dead(queue: string, limit: number): Promise<readonly DeadJob[]>;
  /**
   * The lease, when nobody else holds it; an owner takes its own again, with a new token. `takeOver`: also from somebody else, when the caller knows that
   * the other's time is over; the other's token is then worth nothing.
   */
  acquire(name: string, owner: string, ttlMs: number, takeOver?: boolean): Promise<Lease | null>;
  /** false: it was lost; somebody else may hold it. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  /** Gives it back; nothing when it was lost. */
  release(lease: Lease): Promise<void>;
  /** Who holds each of these; null: nobody. */
  holders(names: readonly string[]): Promise<readonly (Holder | null)[]>;
  /** Takes `amount` (at most the burst) from a token bucket that is full when nobody has used it for long. All or nothing. */
  take(key: string, bucket: Bucket, amount?: number): Promise<Taken>;
  /** true for the first who says so within the window. */
  once(key: string, windowMs: number): Promise<boolean>;
  /** Adds to a counter and gives its new value. It begins at 0, and again `windowMs` after it began. */
  count(key: string, by: number, windowMs: number): Promise<number>;
  stats(): CoordinationStats;
  close(): Promise<void>;
}
