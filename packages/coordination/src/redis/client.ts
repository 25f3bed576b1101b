import { type Backoff, backoffMs, endsWithin, type Log, withDeadline } from '@ringfence/base';
import { type RedisOptions as AllOptions, Redis, ReplyError } from 'ioredis';
import {
  BadArgumentError,
  CoordinationAwayError,
  CoordinationClosedError,
  type CoordinationError,
  CoordinationRefusedError,
} from '../errors.ts';
import type { RedisOptions } from '../options.ts';
import type { Counts } from '../stats.ts';
import { SCRIPTS, type ScriptCommands } from './scripts.ts';

/** ioredis counts attempts from 1, so the first pause is 100 ms. */
const RECONNECT: Backoff = { firstMs: 50, maxMs: 5000 };
/**
 * A connection is dead if it receives nothing for this long while a reply is due. Longer than a worker waits for jobs.
 */
const SOCKET_TIMEOUT_MS = 30_000;

/** BullMQ expects maps in replies as flat lists. */
type ClientOptions = AllOptions & { replyMapping?: 'legacy' };

export type Commands = Redis & ScriptCommands;

/** The connections to the server. Calls have a deadline. */
export class RedisClient {
  /** Connection for calls, which fail while it is down instead of queueing. */
  readonly commands: Commands;
  readonly prefix: string;
  readonly deadlineMs: number;
  readonly #options: ClientOptions;
  readonly #counts: Counts;
  readonly #log: Log | undefined;
  readonly #connections: Redis[] = [];
  #closed = false;
  #reportedDown = false;

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

  /** Opens a connection for a worker, whose calls wait while the connection is down. */
  connectWorker(): Redis {
    return this.#connect({ maxRetriesPerRequest: null, enableOfflineQueue: true });
  }

  /** Waits until the server is connected, up to the deadline. */
  async started(): Promise<void> {
    if (this.up) return;
    await endsWithin(new Promise<void>((resolve) => this.commands.once('ready', resolve)), this.deadlineMs);
  }

  /** Returns the result of `request`, or throws a CoordinationError by the deadline. */
  async call<T>(name: string, request: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new CoordinationClosedError(name);
    if (!this.up) {
      this.#counts.failures.away++;
      throw new CoordinationAwayError(name, 'not connected');
    }
    try {
      return await withDeadline(request(), this.deadlineMs, () => {
        this.#counts.failures.timeout++;
        return new CoordinationAwayError(name, `no answer within ${this.deadlineMs} ms`);
      });
    } catch (error) {
      throw error instanceof CoordinationAwayError ? error : this.#failure(name, error);
    }
  }

  /** Closes all connections at once. */
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
      // Omit the cause: ioredis attaches the command to it, with its arguments.
      return new CoordinationRefusedError(name, message);
    }
    this.#counts.failures.away++;
    return new CoordinationAwayError(name, message, { cause });
  }

  #connect(options: ClientOptions): Redis {
    const connection = new Redis({ ...this.#options, ...options });
    // Without a listener ioredis prints each error. `#watch` logs the errors that matter.
    connection.on('error', () => {});
    this.#connections.push(connection);
    return connection;
  }

  #watch(connection: Redis): void {
    const { host, port } = this.#options;
    // Log only the message: the error of a refused AUTH contains the password.
    let reason = '';
    connection.on('error', ({ message }: Error) => {
      reason = message;
      if (this.#reportedDown || this.#closed) return;
      this.#reportedDown = true;
      this.#log?.warn({ host, port, reason }, 'Redis is unreachable: jobs wait, and rate limits refuse');
    });
    connection.on('ready', () => {
      this.#counts.up = 1;
      if (this.#reportedDown) {
        this.#counts.reconnects++;
        this.#log?.info({ host, port }, 'Redis is reachable again');
      }
      this.#reportedDown = false;
    });
    connection.on('close', () => {
      this.#counts.up = 0;
      if (this.#reportedDown || this.#closed) return;
      this.#reportedDown = true;
      this.#log?.warn({ host, port, reason }, 'the connection to Redis was lost: jobs wait, and rate limits refuse');
    });
  }
}

function clientOptions(options: RedisOptions): ClientOptions {
  const url = parseUrl(options.url);
  const db = Number(url.pathname.slice(1) || 0);
  if (!Number.isSafeInteger(db))
    throw new BadArgumentError(`redis.url has the database ${url.pathname}: expected a number`);
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
    socketTimeout: SOCKET_TIMEOUT_MS,
    keepAlive: 10_000,
    maxRetriesPerRequest: 0,
    // Retry forever, so that even a long outage needs no restart. Jitter keeps a fleet from reconnecting all at once.
    retryStrategy: (times) => backoffMs(times, RECONNECT),
    // Reconnect after a failover: the hostname may now resolve to the new primary.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

/** Errors omit the URL, because it may contain a password. */
function parseUrl(text: string): URL {
  if (/^rediss?:\/\//.test(text) && URL.canParse(text)) return new URL(text);
  throw new BadArgumentError('redis.url: expected redis://host:port, or rediss:// for TLS');
}
