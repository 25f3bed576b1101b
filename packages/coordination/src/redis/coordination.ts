import { checkBucket, checkCount, checkJob, checkName, checkTtl } from '../arguments.ts';
import { CoordinationClosedError } from '../errors.ts';
import type { RedisOptions } from '../options.ts';
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
import { RedisClient } from './client.ts';
import { Queues } from './queues.ts';

/** The driver for a Redis that several processes share. */
export class RedisCoordination implements Coordination {
  readonly #counts = new Counts();
  /** connections, for tests; not part of the port */
  readonly client: RedisClient;
  readonly #queues: Queues;
  readonly #workers = new Set<JobWorker>();
  #closed: Promise<void> | undefined;

  constructor(options: RedisOptions) {
    this.client = new RedisClient(options, this.#counts);
    this.#queues = new Queues(this.client, this.#counts, options.lockMs ?? 10_000, options.log);
  }

  /** Waits until the server is connected, up to the deadline. The server may become reachable later. */
  started(): Promise<void> {
    return this.client.started();
  }

  async add(job: Job): Promise<void> {
    const checked = checkJob(job, Date.now());
    await this.client.call('add', () => this.#queues.add(checked));
  }

  async process(queue: string, handler: JobHandler, options: WorkerOptions = {}): Promise<JobWorker> {
    if (this.#closed !== undefined) throw new CoordinationClosedError('process');
    checkName('queue', queue);
    const worker = this.#queues.process(queue, handler, options.concurrency ?? 16);
    const close = async (): Promise<void> => {
      this.#workers.delete(worker);
      await worker.close();
    };
    this.#workers.add(worker);
    return { close, [Symbol.asyncDispose]: close };
  }

  async counts(queue: string): Promise<JobCounts> {
    checkName('queue', queue);
    return this.client.call('counts', () => this.#queues.counts(queue));
  }

  async dead(queue: string, limit: number): Promise<readonly DeadJob[]> {
    checkName('queue', queue);
    return this.client.call('dead', () => this.#queues.dead(queue, limit));
  }

  async acquire(name: string, owner: string, ttlMs: number, takeOver = false): Promise<Lease | null> {
    checkName('lease', name);
    checkName('owner', owner);
    checkTtl('the TTL of the lease', ttlMs);
    const [key, fence] = [this.#key('lease', name), this.#key('fence', 'token')];
    const token = await this.client.call('acquire', () =>
      this.client.commands.rfAcquire(key, fence, owner, ttlMs, takeOver ? 1 : 0),
    );
    return token === null ? null : { name, owner, token: Number(token) };
  }

  async renew(lease: Lease, ttlMs: number): Promise<boolean> {
    checkTtl('the TTL of the lease', ttlMs);
    return (await this.#change('renew', lease, ttlMs)) === 1;
  }

  async release(lease: Lease): Promise<void> {
    await this.#change('release', lease, 0);
  }

  async holders(names: readonly string[]): Promise<readonly (Holder | null)[]> {
    if (names.length === 0) return [];
    for (const name of names) checkName('lease', name);
    const keys = names.map((name) => this.#key('lease', name));
    const held = await this.client.call('holders', () => this.client.commands.mget(keys));
    return held.map((value) => {
      const [owner, token] = value?.split(' ') ?? [];
      return owner === undefined ? null : { owner, token: Number(token) };
    });
  }

  async take(key: string, bucket: Bucket, amount = 1): Promise<TakeResult> {
    checkName('bucket', key);
    checkBucket(bucket, amount);
    const { rate, burst } = bucket;
    const name = this.#key('bucket', key);
    const [granted, retryAfterMs] = await this.client.call('take', () =>
      this.client.commands.rfTake(name, rate, burst, amount),
    );
    return { granted: granted === 1, retryAfterMs };
  }

  async once(key: string, windowMs: number): Promise<boolean> {
    checkName('dedup key', key);
    checkTtl('the dedup window', windowMs);
    const name = this.#key('once', key);
    return (await this.client.call('once', () => this.client.commands.set(name, '1', 'PX', windowMs, 'NX'))) === 'OK';
  }

  async count(key: string, by: number, windowMs: number): Promise<number> {
    checkName('counter', key);
    checkTtl('the window of the counter', windowMs);
    checkCount(by);
    return this.client.call('count', () => this.client.commands.rfCount(this.#key('count', key), by, windowMs));
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
    await Promise.all([...this.#workers].map((worker) => worker.close()));
    this.client.close();
  }

  #change(call: string, { name, owner, token }: Lease, ttlMs: number): Promise<number> {
    checkName('lease', name);
    const key = this.#key('lease', name);
    return this.client.call(call, () => this.client.commands.rfRenew(key, `${owner} ${token}`, ttlMs));
  }

  #key(kind: string, name: string): string {
    return `${this.client.prefix}:${kind}:${name}`;
  }
}
