import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisOptions as AllOptions, Redis, ReplyError } from 'ioredis';
import {
  BadArgumentError,
  CoordinationAwayError,
  CoordinationClosedError,
  type CoordinationError,
  CoordinationRefusedError,
} from '../errors.ts';
import type { CoordinationLog, RedisOptions } from '../options.ts';
import type { Counts } from '../stats.ts';
import { SCRIPTS, type ScriptCommands } from './scripts.ts';

const RECONNECT_MAX_MS = 5000;
/** A connection that brings nothing for so long while something is asked of it is dead. Longer than a worker's wait for jobs. */
const SILENT_MS = 30_000;

/** Maps as flat lists, as BullMQ wants them. */
type ClientOptions = AllOptions & { replyMapping?: 'legacy' };

export type Commands = Redis & ScriptCommands;

/** Connections to the server, and calls that end by their deadline. */
export class RedisClient {
  /** For calls: asks nothing while there is no connection, so that nothing piles up. */
  readonly commands: Commands;
  readonly prefix: string;
  readonly deadlineMs: number;
  readonly #options: ClientOptions;
  readonly #counts: Counts;
  readonly #log: CoordinationLog | undefined;
  readonly #connections: Redis[] = [];
  #closed = false;
  #lost = false;

  constructor(options: RedisOptions, counts: Counts) {
    this.prefix = options.prefix ?? 'ringfence';
    this.deadlineMs = options.deadlineMs ?? 2000;
    this.#counts = counts;
    this.#log = options.log;
    this.#options = clientOptions(options);
    this.commands = this.#connect({ enableOfflineQueue: false, scripts: SCRIPTS }) as Commands;
    this.#watch(this.commands);
  }

  get up(): boolean {
    return this.commands.status === 'ready';
  }

  /** A connection for a worker: its calls wait until the server is back. */
  patient(): Redis {
    return this.#connect({ maxRetriesPerRequest: null, enableOfflineQueue: true });
  }

  /** Waits for the server, but no longer than the deadline. */
  async started(): Promise<void> {
    if (this.up) return;
    const timer = new AbortController();
    const ready = new Promise<void>((resolve) => this.commands.once('ready', resolve));
    await Promise.race([ready, sleep(this.deadlineMs, undefined, { signal: timer.signal }).catch(() => {})]);
    timer.abort();
  }

  /** What `ask` gives, or a CoordinationError by the deadline. */
  async call<T>(name: string, ask: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new CoordinationClosedError(name);
    if (!this.up) {
      this.#counts.failures.away++;
      throw new CoordinationAwayError(name, 'not connected');
    }
    const timer = new AbortController();
    try {
      const late = sleep(this.deadlineMs, LATE, { signal: timer.signal });
      const answer = await Promise.race([ask(), late]);
      if (answer !== LATE) return answer as T;
    } catch (error) {
      throw this.#failure(name, error);
    } finally {
      timer.abort();
    }
    this.#counts.failures.timeout++;
    throw new CoordinationAwayError(name, `no answer within ${this.deadlineMs} ms`);
  }

  /** Ends every connection at once. */
  close(): void {
    this.#closed = true;
    this.#counts.up = 0;
    for (const connection of this.#connections) connection.disconnect();
  }

  #failure(name: string, cause: unknown): CoordinationError {
    if (cause instanceof BadArgumentError) return cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    if (cause instanceof ReplyError) {
      this.#counts.failures.error++;
      // Without the cause: ioredis hangs the command on it, with all that was sent.
      return new CoordinationRefusedError(name, message);
    }
    this.#counts.failures.away++;
    return new CoordinationAwayError(name, message, { cause });
  }

  #connect(options: ClientOptions): Redis {
    const connection = new Redis({ ...this.#options, ...options });
    // Without a listener ioredis prints each one; `#watch` says what a person needs to know.
    connection.on('error', () => {});
    this.#connections.push(connection);
    return connection;
  }

  #watch(connection: Redis): void {
    const { host, port } = this.#options;
    // Only what it says: on the error of a refused AUTH hangs the password.
    let reason = '';
    connection.on('error', ({ message }: Error) => {
      reason = message;
      if (this.#lost || this.#closed) return;
      this.#lost = true;
      this.#log?.warn({ host, port, reason }, 'redis can not be reached: jobs wait, limits refuse');
    });
    connection.on('ready', () => {
      this.#counts.up = 1;
      if (this.#lost) {
        this.#counts.reconnects++;
        this.#log?.info({ host, port }, 'redis is there again');
      }
      this.#lost = false;
    });
    connection.on('close', () => {
      this.#counts.up = 0;
      if (this.#lost || this.#closed) return;
      this.#lost = true;
      this.#log?.warn({ host, port, reason }, 'the connection to redis was lost: jobs wait, limits refuse');
    });
  }
}

const LATE = Symbol('late');

function clientOptions(options: RedisOptions): ClientOptions {
  const url = parseUrl(options.url);
  const db = Number(url.pathname.slice(1) || 0);
  if (!Number.isSafeInteger(db))
    throw new BadArgumentError(`redis.url names database ${url.pathname}: expected a number`);
  const password = options.password || decodeURIComponent(url.password);
  const username = options.user || decodeURIComponent(url.username);
  const { ca, cert, key } = options;
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), minVersion: 'TLSv1.2' as const };
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 6379),
    db,
    ...(password && { password }),
    ...(username && { username }),
    ...(url.protocol === 'rediss:' && { tls }),
    connectTimeout: 5000,
    socketTimeout: SILENT_MS,
    keepAlive: 10_000,
    maxRetriesPerRequest: 0,
    // For ever: an outage of hours ends by itself. Jitter, so that a fleet doesn't come back in one moment.
    retryStrategy: (times) => Math.min(RECONNECT_MAX_MS, 50 * 2 ** Math.min(times, 10)) * (0.5 + Math.random() / 2),
    // A replica that was promoted elsewhere: connect again, the name may lead to the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

/** Never shows what is in it: a password may be. */
function parseUrl(text: string): URL {
  if (/^rediss?:\/\//.test(text) && URL.canParse(text)) return new URL(text);
  throw new BadArgumentError('redis.url: expected redis://host:port, or rediss:// for TLS');
}
