import { isIP } from 'node:net';
import {
  type API,
  AuthenticationError,
  apiVersionsV3,
  type CallbackWithPromise,
  type Connection,
  type ConnectionOptions,
  ConnectionPool,
  joinGroupV7,
  type SASLOptions,
  syncGroupV5,
} from '@platformatic/kafka';
import { withDeadline } from '@ringfence/base';
import type { CompiledKafkaOptions, KafkaSasl } from '../options.ts';
import { askAnyBroker, isCertificateError, requestDeadline, timeoutError } from './brokers.ts';
import { TlsMaterial, tokenOf } from './secrets.ts';
import { type Node, WireError } from './wire.ts';

const SOFTWARE = 'ringfence';

interface ConnectionFacts {
  /** Highest version by API key that the broker supports. */
  readonly apis: Promise<ReadonlyMap<number, number>>;
  /** The last error of the socket. */
  socketError?: Error;
}

/** Connections to brokers, and single requests over them. Refuses brokers older than Kafka 2.8. */
export class Connections {
  readonly #options: CompiledKafkaOptions;
  readonly #pool: ConnectionPool;
  readonly #facts: WeakMap<Connection, ConnectionFacts> = new WeakMap();

  constructor(options: CompiledKafkaOptions) {
    this.#options = options;
    this.#pool = new ConnectionPool(options.clientId, connectionOptions(options));
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  ask<A extends unknown[], R>(api: API<A, R>, ...args: A): Promise<R> {
    return askAnyBroker(this.#options, (node) => this.call(node, api, ...args));
  }

  async call<A extends unknown[], R>(node: Node, api: API<A, R>, ...args: A): Promise<R> {
    const { host, port } = node;
    const address = `${host}:${port}`;
    const { requestDeadlineMs } = this.#options;
    const isRebalance = api.key === joinGroupV7.api.key || api.key === syncGroupV5.api.key;
    const deadlineMs = requestDeadline(this.#options, isRebalance);
    let connection: Connection | undefined;
    try {
      connection = await withDeadline(this.#pool.get({ host, port })!, requestDeadlineMs, () =>
        timeoutError(address, requestDeadlineMs),
      );
      const version = (await this.#apisOf(connection)).get(api.key);
      if (version === undefined || version < api.version)
        throw new WireError('UNSUPPORTED', 'the broker is older than Kafka 2.8: upgrade it, or use kafkajs');
      const answer = api.async(connection, ...args).catch(responseOf<R>);
      return await this.#withDeadline(answer, deadlineMs, connection);
    } catch (error) {
      throw translate(error, address, connection && this.#facts.get(connection)?.socketError);
    }
  }

  /** Closes the connection at the deadline, because a late answer would block the requests behind it. */
  #withDeadline<T>(answer: Promise<T>, ms: number, { host, port, socket }: Connection): Promise<T> {
    return withDeadline(answer, ms, () => {
      socket.destroy();
      return timeoutError(`${host}:${port}`, ms);
    });
  }

  #apisOf(connection: Connection): Promise<ReadonlyMap<number, number>> {
    const known = this.#facts.get(connection);
    if (known !== undefined) return known.apis;
    const answer = apiVersionsV3.api.async(connection, SOFTWARE, '1');
    const apis = this.#withDeadline(answer, this.#options.requestDeadlineMs, connection).then(
      ({ apiKeys }) => new Map(apiKeys.map(({ apiKey, maxVersion }) => [apiKey, maxVersion])),
    );
    const facts: ConnectionFacts = { apis };
    this.#facts.set(connection, facts);
    // Only the socket reports a refused certificate; the request fails with a closed connection.
    connection.on('error', (error) => {
      facts.socketError = error;
    });
    return apis;
  }
}

/** Returns the response that the client rejects for its error codes: the callers evaluate the codes themselves. */
function responseOf<R>(error: unknown): R {
  const { response } = error as { response?: R | null };
  if (response === undefined || response === null) throw error;
  return response;
}

export function connectionOptions(options: CompiledKafkaOptions): ConnectionOptions {
  const { requestDeadlineMs, rebalanceTimeoutMs, sasl } = options;
  const common = {
    connectTimeout: requestDeadlineMs,
    // Never reached: each request has its own, shorter deadline.
    requestTimeout: rebalanceTimeoutMs + 2 * requestDeadlineMs,
    maxInflights: 8,
    ...(sasl === null ? {} : { sasl: saslOptions(sasl) }),
  };
  if (options.tls === null) return common;
  const material = new TlsMaterial(options.tls);
  return {
    ...common,
    // Send the host name as SNI, which distinguishes brokers behind one address. SNI can't be an IP address.
    tlsServerName: options.tls.serverName ?? options.brokers.every(({ host }) => isIP(host) === 0),
    // The client reads this property for each new connection.
    get tls() {
      return material.current();
    },
  };
}

const MECHANISMS = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
  oauthbearer: 'OAUTHBEARER',
} as const;

function saslOptions(sasl: KafkaSasl): SASLOptions {
  const { mechanism, username = '', password = '' } = sasl;
  if (mechanism === 'oauthbearer')
    return { mechanism: 'OAUTHBEARER', token: () => tokenOf(sasl), authBytesValidator: refuseNonEmptyAnswer };
  return { mechanism: MECHANISMS[mechanism], username, password };
}

/**
 * A broker accepts a token with an empty answer; any other answer is the reason for its refusal. The client's default
 * validator keeps the connection in that case.
 */
function refuseNonEmptyAnswer(answer: Buffer, callback: CallbackWithPromise<Buffer>): void {
  if (answer.length === 0) callback(null, answer);
  else callback(new AuthenticationError(`the broker refuses the token: ${answer.toString().slice(0, 200)}`));
}

function translate(error: unknown, address: string, socketError: Error | undefined): WireError {
  if (error instanceof WireError) return error;
  const { code } = error as { code?: unknown };
  const chain = [...causesOf(error), ...causesOf(socketError)];
  const messages = [...new Set(chain.map(({ message }) => message))].join(': ');
  const refused = chain.some(isRefusedLogin);
  const reason = refused ? 'AUTHENTICATION' : code === 'PLT_KFK_TIMEOUT' ? 'TIMEOUT' : 'NETWORK';
  return new WireError(reason, `${address}: ${messages}`, { cause: error });
}

function causesOf(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let link = error; link instanceof Error && chain.length < 8; link = link.cause) {
    chain.push(link);
    for (const inner of (link as { errors?: unknown[] }).errors ?? []) if (inner instanceof Error) chain.push(inner);
  }
  return chain;
}

function isRefusedLogin(error: Error): boolean {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
  // The client reports a reset before the TLS handshake as a broker without TLS. It is a broker that is starting, or a
  // proxy whose broker is away, so a retry may succeed.
  if (code === 'PLT_KFK_USER' && cause?.code === 'ECONNRESET') return false;
  return code === 'PLT_KFK_AUTHENTICATION' || code === 'PLT_KFK_USER' || isCertificateError(code);
}
