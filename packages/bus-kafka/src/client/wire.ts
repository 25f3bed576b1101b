import type { RecordSet } from './record-sets.ts';
import type { TopicPartition, WireRecord } from './records.ts';

/**
 * The interface to a Kafka client library: single requests to single brokers, without retries, batching or caching.
 * Two libraries implement it. Groups, order, retries and state are implemented once, on top of it.
 */

export interface Node {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

export interface TopicView {
  /** Kafka's name of the error, or null. */
  readonly error: string | null;
  /** Node id of each partition's leader, -1 when it has none. */
  readonly leaders: readonly number[];
}

export interface ClusterView {
  readonly nodes: ReadonlyMap<number, Node>;
  readonly controller: number;
  readonly topics: ReadonlyMap<string, TopicView>;
}

export interface WireBatch extends TopicPartition {
  readonly records: readonly WireRecord[];
}

export interface Produced extends TopicPartition {
  readonly error: string | null;
  readonly baseOffset: number;
}

export interface FetchFrom extends TopicPartition {
  readonly offset: number;
}

export interface FetchOptions {
  readonly from: readonly FetchFrom[];
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly maxPartitionBytes: number;
  /** Limit for the unpacked response. Each partition still yields at least one batch. */
  readonly maxUnpackedBytes: number;
}

export interface Fetched extends TopicPartition, RecordSet {
  readonly error: string | null;
  /** High watermark: the offset after the last replicated record. */
  readonly end: number;
}

export interface OffsetAt extends TopicPartition {
  readonly error: string | null;
  /** -1 when there is none. */
  readonly offset: number;
}

/** Special timestamps of an offset request. */
export const LATEST = -1;
export const EARLIEST = -2;

export interface PartitionTime extends TopicPartition {
  /** ms since the epoch, LATEST or EARLIEST */
  readonly timestampMs: number;
}

export interface Member {
  readonly group: string;
  readonly memberId: string;
  readonly generation: number;
}

export interface JoinOptions {
  readonly group: string;
  readonly memberId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocol: string;
  readonly metadata: Buffer;
}

export interface Joined {
  readonly error: string | null;
  readonly memberId: string;
  readonly generation: number;
  readonly leader: string;
  /** Filled for the leader only. */
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[];
}

export interface Synced {
  readonly error: string | null;
  readonly assignment: Buffer;
}

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

export interface CreatedTopic {
  readonly name: string;
  readonly error: string | null;
  readonly message: string;
}

/**
 * A connection to each broker. A broker answers the requests of a connection in order, so requests that wait on the
 * broker need a wire of their own. Every method rejects with WireError.
 */
export interface Wire {
  /** Asks any broker. */
  metadata(topics: readonly string[]): Promise<ClusterView>;
  produce(node: Node, batches: readonly WireBatch[]): Promise<readonly Produced[]>;
  fetch(node: Node, options: FetchOptions): Promise<readonly Fetched[]>;
  /** Returns the first offset at or after each time. */
  offsetsAt(node: Node, times: readonly PartitionTime[]): Promise<readonly OffsetAt[]>;
  coordinator(group: string): Promise<Node>;
  joinGroup(node: Node, options: JoinOptions): Promise<Joined>;
  syncGroup(node: Node, member: Member, protocol: string, assignments: ReadonlyMap<string, Buffer>): Promise<Synced>;
  /** Returns Kafka's name of the error, or null. */
  heartbeat(node: Node, member: Member): Promise<string | null>;
  leaveGroup(node: Node, member: Member): Promise<void>;
  /** Returns Kafka's name of the first error, or null. */
  commitOffsets(node: Node, member: Member, offsets: readonly FetchFrom[]): Promise<string | null>;
  /** Returns the committed offsets, -1 for a partition without one. */
  committed(node: Node, group: string, partitions: readonly TopicPartition[]): Promise<readonly OffsetAt[]>;
  createTopics(node: Node, topics: readonly NewTopic[]): Promise<readonly CreatedTopic[]>;
  close(): Promise<void>;
}

/** A request without an answer, or refused as a whole. */
export class WireError extends Error {
  /** Kafka's name of the error, or NETWORK, TIMEOUT, AUTHENTICATION or UNSUPPORTED. */
  readonly reason: string;
  constructor(reason: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'WireError';
    this.reason = reason;
  }
}

/** Errors that persist until someone changes a setting, a permission or a version. */
const REFUSALS: ReadonlySet<string> = new Set([
  'AUTHENTICATION',
  'UNSUPPORTED',
  'UNSUPPORTED_VERSION',
  'SASL_AUTHENTICATION_FAILED',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'POLICY_VIOLATION',
]);

export function isRefusal(reason: string): boolean {
  return REFUSALS.has(reason);
}
