import type { RecordSet } from './record-sets.ts';

/**
 * What the Kafka bus needs of a client: single requests to single brokers, nothing that retries, batches or remembers. Two clients stand behind it;
 * groups, order, retries and state are above it, once.
 */

export interface Node {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

export interface TopicView {
  /** Kafka's name of the error, null: none */
  readonly error: string | null;
  /** leader of each partition, -1: none now */
  readonly leaders: readonly number[];
}

export interface ClusterView {
  readonly nodes: ReadonlyMap<number, Node>;
  readonly controller: number;
  readonly topics: ReadonlyMap<string, TopicView>;
}

export interface WireRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
  /** the one header that we use; null: none */
  readonly header: Buffer | null;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface WireBatch extends TopicPartition {
  readonly records: readonly WireRecord[];
}

export interface Produced extends TopicPartition {
  readonly error: string | null;
  readonly baseOffset: number;
}

export interface FetchedRecord extends WireRecord {
  readonly offset: number;
  /** ms since the epoch */
  readonly timestampMs: number;
}

export interface FetchFrom extends TopicPartition {
  readonly offset: number;
}

export interface FetchOptions {
  readonly from: readonly FetchFrom[];
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly maxPartitionBytes: number;
  /** of the response; each partition gives a batch at least */
  readonly maxUnpackedBytes: number;
}

export interface Fetched extends TopicPartition, RecordSet {
  readonly error: string | null;
  /** end of what is written and replicated */
  readonly end: number;
}

export interface OffsetAt extends TopicPartition {
  readonly error: string | null;
  /** -1: none */
  readonly offset: number;
}

/** ms since the epoch, or one of these */
export const LATEST = -1;
export const EARLIEST = -2;

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
  /** of the leader only */
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

/** One connection to each broker it has spoken to. A broker answers the requests of a connection one after the other: what waits gets a wire of its own. */
export interface Wire {
  /** Of any broker that answers. */
  metadata(topics: readonly string[]): Promise<ClusterView>;
  produce(node: Node, batches: readonly WireBatch[]): Promise<readonly Produced[]>;
  fetch(node: Node, options: FetchOptions): Promise<readonly Fetched[]>;
  /** The first offset at or after each time. */
  offsetsAt(
    node: Node,
    at: readonly (TopicPartition & { readonly timestampMs: number })[],
  ): Promise<readonly OffsetAt[]>;
  coordinator(group: string): Promise<Node>;
  join(node: Node, options: JoinOptions): Promise<Joined>;
  sync(node: Node, member: Member, protocol: string, assignments: ReadonlyMap<string, Buffer>): Promise<Synced>;
  /** Kafka's name of the error, null: none */
  heartbeat(node: Node, member: Member): Promise<string | null>;
  leave(node: Node, member: Member): Promise<void>;
  /** Kafka's name of the first error, null: none */
  commitOffsets(node: Node, member: Member, offsets: readonly FetchFrom[]): Promise<string | null>;
  /** offset -1: none committed */
  committed(node: Node, group: string, partitions: readonly TopicPartition[]): Promise<readonly OffsetAt[]>;
  createTopics(node: Node, topics: readonly NewTopic[]): Promise<readonly CreatedTopic[]>;
  close(): Promise<void>;
}

/** The header of our records in a changelog. */
export const HEADER = 'rf';

/** A request that got no answer, or a refusal of the whole of it. */
export class WireError extends Error {
  /** Kafka's name of the error, or NETWORK, TIMEOUT, AUTHENTICATION, UNSUPPORTED */
  readonly reason: string;
  constructor(reason: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'WireError';
    this.reason = reason;
  }
}

/** Asking again doesn't help until a person has changed something. */
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
