import {
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
  syncGroupV5,
} from '@platformatic/kafka';
import type { CompiledKafkaOptions } from '../options.ts';
import { Connections } from './platformatic-client.ts';
import { rawFetch } from './platformatic-fetch.ts';
import { HEADER, type TopicPartition } from './records.ts';
import { errorName, readFetch, throwOnError } from './responses.ts';
import {
  type ClusterView,
  type CreatedTopic,
  type Fetched,
  type FetchFrom,
  type FetchOptions,
  type Joined,
  type JoinOptions,
  type Member,
  type NewTopic,
  type Node,
  type OffsetAt,
  type PartitionTime,
  type Produced,
  type Synced,
  type Wire,
  type WireBatch,
  WireError,
} from './wire.ts';

const HEADER_KEY = Buffer.from(HEADER);
const PROTOCOL_TYPE = 'consumer';

/** The wire of `@platformatic/kafka`. Its request versions are those of Kafka 2.8, which newer brokers support. */
export class PlatformaticWire implements Wire {
  readonly #options: CompiledKafkaOptions;
  readonly #client: Connections;

  constructor(options: CompiledKafkaOptions) {
    this.#options = options;
    this.#client = new Connections(options);
  }

  async metadata(topics: readonly string[]): Promise<ClusterView> {
    const response = await this.#client.ask(metadataV9.api, [...topics], false, false);
    const nodes = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { id: nodeId, host, port }]));
    const views = response.topics.map(({ name, errorCode, partitions }) => {
      const leaders: number[] = [];
      for (const { partitionIndex, leaderId } of partitions) leaders[partitionIndex] = leaderId;
      return [name ?? '', { error: errorName(errorCode), leaders }] as const;
    });
    return { nodes, controller: response.controllerId, topics: new Map(views) };
  }

  async produce(node: Node, batches: readonly WireBatch[]): Promise<readonly Produced[]> {
    const messages = batches.flatMap(({ topic, partition, records }) =>
      records.map(({ key, value, header }) => {
        const message = { topic, partition, key, value, ...(header && { headers: new Map([[HEADER_KEY, header]]) }) };
        // The client's type lacks tombstones (a null value), but its encoder writes them.
        return message as MessageRecord;
      }),
    );
    const { compression, requestDeadlineMs } = this.#options;
    const response = await this.#client.call(node, produceV9.api, -1, requestDeadlineMs, messages, { compression });
    if (typeof response === 'boolean') throw new WireError('NETWORK', 'the broker gave no acknowledgement');
    return response.responses.flatMap(({ name, partitionResponses }) =>
      partitionResponses.map(({ index, errorCode, baseOffset }) => ({
        topic: name,
        partition: index,
        error: errorName(errorCode),
        baseOffset: Number(baseOffset),
      })),
    );
  }

  async fetch(node: Node, options: FetchOptions): Promise<readonly Fetched[]> {
    const { from, maxWaitMs, maxBytes, maxPartitionBytes } = options;
    const topics = [...Map.groupBy(from, ({ topic }) => topic)].map(([topicId, entries]) => ({
      topicId,
      partitions: entries.map(({ partition, offset }) => ({
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: BigInt(offset),
        lastFetchedEpoch: -1,
        partitionMaxBytes: maxPartitionBytes,
      })),
    }));
    const response = await this.#client.call(node, rawFetch, maxWaitMs, 1, maxBytes, 0, 0, -1, topics, [], '');
    return readFetch(response, options);
  }

  async offsetsAt(node: Node, times: readonly PartitionTime[]): Promise<readonly OffsetAt[]> {
    const topics = byTopic(times, ({ partition, timestampMs }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: -1,
      timestamp: BigInt(timestampMs),
    }));
    const response = await this.#client.call(node, listOffsetsV6.api, -1, 0, topics);
    return response.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, errorCode, offset }) => offsetAt(name, partitionIndex, errorCode, offset)),
    );
  }

  async coordinator(group: string): Promise<Node> {
    const found = (await this.#client.ask(findCoordinatorV3.api, 0, [group])).coordinators[0]!;
    throwOnError(found.errorCode, `finding the coordinator of group ${group}`);
    return { id: found.nodeId, host: found.host, port: found.port };
  }

  async joinGroup(node: Node, options: JoinOptions): Promise<Joined> {
    const { group, sessionTimeoutMs, rebalanceTimeoutMs, protocol, metadata } = options;
    const ask = (memberId: string) =>
      this.#client.call(
        node,
        joinGroupV7.api,
        group,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId,
        null,
        PROTOCOL_TYPE,
        [{ name: protocol, metadata }],
      );
    let response = await ask(options.memberId);
    // KIP-394: a new member gets its id first, so that a member that gives up in between leaves no trace in the group.
    if (errorName(response.errorCode) === 'MEMBER_ID_REQUIRED') response = await ask(response.memberId);
    return {
      error: errorName(response.errorCode),
      memberId: response.memberId,
      generation: response.generationId,
      leader: response.leader,
      members: response.members.map(({ memberId, metadata: memberMetadata }) => ({
        memberId,
        metadata: memberMetadata ?? Buffer.alloc(0),
      })),
    };
  }

  async syncGroup(
    node: Node,
    member: Member,
    protocol: string,
    assignments: ReadonlyMap<string, Buffer>,
  ): Promise<Synced> {
    const { group, generation, memberId } = member;
    const all = [...assignments].map(([id, assignment]) => ({ memberId: id, assignment }));
    const { errorCode, assignment } = await this.#client.call(
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
    return { error: errorName(errorCode), assignment };
  }

  async heartbeat(node: Node, { group, generation, memberId }: Member): Promise<string | null> {
    return errorName((await this.#client.call(node, heartbeatV4.api, group, generation, memberId, null)).errorCode);
  }

  async leaveGroup(node: Node, { group, memberId }: Member): Promise<void> {
    throwOnError(
      (await this.#client.call(node, leaveGroupV4.api, group, [{ memberId }])).errorCode,
      `leaving group ${group}`,
    );
  }

  async commitOffsets(node: Node, member: Member, offsets: readonly FetchFrom[]): Promise<string | null> {
    const { group, generation, memberId } = member;
    const topics = byTopic(offsets, ({ partition, offset }) => ({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: -1,
      committedMetadata: null,
    }));
    const response = await this.#client.call(node, offsetCommitV8.api, group, generation, memberId, null, topics);
    const codes = response.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
    return errorName(codes.find((code) => code !== 0) ?? 0);
  }

  async committed(node: Node, group: string, partitions: readonly TopicPartition[]): Promise<readonly OffsetAt[]> {
    const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, entries]) => ({
      name,
      partitionIndexes: entries.map(({ partition }) => partition),
    }));
    const response = await this.#client.call(
      node,
      offsetFetchV7.api,
      [{ groupId: group, memberEpoch: -1, topics }],
      false,
    );
    const { errorCode, topics: found } = response as unknown as OffsetFetchV7;
    throwOnError(errorCode, `offsets of group ${group}`);
    return found.flatMap(({ name, partitions: results }) =>
      results.map((result) => offsetAt(name, result.partitionIndex, result.errorCode, result.committedOffset)),
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
    const response = await this.#client.call(node, createTopicsV5.api, wanted, this.#options.requestDeadlineMs, false);
    return response.topics.map(({ name, errorCode, errorMessage }) => ({
      name,
      error: errorName(errorCode),
      message: errorMessage ?? '',
    }));
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

/** Before version 8, an OffsetFetch response is that of a single group, without its id. */
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

const offsetAt = (topic: string, partition: number, code: number, offset: bigint): OffsetAt => ({
  topic,
  partition,
  error: errorName(code),
  offset: Number(offset),
});

function byTopic<T extends TopicPartition, R>(
  all: readonly T[],
  convert: (entry: T) => R,
): { name: string; partitions: R[] }[] {
  return [...Map.groupBy(all, ({ topic }) => topic)].map(([name, entries]) => ({
    name,
    partitions: entries.map(convert),
  }));
}
