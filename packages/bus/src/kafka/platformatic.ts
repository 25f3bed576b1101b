import {
  type API,
  AuthenticationError,
  apiVersionsV3,
  type CallbackWithPromise,
  type Connection,
  type ConnectionOptions,
  ConnectionPool,
  createTopicsV5,
  findCoordinatorV3,
  heartbeatV4,
  joinGroupV7,
  leaveGroupV4,
  listOffsetsV6,
  type MessageRecord,
  metadataV9,
  offsetCommitV8,
  offsetFetchV7,
  produceV9,
  protocolErrorsCodesById,
  type SASLOptions,
  syncGroupV5,
} from '@platformatic/kafka';
import { within } from './deadline.ts';
import type { CompiledKafkaOptions, KafkaSasl } from './options.ts';
import { rawFetch } from './platformatic-fetch.ts';
import { readRecordSet } from './record-sets.ts';
import { TlsMaterial, tokenOf } from './secrets.ts';
import {
  type ClusterView,
  type CreatedTopic,
  type Fetched,
  type FetchFrom,
  type FetchOptions,
  HEADER,
  type Joined,
  type JoinOptions,
  type Member,
  type NewTopic,
  type Node,
  type OffsetAt,
  type Produced,
  type Synced,
  type TopicPartition,
  type Wire,
  type WireBatch,
  WireError,
} from './wire.ts';

const HEADER_KEY = Buffer.from(HEADER);
const PROTOCOL_TYPE = 'consumer';
const SOFTWARE = 'ringfence';

/** The requests are those of Kafka 2.8, which every newer one knows; an older broker is refused by name. */
export class PlatformaticWire implements Wire {
  readonly #options: CompiledKafkaOptions;
  readonly #pool: ConnectionPool;
  /** what each connection's broker can do, and what its socket last complained of */
  readonly #known: WeakMap<Connection, { readonly apis: Promise<ReadonlyMap<number, number>>; complaint?: Error }> =
    new WeakMap();

  constructor(options: CompiledKafkaOptions) {
    this.#options = options;
    this.#pool = new ConnectionPool(options.clientId, connectionOptions(options));
  }

