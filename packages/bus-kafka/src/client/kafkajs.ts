import type { CompiledKafkaOptions } from '../options.ts';
import { CODES, JsClient } from './kafkajs-client.ts';
import { HEADER, type TopicPartition } from './records.ts';
import { errorName, type RawFetch, readFetch, throwOnError } from './responses.ts';
import type {
  ClusterView,
  CreatedTopic,
  Fetched,
  FetchFrom,
  FetchOptions,
  Joined,
  JoinOptions,
  Member,
  NewTopic,
  Node,
  OffsetAt,
  PartitionTime,
  Produced,
  Synced,
  Wire,
  WireBatch,
} from './wire.ts';

/** The wire of `kafkajs`. */
export class KafkaJsWire implements Wire {
  readonly #options: CompiledKafkaOptions;
  readonly #client: JsClient;

  constructor(options: CompiledKafkaOptions) {
    this.#options = options;
    this.#client = new JsClient(options);
  }

  async metadata(topics: readonly string[]): Promise<ClusterView> {
    // An empty list requests all topics, so request one that does not exist.
    const args = { topics: topics.length === 0 ? ['-'] : [...topics], allowAutoTopicCreation: false };
    const response = await this.#client.ask<JsMetadata>('Metadata', args);
    const nodes = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { id: nodeId, host, port }]));
    const views = response.topicMetadata.map(({ topic, topicErrorCode, partitionMetadata }) => {
      const leaders: number[] = [];
      for (const { partitionId, leader } of partitionMetadata) leaders[partitionId] = leader;
      return [topic, { error: errorName(topicErrorCode), leaders }] as const;
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
    const response = await this.#client.call<JsProduced>(node, 'Produce', {
      acks: -1,
      timeout: requestDeadlineMs,
      compression: CODES[compression],
      topicData,
    });
    return response.topics.flatMap(({ topicName, partitions }) =>
      partitions.map(({ partition, errorCode, baseOffset, offset }) => ({
        topic: topicName,
        partition,
        error: errorName(errorCode),
        baseOffset: Number(baseOffset ?? offset),
      })),
    );
  }

  async fetch(node: Node, options: FetchOptions): Promise<readonly Fetched[]> {
    const { from, maxWaitMs, maxBytes, maxPartitionBytes } = options;
    const response = await this.#client.call<RawFetch>(node, 'Fetch', {
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
    return readFetch(response, options);
  }

  async offsetsAt(node: Node, times: readonly PartitionTime[]): Promise<readonly OffsetAt[]> {
    const topics = byTopic(times, ({ partition, timestampMs }) => ({ partition, timestamp: String(timestampMs) }));
    const args = { replicaId: -1, isolationLevel: 0, topics };
    const response = await this.#client.call<JsOffsets>(node, 'ListOffsets', args);
    return offsetsOf(response);
  }

  async coordinator(group: string): Promise<Node> {
    const args = { groupId: group, coordinatorType: 0 };
    const { errorCode, coordinator } = await this.#client.ask<JsCoordinator>('GroupCoordinator', args);
    throwOnError(errorCode, `finding the coordinator of group ${group}`);
    return { id: coordinator.nodeId, host: coordinator.host, port: coordinator.port };
  }

  async joinGroup(node: Node, options: JoinOptions): Promise<Joined> {
    const { group, sessionTimeoutMs, rebalanceTimeoutMs, protocol, metadata } = options;
    const ask = (memberId: string) =>
      this.#client.call<JsJoined>(node, 'JoinGroup', {
        groupId: group,
        sessionTimeout: sessionTimeoutMs,
        rebalanceTimeout: rebalanceTimeoutMs,
        memberId,
        protocolType: 'consumer',
        groupProtocols: [{ name: protocol, metadata }],
      });
    let response = await ask(options.memberId);
    if (errorName(response.errorCode) === 'MEMBER_ID_REQUIRED') response = await ask(response.memberId);
    return {
      error: errorName(response.errorCode),
      memberId: response.memberId,
      generation: response.generationId,
      leader: response.leaderId,
      members: response.members.map(({ memberId, memberMetadata }) => ({ memberId, metadata: memberMetadata })),
    };
  }

  async syncGroup(node: Node, member: Member, _: string, assignments: ReadonlyMap<string, Buffer>): Promise<Synced> {
    const { group, generation, memberId } = member;
    const groupAssignment = [...assignments].map(([id, memberAssignment]) => ({ memberId: id, memberAssignment }));
    const args = { groupId: group, generationId: generation, memberId, groupAssignment };
    const { errorCode, memberAssignment } = await this.#client.call<JsSynced>(node, 'SyncGroup', args);
    return { error: errorName(errorCode), assignment: memberAssignment ?? EMPTY };
  }

  async heartbeat(node: Node, { group, generation, memberId }: Member): Promise<string | null> {
    const args = { groupId: group, groupGenerationId: generation, memberId };
    return errorName((await this.#client.call<JsAnswer>(node, 'Heartbeat', args)).errorCode);
  }

  async leaveGroup(node: Node, { group, memberId }: Member): Promise<void> {
    const args = { groupId: group, memberId, groupInstanceId: null };
    throwOnError((await this.#client.call<JsAnswer>(node, 'LeaveGroup', args)).errorCode, `leaving group ${group}`);
  }

  async commitOffsets(node: Node, member: Member, offsets: readonly FetchFrom[]): Promise<string | null> {
    const { group, generation, memberId } = member;
    const topics = byTopic(offsets, ({ partition, offset }) => ({ partition, offset: String(offset), metadata: null }));
    const args = { groupId: group, groupGenerationId: generation, memberId, retentionTime: -1, topics };
    const response = await this.#client.call<JsOffsets>(node, 'OffsetCommit', args);
    const codes = response.responses.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
    return errorName(codes.find((code) => code !== 0) ?? 0);
  }

  async committed(node: Node, group: string, partitions: readonly TopicPartition[]): Promise<readonly OffsetAt[]> {
    const topics = byTopic(partitions, ({ partition }) => ({ partition }));
    const response = await this.#client.call<JsOffsets>(node, 'OffsetFetch', { groupId: group, topics });
    throwOnError(response.errorCode ?? 0, `offsets of group ${group}`);
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
    const { topicErrors } = await this.#client.call<JsCreated>(node, 'CreateTopics', args);
    return topicErrors.map(({ topic, errorCode, errorMessage }) => ({
      name: topic,
      error: errorName(errorCode),
      message: errorMessage ?? '',
    }));
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}

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
      error: errorName(errorCode),
      offset: Number(offset ?? -1),
    })),
  );

function byTopic<T extends TopicPartition, R>(
  all: readonly T[],
  convert: (entry: T) => R,
): { topic: string; partitions: R[] }[] {
  return [...Map.groupBy(all, ({ topic }) => topic)].map(([topic, entries]) => ({
    topic,
    partitions: entries.map(convert),
  }));
}
