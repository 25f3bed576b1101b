import { createRequire } from 'node:module';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { compressionsAlgorithms, protocolErrorsCodesById } from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import { within } from './deadline.ts';
import type { CompiledKafkaOptions, Compression, KafkaSasl } from './options.ts';
import type { RawFetch, RawPartition } from './platformatic-fetch.ts';
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
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => Decoder;
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

interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readString(): string;
  readBytes(): Buffer | null;
  readArray<T>(read: (decoder: Decoder) => T): T[];
}

interface JsBroker {
  readonly connectionPool: { send(request: Request): Promise<unknown> };
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  lookupRequest(apiKey: number, definition: unknown): (args: object) => Request;
}

const CODES: Readonly<Record<Compression, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 };

/** Without a codec its consumer silently gives nothing: it gets all of them, from the other client. */
for (const name of ['snappy', 'lz4', 'zstd'] as const) {
  const { compressSync, decompressSync } = compressionsAlgorithms[name];
  (kafkajs.CompressionCodecs as Record<number, () => object>)[CODES[name]] = () => ({
    compress: async ({ buffer }: { buffer: Buffer }) => compressSync(buffer),
    decompress: async (bytes: Buffer) => decompressSync(bytes),
  });
}

export class KafkaJsWire implements Wire {
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