  async metadata(topics: readonly string[]): Promise<ClusterView> {
    const response = await this.#ask(metadataV9.api, [...topics], false, false);
    const nodes = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { id: nodeId, host, port }]));
    const views = response.topics.map(({ name, errorCode, partitions }) => {
      const leaders: number[] = [];
      for (const { partitionIndex, leaderId } of partitions) leaders[partitionIndex] = leaderId;
      return [name ?? '', { error: nameOf(errorCode), leaders }] as const;
    });
    return { nodes, controller: response.controllerId, topics: new Map(views) };
  }

  async produce(node: Node, batches: readonly WireBatch[]): Promise<readonly Produced[]> {
    const messages = batches.flatMap(({ topic, partition, records }) =>
      records.map(({ key, value, header }) => {
        const message = { topic, partition, key, value, ...(header && { headers: new Map([[HEADER_KEY, header]]) }) };
        // A null value is a tombstone; the client's type doesn't know them, its encoder does.
        return message as MessageRecord;
      }),
    );
    const { compression, requestDeadlineMs } = this.#options;
    const response = await this.#call(node, produceV9.api, -1, requestDeadlineMs, messages, { compression });
    if (typeof response === 'boolean') throw new WireError('NETWORK', 'the broker gave no acknowledgement');
    return response.responses.flatMap(({ name, partitionResponses }) =>
      partitionResponses.map(({ index, errorCode, baseOffset }) => ({
        topic: name,
        partition: index,
        error: nameOf(errorCode),
        baseOffset: Number(baseOffset),
      })),
    );
  }

  async fetch(node: Node, { from, maxWaitMs, maxBytes, maxPartitionBytes }: FetchOptions): Promise<readonly Fetched[]> {
    const topics = [...Map.groupBy(from, ({ topic }) => topic)].map(([topicId, own]) => ({
      topicId,
      partitions: own.map(({ partition, offset }) => ({
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: BigInt(offset),
        lastFetchedEpoch: -1,
        partitionMaxBytes: maxPartitionBytes,
      })),
    }));
    const offsets = new Map(from.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
    const response = await this.#call(node, rawFetch, maxWaitMs, 1, maxBytes, 0, 0, -1, topics, [], '');
    refuse(response.errorCode, 'fetch');
    return response.partitions.map(({ topic, partition, errorCode, highWatermark, batches }) => ({
      topic,
      partition,
      error: nameOf(errorCode),
      end: highWatermark,
      ...readRecordSet(batches, offsets.get(`${topic}/${partition}`) ?? 0),
    }));
  }

  async offsetsAt(
    node: Node,
    at: readonly (TopicPartition & { readonly timestampMs: number })[],
  ): Promise<readonly OffsetAt[]> {
    const topics = byTopic(at, ({ partition, timestampMs }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: -1,
      timestamp: BigInt(timestampMs),
    }));
    const response = await this.#call(node, listOffsetsV6.api, -1, 0, topics);
    return response.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, errorCode, offset }) => offsetAt(name, partitionIndex, errorCode, offset)),
    );
  }

  async coordinator(group: string): Promise<Node> {
    const found = (await this.#ask(findCoordinatorV3.api, 0, [group])).coordinators[0]!;
    refuse(found.errorCode, `finding the coordinator of group ${group}`);
    return { id: found.nodeId, host: found.host, port: found.port };
  }

  async join(node: Node, options: JoinOptions): Promise<Joined> {
    const { group, sessionTimeoutMs, rebalanceTimeoutMs, protocol, metadata } = options;
    const ask = (memberId: string) =>
      this.#call(node, joinGroupV7.api, group, sessionTimeoutMs, rebalanceTimeoutMs, memberId, null, PROTOCOL_TYPE, [
        { name: protocol, metadata },
      ]);
    let response = await ask(options.memberId);
    // A new member is told its id first, so that one that gives up in between leaves nothing behind.
    if (nameOf(response.errorCode) === 'MEMBER_ID_REQUIRED') response = await ask(response.memberId);
    return {
      error: nameOf(response.errorCode),
      memberId: response.memberId,
      generation: response.generationId,
      leader: response.leader,
      members: response.members.map(({ memberId, metadata: own }) => ({ memberId, metadata: own ?? Buffer.alloc(0) })),
    };
  }

  async sync(node: Node, member: Member, protocol: string, assignments: ReadonlyMap<string, Buffer>): Promise<Synced> {
    const { group, generation, memberId } = member;
    const all = [...assignments].map(([id, assignment]) => ({ memberId: id, assignment }));
    const { errorCode, assignment } = await this.#call(
      node,
      syncGroupV5.api,
      group,
      generation,
      memberId,
      null,
      PROTOCOL_TYPE,
      protocol,
      all,
    );
    return { error: nameOf(errorCode), assignment };
  }

  async heartbeat(node: Node, { group, generation, memberId }: Member): Promise<string | null> {
    return nameOf((await this.#call(node, heartbeatV4.api, group, generation, memberId, null)).errorCode);
  }

  async leave(node: Node, { group, memberId }: Member): Promise<void> {
    refuse((await this.#call(node, leaveGroupV4.api, group, [{ memberId }])).errorCode, `leaving group ${group}`);
  }

  async commitOffsets(node: Node, member: Member, offsets: readonly FetchFrom[]): Promise<string | null> {
    const { group, generation, memberId } = member;
    const topics = byTopic(offsets, ({ partition, offset }) => ({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: -1,
      committedMetadata: null,
    }));
    const response = await this.#call(node, offsetCommitV8.api, group, generation, memberId, null, topics);
    const codes = response.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
    return nameOf(codes.find((code) => code !== 0) ?? 0);
  }

  async committed(node: Node, group: string, partitions: readonly TopicPartition[]): Promise<readonly OffsetAt[]> {
    const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, own]) => ({
      name,
      partitionIndexes: own.map(({ partition }) => partition),
    }));
    const response = await this.#call(node, offsetFetchV7.api, [{ groupId: group, memberEpoch: -1, topics }], false);
    const { errorCode, topics: found } = response as unknown as OffsetFetchV7;
    refuse(errorCode, `offsets of group ${group}`);
    return found.flatMap(({ name, partitions: own }) =>
      own.map((one) => offsetAt(name, one.partitionIndex, one.errorCode, one.committedOffset)),
    );
  }

  async createTopics(node: Node, topics: readonly NewTopic[]): Promise<readonly CreatedTopic[]> {
    const wanted = topics.map(({ name, partitions, replicationFactor, configs }) => ({
      name,
      numPartitions: partitions,
      replicationFactor,
      assignments: [],
      configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
    }));
    const response = await this.#call(node, createTopicsV5.api, wanted, this.#options.requestDeadlineMs, false);
    return response.topics.map(({ name, errorCode, errorMessage }) => ({
      name,
      error: nameOf(errorCode),
      message: errorMessage ?? '',
    }));
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  /** Of the first broker that answers. */
  async #ask<A extends unknown[], R>(api: API<A, R>, ...args: A): Promise<R> {
    const failures: WireError[] = [];
    for (const { host, port } of this.#options.brokers) {
      try {
        return await this.#call({ id: -1, host, port }, api, ...args);
      } catch (error) {
        failures.push(error as WireError);
      }
    }
    const refusal = failures.find(({ reason }) => reason === 'AUTHENTICATION') ?? failures[0]!;
    throw failures.length === 1 ? refusal : new WireError(refusal.reason, messagesOf(failures), { cause: refusal });
  }

  async #call<A extends unknown[], R>(node: Node, api: API<A, R>, ...args: A): Promise<R> {
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

/** Offset fetch before version 8 answers for one group, without naming it. */
interface OffsetFetchV7 {
  readonly errorCode: number;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly committedOffset: bigint;
      readonly errorCode: number;
    }[];
  }[];
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
    // Read by every new connection; without a name Node takes the host.
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

const nameOf = (code: number): string | null =>
  code === 0 ? null : ((protocolErrorsCodesById as Record<number, string>)[code] ?? `CODE_${code}`);

function refuse(code: number, what: string): void {
  const name = nameOf(code);
  if (name !== null) throw new WireError(name, `${what}: the broker says ${name}`);
}

const offsetAt = (topic: string, partition: number, code: number, offset: bigint): OffsetAt => ({
  topic,
  partition,
  error: nameOf(code),
  offset: Number(offset),
});

function byTopic<T extends TopicPartition, R>(
  all: readonly T[],
  convert: (one: T) => R,
): { name: string; partitions: R[] }[] {
  return [...Map.groupBy(all, ({ topic }) => topic)].map(([name, own]) => ({ name, partitions: own.map(convert) }));
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
  const { code } = error as { code?: unknown };
  if (code === 'PLT_KFK_AUTHENTICATION' || code === 'PLT_KFK_USER') return true;
  return typeof code === 'string' && /^ERR_(TLS|SSL)_|^(CERT|SELF_SIGNED|UNABLE_TO|DEPTH_ZERO)/.test(code);
}
