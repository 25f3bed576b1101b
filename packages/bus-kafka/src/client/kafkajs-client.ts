import { createRequire } from 'node:module';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { compressionsAlgorithms } from '@platformatic/kafka';
import { withDeadline } from '@ringfence/base';
import kafkajs from 'kafkajs';
import type { CompiledKafkaOptions, Compression, KafkaSasl } from '../options.ts';
import { askAnyBroker, isCertificateError, requestDeadline, timeoutError } from './brokers.ts';
import { decodeFetch } from './kafkajs-fetch.ts';
import { TlsMaterial, tokenOf } from './secrets.ts';
import { type Node, WireError } from './wire.ts';

/**
 * kafkajs exports this level (connections, authentication, protocol) by path only. Its consumer and producer cannot be
 * used: they hide the offsets of writes, cannot read without a group, and rebalance without waiting for the batch in
 * hand.
 */
const require = createRequire(import.meta.url);
const JsBroker = require('kafkajs/src/broker') as new (options: object) => JsBroker;
const buildPools = require('kafkajs/src/cluster/connectionPoolBuilder') as (options: object) => {
  build(at: {
    host: string;
    port: number;
  }): Promise<{ readonly pool: readonly { readonly requestQueue: RequestQueue }[] }>;
};
const { createLogger } = require('kafkajs/src/loggers') as { createLogger: (options: object) => object };
const apiKeys = require('kafkajs/src/protocol/requests/apiKeys') as Readonly<Record<string, number>>;
const { requests } = require('kafkajs/src/protocol/requests') as { requests: Readonly<Record<string, unknown>> };

interface RequestQueue {
  readonly pending: readonly unknown[];
  /** ms since the epoch */
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

/**
 * The queue schedules a check for the end of its throttling even when it is not throttled and empty. Node prints a
 * warning for each such timer, because its delay is negative.
 */
function skipIdleChecks(queue: RequestQueue): void {
  const scheduleCheck = queue.scheduleCheckPendingRequests.bind(queue);
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0 || queue.throttledUntil > Date.now()) scheduleCheck();
  };
}

interface Request {
  readonly request: { readonly apiVersion: number };
  readonly response: {
    readonly decode: (bytes: Buffer) => Promise<unknown>;
    readonly parse: (data: unknown) => unknown;
  };
}

interface JsBroker {
  readonly connectionPool: { send(request: Request): Promise<unknown> };
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  lookupRequest(apiKey: number, definition: unknown): (args: object) => Request;
}

/** Kafka's numbers of the compression codecs. */
export const CODES: Readonly<Record<Compression, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 };

// kafkajs has only gzip. Take the other codecs from the other client.
for (const name of ['snappy', 'lz4', 'zstd'] as const) {
  const { compressSync, decompressSync } = compressionsAlgorithms[name];
  (kafkajs.CompressionCodecs as Record<number, () => object>)[CODES[name]] = () => ({
    compress: async ({ buffer }: { buffer: Buffer }) => compressSync(buffer),
    decompress: async (bytes: Buffer) => decompressSync(bytes),
  });
}

/** Connections to brokers, and single requests over them. */
export class JsClient {
  readonly #options: CompiledKafkaOptions;
  readonly #pools: ReturnType<typeof buildPools>;
  readonly #brokers: Map<string, Promise<JsBroker>> = new Map();
  /** Sockets by host:port. The client can only wait for pending requests; destroying its socket ends them. */
  readonly #sockets: Map<string, Set<Socket>> = new Map();
  #closed = false;

  constructor(options: CompiledKafkaOptions) {
    this.#options = options;
    this.#pools = buildPools(poolOptions(options, (address, socket) => this.#track(address, socket)));
  }

