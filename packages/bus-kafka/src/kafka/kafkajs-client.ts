import { createRequire } from 'node:module';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { compressionsAlgorithms } from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import { within } from './deadline.ts';
import { decodeFetch } from './kafkajs-fetch.ts';
import type { CompiledKafkaOptions, Compression, KafkaSasl } from './options.ts';
import { TlsMaterial, tokenOf } from './secrets.ts';
import { type Node, WireError } from './wire.ts';

/**
 * Its consumer and producer hide what this bus needs (offsets of writes, reading without a group, a rebalance that waits for the batch in hand), so it is
 * used one level below them: its connections, its authentication, its protocol. The package exports that level by path only.
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
  /** of Date.now() */
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

/** It looks again "at the end of the throttling", also when there is none and nothing waits: Node warns of each timer that is set to the past. */
function lookOnlyWhenNeeded(queue: RequestQueue): void {
  const schedule = queue.scheduleCheckPendingRequests.bind(queue);
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0 || queue.throttledUntil > Date.now()) schedule();
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

/** Kafka's numbers of the packings. */
export const CODES: Readonly<Record<Compression, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 };

/** Without a codec its consumer silently gives nothing: it gets all of them, from the other client. */
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
  /** by host:port: to end them at once, as the client only waits for what is on its way */
  readonly #sockets: Map<string, Set<Socket>> = new Map();
  #closed = false;

  constructor(options: CompiledKafkaOptions) {
    this.#options = options;
    this.#pools = buildPools(poolOptions(options, (where, socket) => this.#track(where, socket)));
  }

  close(): void {
    this.#closed = true;
    for (const where of [...this.#sockets.keys(), ...this.#brokers.keys()]) this.#drop(where);
  }

  /** Of the first broker that answers. */
  async ask<R>(name: string, args: object): Promise<R> {
    const failures: WireError[] = [];
    for (const { host, port } of this.#options.brokers) {
      try {
        return await this.call<R>({ id: -1, host, port }, name, args);
      } catch (error) {
        failures.push(error as WireError);
      }
    }
    const refusal = failures.find(({ reason }) => reason === 'AUTHENTICATION') ?? failures[0]!;
    const said = failures.map(({ message }) => message).join('; ');
    throw failures.length === 1 ? refusal : new WireError(refusal.reason, said, { cause: refusal });
  }

  /** Error codes are ours to judge: what the client would throw at the first of them is left out. */
  async call<R>(node: Node, name: string, args: object): Promise<R> {
    const where = `${node.host}:${node.port}`;
    const { requestDeadlineMs, rebalanceTimeoutMs } = this.#options;
    const joins = name === 'JoinGroup' || name === 'SyncGroup';
    const deadlineMs = joins ? rebalanceTimeoutMs + requestDeadlineMs : requestDeadlineMs;
    try {
      const broker = await within(this.#broker(node), requestDeadlineMs, where, () => this.#drop(where));
      // Also authenticates anew when the session is about to end.
      await within(broker.connect(), requestDeadlineMs, where, () => this.#drop(where));
      const { request, response } = broker.lookupRequest(apiKeys[name]!, requests[name])(args);
      const decode = name === 'Fetch' ? decodeFetch(request) : response.decode;
      const sent = broker.connectionPool.send({ request, response: { decode, parse: (data) => data } });
      return (await within(sent, deadlineMs, where, () => this.#drop(where))) as R;
    } catch (error) {
      this.#dropIfBroken(where, error);
      throw translate(error, where);
    }
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
    for (const { requestQueue } of connectionPool.pool) lookOnlyWhenNeeded(requestQueue);
    return new JsBroker({
      connectionPool,
      logger: SILENT,
      allowAutoTopicCreation: false,
      authenticationTimeout: this.#options.requestDeadlineMs,
    });
  }

  #dropIfBroken(where: string, error: unknown): void {
    const { name } = error as Error;
    if (/Connection|Timeout|Authentication|Lock/.test(name)) this.#drop(where);
  }

  /** Ends what is on its way; the next request connects anew. */
  #drop(where: string): void {
    this.#brokers.delete(where);
    for (const socket of this.#sockets.get(where) ?? []) socket.destroy(new Error('the connection was given up'));
  }

  #track(where: string, socket: Socket): void {
    const sockets = this.#sockets.get(where) ?? new Set();
    this.#sockets.set(where, sockets.add(socket));
    socket.once('close', () => sockets.delete(socket));
  }
}

/** It frames what is said during authentication by its length, on the way there and back. */
const LENGTH_BYTES = 4;

const SILENT = createLogger({ level: 0, logCreator: () => () => {} });

function poolOptions(options: CompiledKafkaOptions, opened: (where: string, socket: Socket) => void): object {
  const { clientId, requestDeadlineMs, tls, sasl } = options;
  const material = tls === null ? null : new TlsMaterial(tls);
  return {
    clientId,
    logger: SILENT,
    connectionTimeout: requestDeadlineMs,
    requestTimeout: requestDeadlineMs,
    // The deadlines are our own.
    enforceRequestTimeout: false,
    maxInFlightRequests: 8,
    ...(tls === null ? {} : { ssl: true }),
    ...(sasl === null ? {} : { sasl: saslOptions(sasl) }),
    socketFactory: ({ host, port, onConnect }: { host: string; port: number; onConnect: () => void }) => {
      // Read by every new connection.
      const socket =
        material === null
          ? connectTcp({ host, port }, onConnect)
          : connectTls({ host, port, ...material.current(host) }, onConnect);
      socket.setNoDelay(true);
      opened(`${host}:${port}`, socket);
      return socket;
    },
  };
}

function saslOptions(sasl: KafkaSasl): object {
  const { mechanism, username = '', password = '' } = sasl;
  if (mechanism !== 'oauthbearer') return { mechanism, username, password };
  // Its own provider doesn't look at the answer, in which a broker says why it refuses a token.
  const authenticationProvider = ({ saslAuthenticate }: { saslAuthenticate: Authenticate }) => ({
    async authenticate() {
      const first = Buffer.from(`n,,\x01auth=Bearer ${await tokenOf(sasl)}\x01\x01`);
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeInt32BE(first.length);
      const encode = async () => Buffer.concat([length, first]);
      const response = { decode: async (bytes: Buffer | null) => bytes, parse: (bytes: Buffer | null) => bytes };
      const answer = await saslAuthenticate({ request: { encode }, response });
      const said = answer?.toString('utf8', LENGTH_BYTES) ?? '';
      if (said !== '') throw new WireError('AUTHENTICATION', `the broker refuses the token: ${said.slice(0, 200)}`);
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

function translate(error: unknown, where: string): WireError {
  if (error instanceof WireError) return error;
  const { name, message, code, type } = error as Error & { code?: unknown; type?: unknown };
  const refused =
    name === 'KafkaJSSASLAuthenticationError' ||
    type === 'SASL_AUTHENTICATION_FAILED' ||
    (typeof code === 'string' && /^ERR_(TLS|SSL)_|^(CERT|SELF_SIGNED|UNABLE_TO|DEPTH_ZERO)/.test(code));
  const reason = refused ? 'AUTHENTICATION' : name === 'KafkaJSRequestTimeoutError' ? 'TIMEOUT' : 'NETWORK';
  return new WireError(reason, `${where}: ${message}`, { cause: error });
}
