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
import { within } from './deadline.ts';
import type { CompiledKafkaOptions, KafkaSasl } from './options.ts';
import { TlsMaterial, tokenOf } from './secrets.ts';
import { type Node, WireError } from './wire.ts';

const SOFTWARE = 'ringfence';

/** Connections to brokers, and single requests over them. An older broker than 2.8 is refused by name. */
export class Connections {
  readonly #options: CompiledKafkaOptions;
  readonly #pool: ConnectionPool;
  /** what each connection's broker can do, and what its socket last complained of */
  readonly #known: WeakMap<Connection, { readonly apis: Promise<ReadonlyMap<number, number>>; complaint?: Error }> =
    new WeakMap();

  constructor(options: CompiledKafkaOptions) {
    this.#options = options;
    this.#pool = new ConnectionPool(options.clientId, connectionOptions(options));
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  /** Of the first broker that answers. */
  async ask<A extends unknown[], R>(api: API<A, R>, ...args: A): Promise<R> {
    const failures: WireError[] = [];
    for (const { host, port } of this.#options.brokers) {
      try {
        return await this.call({ id: -1, host, port }, api, ...args);
      } catch (error) {
        failures.push(error as WireError);
      }
    }
    const refusal = failures.find(({ reason }) => reason === 'AUTHENTICATION') ?? failures[0]!;
    throw failures.length === 1 ? refusal : new WireError(refusal.reason, messagesOf(failures), { cause: refusal });
  }

  async call<A extends unknown[], R>(node: Node, api: API<A, R>, ...args: A): Promise<R> {
    const where = `${node.host}:${node.port}`;
    const { requestDeadlineMs, rebalanceTimeoutMs } = this.#options;
    const joins = api.key === joinGroupV7.api.key || api.key === syncGroupV5.api.key;
    const deadlineMs = joins ? rebalanceTimeoutMs + requestDeadlineMs : requestDeadlineMs;
    let connection: Connection | undefined;
    try {
      connection = await within(this.#pool.get({ host: node.host, port: node.port })!, requestDeadlineMs, where);
      const version = (await this.#apisOf(connection)).get(api.key);
      if (version === undefined || version < api.version)
        throw new WireError('UNSUPPORTED', 'the broker is older than Kafka 2.8: upgrade it, or use kafkajs');
      const { socket } = connection;
      const answered = api.async(connection, ...args).catch(responseOf<R>);
      return await within(answered, deadlineMs, where, () => socket.destroy());
    } catch (error) {
      throw translate(error, where, connection && this.#known.get(connection)?.complaint);
    }
  }

  #apisOf(connection: Connection): Promise<ReadonlyMap<number, number>> {
    const known = this.#known.get(connection);
    if (known !== undefined) return known.apis;
    const asked = within(
      apiVersionsV3.api.async(connection, SOFTWARE, '1'),
      this.#options.requestDeadlineMs,
      `${connection.host}:${connection.port}`,
      () => connection.socket.destroy(),
    );
    const apis = asked.then(({ apiKeys }) => new Map(apiKeys.map(({ apiKey, maxVersion }) => [apiKey, maxVersion])));
    const entry: { apis: typeof apis; complaint?: Error } = { apis };
    this.#known.set(connection, entry);
    // A refused certificate shows only here: the request itself just finds the connection closed.
    connection.on('error', (error) => {
      entry.complaint = error;
    });
    return apis;
  }
}

/** Error codes are ours to judge: a response that has some is a response. */
function responseOf<R>(error: unknown): R {
  const { response } = error as { response?: R | null };
  if (response === undefined || response === null) throw error;
  return response;
}

export function connectionOptions(options: CompiledKafkaOptions): ConnectionOptions {
  const { requestDeadlineMs, rebalanceTimeoutMs, sasl } = options;
  const common = {
    connectTimeout: requestDeadlineMs,
    // The deadlines of single requests are our own; this one is behind them all.
    requestTimeout: rebalanceTimeoutMs + 2 * requestDeadlineMs,
    maxInflights: 8,
    ...(sasl === null ? {} : { sasl: saslOptions(sasl) }),
  };
  if (options.tls === null) return common;
  const material = new TlsMaterial(options.tls);
  return {
    ...common,
    // Brokers behind one address are told apart by name; an address is none.
    tlsServerName: options.tls.serverName ?? options.brokers.every(({ host }) => isIP(host) === 0),
    // Read by every new connection.
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
    return { mechanism: 'OAUTHBEARER', token: () => tokenOf(sasl), authBytesValidator: refuseAnswered };
  return { mechanism: MECHANISMS[mechanism], username, password };
}

/** A broker that takes a token says nothing; what it says is why it doesn't. The client has a validator of its own, which lets the connection live on. */
function refuseAnswered(answer: Buffer, callback: CallbackWithPromise<Buffer>): void {
  if (answer.length === 0) callback(null, answer);
  else callback(new AuthenticationError(`the broker refuses the token: ${answer.toString().slice(0, 200)}`));
}

const messagesOf = (errors: readonly Error[]): string => errors.map(({ message }) => message).join('; ');

function translate(error: unknown, where: string, complaint: Error | undefined): WireError {
  if (error instanceof WireError) return error;
  const { code } = error as { code?: unknown };
  const words = [...causesOf(error), ...causesOf(complaint)];
  const said = [...new Set(words.map(({ message }) => message))].join(': ');
  const refused = words.some((one) => isAuthentication(one));
  const reason = refused ? 'AUTHENTICATION' : code === 'PLT_KFK_TIMEOUT' ? 'TIMEOUT' : 'NETWORK';
  return new WireError(reason, `${where}: ${said}`, { cause: error });
}

function causesOf(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let one = error; one instanceof Error && chain.length < 8; one = one.cause) {
    chain.push(one);
    for (const inner of (one as { errors?: unknown[] }).errors ?? []) if (inner instanceof Error) chain.push(inner);
  }
  return chain;
}

/** What TLS and SASL say when it is a person's turn: certificates and passwords don't mend themselves. */
function isAuthentication(error: Error): boolean {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
  // A connection that ends before TLS begins is a broker that is starting, or a proxy without one; the client takes it for a broker without TLS.
  if (code === 'PLT_KFK_USER' && cause?.code === 'ECONNRESET') return false;
  if (code === 'PLT_KFK_AUTHENTICATION' || code === 'PLT_KFK_USER') return true;
  return typeof code === 'string' && /^ERR_(TLS|SSL)_|^(CERT|SELF_SIGNED|UNABLE_TO|DEPTH_ZERO)/.test(code);
}
