/**
 * The interface of the bus. Drivers: embedded (one SQLite file) and Kafka (for a fleet).
 *
 * Every driver writes outputs first, then state changes with their input position, then offsets. The embedded driver
 * does so in one transaction; the Kafka driver in that order, with state and position in one batch. A crash at any
 * point therefore redelivers records. A redelivery has no second effect, because ids of outputs derive from their
 * input.
 */

/** A record to write. The bus chooses its partition: murmur2(key) & 0x7fffffff mod partitions. */
export interface OutRecord {
  readonly topic: string;
  readonly key: string;
  /** null for a tombstone on a compacted topic. */
  readonly value: Uint8Array | null;
}

export interface InRecord {
  readonly topic: string;
  readonly partition: number;
  /** From 0, ascending. Without holes on the embedded bus, unless the topic is compacted. */
  readonly offset: number;
  readonly key: string;
  /** Shared by all readers: treat it as immutable. */
  readonly value: Uint8Array | null;
  /** The value as received, if it was converted. Dead letters keep these bytes. */
  readonly wire?: Uint8Array;
  /** When the bus accepted the record, µs since the epoch. */
  readonly timestamp: number;
}

/** The input position of the last change of a state entry. An entry includes all input up to its position. */
export interface Position {
  readonly offset: number;
  /** Index of the event in the record. */
  readonly index: number;
}

export interface StateEntry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly position: Position;
}

export interface StateChange {
  readonly store: string;
  /** Input partition that the entry belongs to. */
  readonly partition: number;
  readonly key: string;
  /** null deletes the entry. */
  readonly value: Uint8Array | null;
  readonly position: Position;
}

/** All effects of one input batch. */
export interface Effect {
  readonly outputs: readonly OutRecord[];
  readonly state: readonly StateChange[];
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** Keeps the latest record of each key for ever, and may delete earlier ones. */
  readonly compacted: boolean;
  /** ms, or Infinity */
  readonly retentionMs: number;
  /** Bytes per partition, or Infinity. */
  readonly retentionBytes: number;
}

/**
 * A change of the partition assignment since the last poll. A number stands for that partition of all topics that the
 * group reads, because they are assigned together. A number in both lists was revoked and assigned again, or a commit
 * of it failed: its state in memory may be ahead of the store, and has to be restored.
 */
export interface Assignment {
  readonly assigned: readonly number[];
  readonly revoked: readonly number[];
}

export interface ConsumerOptions {
  readonly group: string;
  /** Topics with more than one partition must have equal numbers of partitions. */
  readonly topics: readonly string[];
  /** Names of the state stores (`ringfence.state.*`) of the group. */
  readonly stores?: readonly string[];
  /** Records per poll. @default 64 */
  readonly maxRecords?: number;
  /** Bytes of values per poll. A poll returns at least one record. @default the driver's own */
  readonly maxBytes?: number;
  /**
   * How long a record may wait for more records, ms by topic, for consumers with a high cost per batch. A record that
   * need not wait any longer releases all others. @default no topic lingers
   */
  readonly lingerMs?: Readonly<Record<string, number>>;
  /** Where a group without a committed offset begins; the offset is kept from then on. @default 'earliest' */
  readonly start?: 'earliest' | 'latest';
  /**
   * Whether the embedded bus keeps records until this group has consumed them. Without that, records are deleted as if
   * the group did not exist, and `position` shows what it missed. Brokers never wait for groups. @default true
   */
  readonly holdsRetention?: boolean;
}

export interface Consumer extends AsyncDisposable {
  /**
   * Sets the listener for assignment changes, which restores the state of assigned partitions. It is called from inside
   * `poll`: never while a batch is in hand, and before the first record of a new partition. One poll may call it
   * several times. Set it before the first poll.
   */
  onAssignment(listener: (change: Assignment) => Promise<void>): void;
  /**
   * Waits for records, of several partitions, each in order. Returns [] when `signal` aborts or the consumer is closed.
   */
  poll(signal?: AbortSignal): Promise<readonly InRecord[]>;
  /**
   * Writes the outputs, the state changes and the offsets after `records`, in that order or at once. Offsets without
   * outputs and state changes may become durable later, because their records have no effect when redelivered.
   *
   * Rejects with BusFullError when there is no room; nothing was written. Rejects with BusUnavailableError or
   * BusRefusedError when the brokers are away or refuse; a retry of the same commit is safe, although parts may be
   * written. Rejects with AssignmentLostError when a partition was revoked; the next poll then reports the partitions
   * of the batch as revoked, and those that are still assigned also as assigned.
   */
  commit(records: readonly InRecord[], effect: Effect): Promise<void>;
  /** Returns the entries of a store for an assigned partition. Call it in the listener of `onAssignment`. */
  restore(store: string, partition: number): AsyncIterable<StateEntry>;
  /** Returns the offset after the last committed record of an assigned partition; 0 before the first commit. */
  position(topic: string, partition: number): number;
  /** Returns the uncommitted records by topic: of the assigned partitions, or of all before the first poll. */
  lag(): Promise<ReadonlyMap<string, number>>;
  /** Leaves the group. The next consumer of the group gets the uncommitted records. */
  close(): Promise<void>;
}

export interface ReadOptions {
  /** A topic, or several. Records of several topics and partitions are merged by time. */
  readonly topic: string | readonly string[];
  /** 'earliest', 'latest', or µs since the epoch. @default 'earliest' */
  readonly from?: 'earliest' | 'latest' | number;
  /** Wait for new records at the end. @default false */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

export const topicsOf = ({ topic }: ReadOptions): readonly string[] => (typeof topic === 'string' ? [topic] : topic);

export interface Bus extends AsyncDisposable {
  /** Creates missing topics. Rejects with TopicSpecError when a topic has another number of partitions. */
  ensureTopics(topics: readonly TopicSpec[]): Promise<void>;
  /**
   * Writes records. They survive kill -9 once it resolves. When it rejects, the embedded bus has written none of them;
   * brokers may have written some. Rejects with BusFullError at the disk bound, with BusRefusedError when brokers
   * refuse, and with BusUnavailableError when brokers have not accepted the records within `deadlineMs`.
   * @default deadlineMs `bus.kafka.produceDeadline`; the embedded bus ignores it
   */
  produce(records: readonly OutRecord[], deadlineMs?: number): Promise<void>;
  consumer(options: ConsumerOptions): Promise<Consumer>;
  /** Returns the uncommitted records of a group by topic; empty when it has no consumer in this process. */
  lag(group: string): Promise<ReadonlyMap<string, number>>;
  /** Reads without a group, for the command line, recordings and audits. */
  read(options: ReadOptions): AsyncIterable<InRecord>;
  /** Returns used and maximum bytes. `full` when `produce` would reject. */
  pressure(): { readonly usedBytes: number; readonly maxBytes: number; readonly full: boolean };
  /** Waits for pending writes, then closes. */
  close(): Promise<void>;
}