  async metadata(topics: readonly string[]): Promise<ClusterView> {
    // An empty list would ask it for all topics.
    const asked = { topics: topics.length === 0 ? ['-'] : [...topics], allowAutoTopicCreation: false };
    const response = await this.#ask<JsMetadata>('Metadata', asked);
    const nodes = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { id: nodeId, host, port }]));
    const views = response.topicMetadata.map(({ topic, topicErrorCode, partitionMetadata }) => {
      const leaders: number[] = [];
      for (const { partitionId, leader } of partitionMetadata) leaders[partitionId] = leader;
      return [topic, { error: nameOf(topicErrorCode), leaders }] as const;
    });
    return { nodes, controller: response.controllerId ?? -1, topics: new Map(views) };
  }

  async produce(node: Node, batches: readonly WireBatch[]): Promise<readonly Produced[]> {
    const topicData = byTopic(batches, ({ partition, records }) => ({
      partition,
      firstSequence: 0,
      messages: records.map(({ key, value, header }) => ({
        key,
        value,
        headers: header === null ? {} : { [HEADER]: header },
      })),
    }));
    const { compression, requestDeadlineMs } = this.#options;
    const response = await this.#call<JsProduced>(node, 'Produce', {
      acks: -1,
      timeout: requestDeadlineMs,
      compression: CODES[compression],
      topicData,
    });
    return response.topics.flatMap(({ topicName, partitions }) =>
      partitions.map(({ partition, errorCode, baseOffset, offset }) => ({
        topic: topicName,
        partition,
        error: nameOf(errorCode),
        baseOffset: Number(baseOffset ?? offset),
      })),
    );
  }

  async fetch(node: Node, { from, maxWaitMs, maxBytes, maxPartitionBytes }: FetchOptions): Promise<readonly Fetched[]> {
    const offsets = new Map(from.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
    const response = await this.#call<RawFetch>(node, 'Fetch', {
      replicaId: -1,
      isolationLevel: 0,
      maxWaitTime: maxWaitMs,
      minBytes: 1,
      maxBytes,
      rackId: '',
      topics: byTopic(from, ({ partition, offset }) => ({
        partition,
        fetchOffset: String(offset),
        maxBytes: maxPartitionBytes,
      })),
    });
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
    const topics = byTopic(at, ({ partition, timestampMs }) => ({ partition, timestamp: String(timestampMs) }));
    const args = { replicaId: -1, isolationLevel: 0, topics };
    const response = await this.#call<JsOffsets>(node, 'ListOffsets', args);
    return offsetsOf(response);
  }

  async coordinator(group: string): Promise<Node> {
    const args = { groupId: group, coordinatorType: 0 };
    const { errorCode, coordinator } = await this.#ask<JsCoordinator>('GroupCoordinator', args);
    refuse(errorCode, `finding the coordinator of group ${group}`);
    return { id: coordinator.nodeId, host: coordinator.host, port: coordinator.port };
  }

  async join(node: Node, options: JoinOptions): Promise<Joined> {
    const { group, sessionTimeoutMs, rebalanceTimeoutMs, protocol, metadata } = options;
    const ask = (memberId: string) =>
      this.#call<JsJoined>(node, 'JoinGroup', {
        groupId: group,
        sessionTimeout: sessionTimeoutMs,
        rebalanceTimeout: rebalanceTimeoutMs,
        memberId,
        protocolType: 'consumer',
        groupProtocols: [{ name: protocol, metadata }],
      });
    let response = await ask(options.memberId);
    if (nameOf(response.errorCode) === 'MEMBER_ID_REQUIRED') response = await ask(response.memberId);
    return {
      error: nameOf(response.errorCode),
      memberId: response.memberId,
      generation: response.generationId,
      leader: response.leaderId,
      members: response.members.map(({ memberId, memberMetadata }) => ({ memberId, metadata: memberMetadata })),
    };
  }

  async sync(node: Node, member: Member, _: string, assignments: ReadonlyMap<string, Buffer>): Promise<Synced> {
    const { group, generation, memberId } = member;
    const groupAssignment = [...assignments].map(([id, memberAssignment]) => ({ memberId: id, memberAssignment }));
    const args = { groupId: group, generationId: generation, memberId, groupAssignment };
    const { errorCode, memberAssignment } = await this.#call<JsSynced>(node, 'SyncGroup', args);
    return { error: nameOf(errorCode), assignment: memberAssignment ?? EMPTY };
  }

  async heartbeat(node: Node, { group, generation, memberId }: Member): Promise<string | null> {
    const args = { groupId: group, groupGenerationId: generation, memberId };
    return nameOf((await this.#call<JsAnswer>(node, 'Heartbeat', args)).errorCode);
  }

  async leave(node: Node, { group, memberId }: Member): Promise<void> {
    const args = { groupId: group, memberId, groupInstanceId: null };
    refuse((await this.#call<JsAnswer>(node, 'LeaveGroup', args)).errorCode, `leaving group ${group}`);
  }

  async commitOffsets(node: Node, member: Member, offsets: readonly FetchFrom[]): Promise<string | null> {
    const { group, generation, memberId } = member;
    const topics = byTopic(offsets, ({ partition, offset }) => ({ partition, offset: String(offset), metadata: null }));
    const args = { groupId: group, groupGenerationId: generation, memberId, retentionTime: -1, topics };
    const response = await this.#call<JsOffsets>(node, 'OffsetCommit', args);
    const codes = response.responses.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
    return nameOf(codes.find((code) => code !== 0) ?? 0);
  }

  async committed(node: Node, group: string, partitions: readonly TopicPartition[]): Promise<readonly OffsetAt[]> {
    const topics = byTopic(partitions, ({ partition }) => ({ partition }));
    const response = await this.#call<JsOffsets>(node, 'OffsetFetch', { groupId: group, topics });
    refuse(response.errorCode ?? 0, `offsets of group ${group}`);
    return offsetsOf(response);
  }

  async createTopics(node: Node, topics: readonly NewTopic[]): Promise<readonly CreatedTopic[]> {
    const wanted = topics.map(({ name, partitions, replicationFactor, configs }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor,
      configEntries: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
    }));
    const args = { topics: wanted, validateOnly: false, timeout: this.#options.requestDeadlineMs };
    const { topicErrors } = await this.#call<JsCreated>(node, 'CreateTopics', args);
    return topicErrors.map(({ topic, errorCode, errorMessage }) => ({
      name: topic,
      error: nameOf(errorCode),
      message: errorMessage ?? '',
    }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const where of [...this.#sockets.keys(), ...this.#brokers.keys()]) this.#drop(where);
  }

  /** Of the first broker that answers. */
  async #ask<R>(name: string, args: object): Promise<R> {
    const failures: WireError[] = [];
    for (const { host, port } of this.#options.brokers) {
      try {
        return await this.#call<R>({ id: -1, host, port }, name, args);
      } catch (error) {
        failures.push(error as WireError);
      }
    }
    const refusal = failures.find(({ reason }) => reason === 'AUTHENTICATION') ?? failures[0]!;
    const said = failures.map(({ message }) => message).join('; ');
    throw failures.length === 1 ? refusal : new WireError(refusal.reason, said, { cause: refusal });
  }

  /** Error codes are ours to judge: what the client would throw at the first of them is left out. */
  async #call<R>(node: Node, name: string, args: object): Promise<R> {
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

const FETCH_VERSION = 11;
/** It frames what is said during authentication by its length, on the way there and back. */
const LENGTH_BYTES = 4;

/** Its own decoder unpacks batches while it reads: one that it can't unpack would cost all that came with it. */
function decodeFetch({ apiVersion }: { readonly apiVersion: number }): (bytes: Buffer) => Promise<RawFetch> {
  if (apiVersion !== FETCH_VERSION)
    throw new WireError('UNSUPPORTED', 'the broker is older than Kafka 2.3: upgrade it');
  return async (bytes) => {
    const decoder = new Decoder(bytes);
    decoder.readInt32();
    const errorCode = decoder.readInt16();
    decoder.readInt32();
    const topics = decoder.readArray((one) => {
      const topic = one.readString();
      return one.readArray((own) => partitionOf(topic, own));
    });
    return { errorCode, partitions: topics.flat() };
  };
}

/** partition error_code high_watermark last_stable_offset log_start_offset [aborted_transactions] preferred_read_replica record_set */
function partitionOf(topic: string, decoder: Decoder): RawPartition {
  const partition = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const highWatermark = Number(decoder.readInt64().toString());
  decoder.readInt64();
  decoder.readInt64();
  decoder.readArray((aborted) => [aborted.readInt64(), aborted.readInt64()]);
  decoder.readInt32();
  return { topic, partition, errorCode, highWatermark, batches: decoder.readBytes() ?? EMPTY };
}

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

interface JsAnswer {
  readonly errorCode: number;
}

interface JsMetadata {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly controllerId?: number;
  readonly topicMetadata: readonly {
    readonly topic: string;
    readonly topicErrorCode: number;
    readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
  }[];
}

interface JsProduced {
  readonly topics: readonly {
    readonly topicName: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
      readonly baseOffset?: string;
      readonly offset?: string;
    }[];
  }[];
}

interface JsOffsets {
  readonly errorCode?: number;
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
      readonly offset?: string;
    }[];
  }[];
}

interface JsCoordinator extends JsAnswer {
  readonly coordinator: { readonly nodeId: number; readonly host: string; readonly port: number };
}

interface JsJoined extends JsAnswer {
  readonly generationId: number;
  readonly leaderId: string;
  readonly memberId: string;
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
}

interface JsSynced extends JsAnswer {
  readonly memberAssignment: Buffer | null;
}

interface JsCreated {
  readonly topicErrors: readonly {
    readonly topic: string;
    readonly errorCode: number;
    readonly errorMessage?: string | null;
  }[];
}

const EMPTY = Buffer.alloc(0);

const offsetsOf = ({ responses }: JsOffsets): OffsetAt[] =>
  responses.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, errorCode, offset }) => ({
      topic,
      partition,
      error: nameOf(errorCode),
      offset: Number(offset ?? -1),
    })),
  );

const nameOf = (code: number): string | null =>
  code === 0 ? null : ((protocolErrorsCodesById as Record<number, string>)[code] ?? `CODE_${code}`);

function refuse(code: number, what: string): void {
  const name = nameOf(code);
  if (name !== null) throw new WireError(name, `${what}: the broker says ${name}`);
}

function byTopic<T extends TopicPartition, R>(
  all: readonly T[],
  convert: (one: T) => R,
): { topic: string; partitions: R[] }[] {
  return [...Map.groupBy(all, ({ topic }) => topic)].map(([topic, own]) => ({ topic, partitions: own.map(convert) }));
}

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
