/**
 * The bus as services know it. Drivers: embedded (one SQLite file) and, for a fleet, Kafka.
 *
 * The rule every driver keeps: effect, then state with its position in the input, then offset. `Consumer.commit` hands all three over at once; the
 * embedded driver does them in one transaction, the Kafka driver in that order, state and position as one batch. So a crash anywhere redelivers, and since every id downstream derives from its input, a
 * redelivery has no second effect.
 */

/** A record to write. `partition` is never chosen by the caller: the bus computes murmur2(key) & 0x7fffffff mod partitions itself. */
export interface OutRecord {
  readonly topic: string;
  readonly key: string;
  /** null: a tombstone on a compacted topic */
  readonly value: Uint8Array | null;
}

export interface InRecord {
  readonly topic: string;
  readonly partition: number;
  /** from 0; ascending on every bus, and without holes on the embedded one unless the topic is compacted */
  readonly offset: number;
  readonly key: string;
  /** shared by all who read it: not to be changed */
  readonly value: Uint8Array | null;
  /** the same as it stood on the wire, where that differs: what a dead letter keeps */
  readonly wire?: Uint8Array;
  /** µs since the epoch, when the bus took it */
  readonly timestamp: number;
}

/** Where in its input a state entry was last changed: entries at or past a record's position have seen it. */
export interface Position {
  readonly offset: number;
  /** index of the event inside the record */
  readonly index: number;
}

export interface StateEntry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly position: Position;
}

export interface StateChange {
  readonly store: string;
  /** input partition that owns the entry */
  readonly partition: number;
  readonly key: string;
  /** null deletes */
  readonly value: Uint8Array | null;
  readonly position: Position;
}

/** Everything one input batch causes. */
export interface Effect {
  readonly outputs: readonly OutRecord[];
  readonly state: readonly StateChange[];
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** latest record per key is kept for ever; the rest may go */
  readonly compacted: boolean;
  /** ms; Infinity: for ever */
  readonly retentionMs: number;
  /** bytes per partition; Infinity: no bound of its own */
  readonly retentionBytes: number;
}

/**
 * Which partitions a consumer of a group has got or lost since its last poll. A number stands for that partition of every topic the group reads: they are
 * assigned together. One that is in both was lost and came back, or a commit of it failed: what memory says of it may be ahead of what is written.
 */
export interface Assignment {
  readonly assigned: readonly number[];
  readonly revoked: readonly number[];
}

export interface ConsumerOptions {
  readonly group: string;
  /** those with more than one partition all have the same number of them */
  readonly topics: readonly string[];
  /** names of the state stores (`ringfence.state.*`) this group owns */
  readonly stores?: readonly string[];
  /** at most this many records in one poll. @default 64 */
  readonly maxRecords?: number;
  /** at most this many bytes of values in one poll (one record always comes). @default 4 MiB */
  readonly maxBytes?: number;
  /**
   * How long records may wait for company, ms by topic; a record that may wait no longer takes along all that is there. For consumers to which each batch
   * costs more than its records. @default no topic waits
   */
  readonly lingerMs?: Readonly<Record<string, number>>;
}

export interface Consumer extends AsyncDisposable {
  /**
   * Whom to tell which partitions are ours: from inside `poll`, so never while a batch is in hand, and before the first record of a new one comes. Their
   * state is restored then. It may be told several times in one poll, a part each time. Set it before the first poll.
   */
  onAssignment(listener: (change: Assignment) => Promise<void>): void;
  /** Waits until something is there, `signal` aborts (then []), or the consumer is closed (then []). Records of several partitions, each in order. */
  poll(signal?: AbortSignal): Promise<readonly InRecord[]>;
  /**
   * Outputs, state changes and the offsets after `records`, in that order or at once. Rejects with BusFullError when there is no room; nothing was then
   * written. Rejects with BusUnavailableError or BusRefusedError when brokers are away or refuse; what was written is written again by the same commit,
   * tried again. Rejects with AssignmentLostError when one of the partitions is no longer ours: the next poll tells which, and counts those that still are as
   * lost and back. Offsets that come with no output and no state change may become durable a little later: their records, delivered again, change nothing.
   */
  commit(records: readonly InRecord[], effect: Effect): Promise<void>;
  /** What a store holds for a partition that has just been assigned: call in the listener of `onAssignment`. */
  restore(store: string, partition: number): AsyncIterable<StateEntry>;
  /** Records not yet committed, by topic: of the partitions that are ours, or before the first poll of all. */
  lag(): Promise<ReadonlyMap<string, number>>;
  /** Stops polling; what was polled and not committed comes again to the next consumer of the group. */
  close(): Promise<void>;
}

export interface ReadOptions {
  /** one, or several whose records come merged by time, as those of partitions do */
  readonly topic: string | readonly string[];
  /** 'earliest', 'latest', or µs since the epoch. @default 'earliest' */
  readonly from?: 'earliest' | 'latest' | number;
  /** go on waiting for new records at the end. @default false */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

export const topicsOf = ({ topic }: ReadOptions): readonly string[] => (typeof topic === 'string' ? [topic] : topic);

export interface Bus extends AsyncDisposable {
  /** Creates what is missing; changes nothing that exists with another number of partitions, but rejects. */
  ensureTopics(topics: readonly TopicSpec[]): Promise<void>;
  /**
   * Durable when it resolves (survives kill -9). All or none on the embedded bus; on brokers some may be there when it rejects. Rejects with BusFullError
   * when the disk bound is reached, with BusUnavailableError or BusRefusedError when brokers are away or refuse; away is who hasn't taken the records
   * within `deadlineMs`. @default `bus.kafka.produceDeadline`; the embedded bus answers at once
   */
  produce(records: readonly OutRecord[], deadlineMs?: number): Promise<void>;
  consumer(options: ConsumerOptions): Promise<Consumer>;
  /** What a group with a consumer here has not committed, in records by topic; empty when it has none. */
  lag(group: string): Promise<ReadonlyMap<string, number>>;
  /** Reads without a group: for the command line, recordings and audits. */
  read(options: ReadOptions): AsyncIterable<InRecord>;
  /** used and allowed bytes; `full` when producing would be refused */
  pressure(): { readonly usedBytes: number; readonly maxBytes: number; readonly full: boolean };
  /** Drains what is being written, then closes. */
  close(): Promise<void>;
}