  close(): void {
    this.#closed = true;
    for (const address of [...this.#sockets.keys(), ...this.#brokers.keys()]) this.#drop(address);
  }

  ask<R>(name: string, args: object): Promise<R> {
    return askAnyBroker(this.#options, (node) => this.call<R>(node, name, args));
  }

  /**
   * Returns the response with its error codes. The client's own parser, which throws at the first code, is bypassed.
   */
  async call<R>(node: Node, name: string, args: object): Promise<R> {
    const address = `${node.host}:${node.port}`;
    const { requestDeadlineMs } = this.#options;
    const deadlineMs = requestDeadline(this.#options, name === 'JoinGroup' || name === 'SyncGroup');
    try {
      const broker = await this.#withDeadline(this.#broker(node), requestDeadlineMs, address);
      // Also renews the authentication when the session is about to expire.
      await this.#withDeadline(broker.connect(), requestDeadlineMs, address);
      const { request, response } = broker.lookupRequest(apiKeys[name]!, requests[name])(args);
      const decode = name === 'Fetch' ? decodeFetch(request) : response.decode;
      const answer = broker.connectionPool.send({ request, response: { decode, parse: (data) => data } });
      return (await this.#withDeadline(answer, deadlineMs, address)) as R;
    } catch (error) {
      this.#dropIfBroken(address, error);
      throw translate(error, address);
    }
  }

  #withDeadline<T>(work: Promise<T>, ms: number, address: string): Promise<T> {
    return withDeadline(work, ms, () => {
      this.#drop(address);
      return timeoutError(address, ms);
    });
  }

  async #broker({ host, port }: Node): Promise<JsBroker> {
    if (this.#closed) throw new WireError('NETWORK', 'the wire is closed');
    const key = `${host}:${port}`;
    let broker = this.#brokers.get(key);
    if (broker === undefined) {
      broker = this.#connect(host, port);
      this.#brokers.set(key, broker);
    }
    return broker;
  }

  async #connect(host: string, port: number): Promise<JsBroker> {
    const connectionPool = await this.#pools.build({ host, port });
    for (const { requestQueue } of connectionPool.pool) skipIdleChecks(requestQueue);
    return new JsBroker({
      connectionPool,
      logger: SILENT,
      allowAutoTopicCreation: false,
      authenticationTimeout: this.#options.requestDeadlineMs,
    });
  }

  #dropIfBroken(address: string, error: unknown): void {
    const { name } = error as Error;
    if (/Connection|Timeout|Authentication|Lock/.test(name)) this.#drop(address);
  }

  /** Ends the pending requests to a broker. The next request opens a new connection. */
  #drop(address: string): void {
    this.#brokers.delete(address);
    for (const socket of this.#sockets.get(address) ?? []) socket.destroy(new Error('the connection was given up'));
  }

  #track(address: string, socket: Socket): void {
    const sockets = this.#sockets.get(address) ?? new Set();
    this.#sockets.set(address, sockets.add(socket));
    socket.once('close', () => sockets.delete(socket));
  }
}

const SILENT = createLogger({ level: 0, logCreator: () => () => {} });

function poolOptions(options: CompiledKafkaOptions, onSocket: (address: string, socket: Socket) => void): object {
  const { clientId, requestDeadlineMs, tls, sasl } = options;
  const material = tls === null ? null : new TlsMaterial(tls);
  return {
    clientId,
    logger: SILENT,
    connectionTimeout: requestDeadlineMs,
    requestTimeout: requestDeadlineMs,
    // JsClient has its own deadlines.
    enforceRequestTimeout: false,
    maxInFlightRequests: 8,
    ...(tls === null ? {} : { ssl: true }),
    ...(sasl === null ? {} : { sasl: saslOptions(sasl) }),
    socketFactory: ({ host, port, onConnect }: { host: string; port: number; onConnect: () => void }) => {
      const socket =
        material === null
          ? connectTcp({ host, port }, onConnect)
          : connectTls({ host, port, ...material.current(host) }, onConnect);
      socket.setNoDelay(true);
      onSocket(`${host}:${port}`, socket);
      return socket;
    },
  };
}

/** kafkajs puts a length before each authentication message, and leaves it in the answer. */
const LENGTH_BYTES = 4;

function saslOptions(sasl: KafkaSasl): object {
  const { mechanism, username = '', password = '' } = sasl;
  if (mechanism !== 'oauthbearer') return { mechanism, username, password };
  // The client's own provider ignores the answer, which is where a broker explains why it refuses a token.
  const authenticationProvider = ({ saslAuthenticate }: { saslAuthenticate: Authenticate }) => ({
    async authenticate() {
      const first = Buffer.from(`n,,\x01auth=Bearer ${await tokenOf(sasl)}\x01\x01`);
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeInt32BE(first.length);
      const encode = async () => Buffer.concat([length, first]);
      const response = { decode: async (bytes: Buffer | null) => bytes, parse: (bytes: Buffer | null) => bytes };
      const answer = await saslAuthenticate({ request: { encode }, response });
      const refusal = answer?.toString('utf8', LENGTH_BYTES) ?? '';
      if (refusal !== '')
        throw new WireError('AUTHENTICATION', `the broker refuses the token: ${refusal.slice(0, 200)}`);
    },
  });
  return { mechanism, authenticationProvider };
}

type Authenticate = (message: {
  readonly request: { readonly encode: () => Promise<Buffer> };
  readonly response: {
    readonly decode: (bytes: Buffer | null) => Promise<Buffer | null>;
    readonly parse: (bytes: Buffer | null) => Buffer | null;
  };
}) => Promise<Buffer | null>;

function translate(error: unknown, address: string): WireError {
  if (error instanceof WireError) return error;
  const { name, message, code, type } = error as Error & { code?: unknown; type?: unknown };
  const refused =
    name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED' || isCertificateError(code);
  const reason = refused ? 'AUTHENTICATION' : name === 'KafkaJSRequestTimeoutError' ? 'TIMEOUT' : 'NETWORK';
  return new WireError(reason, `${address}: ${message}`, { cause: error });
}
