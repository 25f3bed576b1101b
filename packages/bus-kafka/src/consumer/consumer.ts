import { endsWithin, Waiter } from '@ringfence/base';
import {
  type Assignment,
  AssignmentLostError,
  BusClosedError,
  BusUsageError,
  type Consumer,
  type ConsumerOptions,
  checkState,
  type Effect,
  type InRecord,
  type StateChange,
  type StateEntry,
} from '@ringfence/bus';
import { Changelog } from '../changelog/changelog.ts';
import { storePrefix } from '../changelog/keys.ts';
import { partitionName, type TopicPartition } from '../client/records.ts';
import { type Wire, WireError } from '../client/wire.ts';
import { toBusError } from '../cluster/cluster.ts';
import { STATE_PREFIX } from '../cluster/topic-settings.ts';
import type { Context } from '../context.ts';
import { BatchLinger } from './batch-linger.ts';
import { Fetcher } from './fetcher.ts';
import { LazyOffsets } from './lazy-offsets.ts';
import { Membership } from './membership.ts';
import { PartitionAssignments } from './partition-assignments.ts';
import type { PartitionCursor } from './partition-cursor.ts';

/**
 * How long a close waits for the brokers. After that the records without a committed offset are redelivered, and the
 * membership ends with its session timeout.
 */
const CLOSE_DEADLINE_MS = 5000;
/** Well below the compaction lag of a changelog (an hour), so that valid records can still be restored. */
const FOREIGN_WRITE_CHECK_MS = 60_000;
const MIN_BUFFER_BYTES = 2 * 2 ** 20;

/** A partition of a topic that this consumer reads. */
export interface AssignedPartition {
  readonly topic: string;
  readonly partition: number;
  /** Offset after the last committed record. */
  readonly position: number;
  /** End of the partition, from the latest fetch. */
  readonly end: number;
}

/** The port's consumer, as one member of a Kafka consumer group. */
export class KafkaConsumer implements Consumer {
  readonly group: string;
  readonly #context: Context;
  /** For requests that brokers answer at once. */
  readonly #wire: Wire;
  readonly #topics: readonly string[];
  readonly #membership: Membership;
  readonly #fetcher: Fetcher;
  readonly #offsets: LazyOffsets;
  readonly #assignments: PartitionAssignments;
  readonly #changelog: Changelog | null;
  readonly #stores: ReadonlySet<string>;
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #waiter = new Waiter();
  readonly #linger: BatchLinger;
  readonly #onClose: () => void;
  readonly #foreignWriteCheck: NodeJS.Timeout;
  #reconciling: Promise<void> | null = null;
  #firstCursor = 0;
  #polling = false;
  #closed = false;

  constructor(options: ConsumerOptions, context: Context, onClose: () => void) {
    this.group = options.group;
    this.#context = context;
    this.#onClose = onClose;
    this.#stores = new Set(options.stores);
    this.#maxRecords = options.maxRecords ?? 64;
    this.#maxBytes = options.maxBytes ?? 4 * 2 ** 20;
    if (!(this.#maxRecords >= 1 && this.#maxBytes >= 1))
      throw new BusUsageError(`group ${this.group}: maxRecords and maxBytes of a poll must be at least 1`);
    const { cluster, stats } = context;
    const { wake } = this.#waiter;
    this.#linger = new BatchLinger(options.lingerMs ?? {}, wake);
    this.#topics = options.topics.map((topic) => cluster.physical(topic));
    this.#wire = context.openWire();
    const group = cluster.physical(this.group);
    this.#membership = new Membership(group, this.#topics, { cluster, wire: this.#wire, stats, onChange: wake });
    this.#offsets = new LazyOffsets(cluster, this.#membership);
    this.#fetcher = new Fetcher({
      cluster,
      openWire: context.openWire,
      stats,
      bufferBytes: Math.max(MIN_BUFFER_BYTES, 2 * this.#maxBytes),
      onRecords: (cursor, first) => this.#linger.recordArrived(cursor.name, first < cursor.startEnd),
    });
    const state = cluster.physical(`${STATE_PREFIX}${this.group}`);
    this.#changelog =
      this.#stores.size === 0 ? null : new Changelog(state, cluster.options.stateKey(this.group), context);
    this.#foreignWriteCheck = setInterval(() => void this.#checkForForeignWrites(), FOREIGN_WRITE_CHECK_MS).unref();
    this.#assignments = new PartitionAssignments({
      context,
      membership: this.#membership,
      fetcher: this.#fetcher,
      offsets: this.#offsets,
      changelog: this.#changelog,
      start: options.start ?? 'earliest',
      wake,
    });
  }

  onAssignment(listener: (change: Assignment) => Promise<void>): void {
    this.#assignments.listener = listener;
  }

  async poll(signal?: AbortSignal): Promise<readonly InRecord[]> {
    if (this.#polling)
      throw new BusUsageError(`group ${this.group}: poll was called while another poll waits; await the first`);
    this.#polling = true;
    try {
      while (!this.#closed && !signal?.aborted) {
        if (this.#reconciling !== null || this.#assignments.needsReconcile) {
          await this.#reconcile(signal);
          continue;
        }
        const records = this.#linger.isReady || this.#fetcher.isFull ? this.#take() : [];
        if (records.length > 0) return records;
        await this.#waiter.wait(signal);
      }
      return [];
    } finally {
      this.#polling = false;
    }
  }

  /** Waits until the assignments are reconciled. A signal or a close ends the wait, and not the work. */
  async #reconcile(signal: AbortSignal | undefined): Promise<void> {
    this.#reconciling ??= this.#assignments.reconcile();
    const reconciling = this.#reconciling;
    const done = new AbortController();
    const ended = async (): Promise<void> => {
      const either = signal === undefined ? done.signal : AbortSignal.any([signal, done.signal]);
      while (!this.#closed && !either.aborted) await this.#waiter.wait(either);
    };
    const reconciled = reconciling.finally(() => {
      if (this.#reconciling === reconciling) this.#reconciling = null;
      done.abort();
    });
    await Promise.race([reconciled, ended()]);
    reconciled.catch(() => {});
  }

  /** Takes records from the cursors. Starts with another partition each time, so that a busy one starves no other. */
  #take(): InRecord[] {
    const { cursors } = this.#fetcher;
    const records: InRecord[] = [];
    let bytes = this.#maxBytes;
    for (let i = 0; i < cursors.length && records.length < this.#maxRecords; i++) {
      const cursor = cursors[(this.#firstCursor + i) % cursors.length]!;
      for (let next = cursor.peek(); next !== undefined && records.length < this.#maxRecords; next = cursor.peek()) {
        const size = next.value?.length ?? 0;
        if (records.length > 0 && size > bytes) break;
        bytes -= size;
        records.push(cursor.shift());
      }
    }
    this.#firstCursor = (this.#firstCursor + 1) % Math.max(1, cursors.length);
    if (cursors.every(({ length }) => length === 0)) this.#linger.reset();
    this.#fetcher.pump();
    return records;
  }

  async commit(records: readonly InRecord[], effect: Effect): Promise<void> {
    if (this.#closed) throw new BusClosedError(`the consumer of group ${this.group}`);
    for (const change of effect.state) {
      if (!this.#stores.has(change.store))
        throw new BusUsageError(`group ${this.group}: state store "${change.store}" is not among its stores`);
      checkState(change);
    }
    const placed = await this.#context.place(effect.outputs);
    const next = this.#nextOffsets(records);
    await this.#context.write(placed);
    if (effect.state.length > 0) await this.#writeState(effect.state, next);
    for (const [cursor, offset] of next) {
      cursor.committed = Math.max(cursor.committed, offset);
      this.#offsets.mark(cursor);
    }
  }

  position(topic: string, partition: number): number {
    return this.#assignments.cursorOf(topic, partition)?.committed ?? 0;
  }

  /** Returns the next offset of each partition in `records`. Throws AssignmentLostError if one was revoked. */
  #nextOffsets(records: readonly InRecord[]): Map<PartitionCursor, number> {
    const next = new Map<PartitionCursor, number>();
    for (const { topic, partition, offset } of records) {
      const cursor = this.#assignments.cursorOf(topic, partition);
      if (cursor === undefined || !this.#membership.isMember) throw this.#loseAssignment(records);
      next.set(cursor, Math.max(offset + 1, next.get(cursor) ?? cursor.committed));
    }
    return next;
  }

  #loseAssignment(records: readonly TopicPartition[]): AssignmentLostError {
    const partitions = [...new Set(records.map(({ partition }) => partition))];
    this.#assignments.invalidate(partitions);
    this.#context.stats.add('assignmentsLost', partitions.length);
    return new AssignmentLostError(this.group, [...new Set(records.map(partitionName))].join(', '));
  }

  /** Writes one batch for each input partition: its state changes and its position. */
  async #writeState(state: readonly StateChange[], next: ReadonlyMap<PartitionCursor, number>): Promise<void> {
    const touched = [...next.keys()].map(({ name, partition }) => ({ topic: name, partition }));
    const changes = Map.groupBy(state, ({ partition }) => partition);
    for (const partition of changes.keys()) if (!this.#assignments.has(partition)) throw this.#loseAssignment(touched);
    if (!(await this.#confirmMembership())) throw this.#loseAssignment(touched);
    const outcomes = await Promise.all(
      [...changes].map(([partition, entries]) =>
        this.#changelog!.write(partition, entries, this.#assignments.positions(partition, next)),
      ),
    );
    const foreign = [...changes.keys()].filter((_, i) => outcomes[i] !== 'clean');
    if (foreign.length === 0) return;
    // Another member has written too. Ask the coordinator which of the two owns the partitions.
    if (!(await this.#confirmMembership(true))) throw this.#loseAssignment(touched);
    this.#assignments.invalidate(foreign);
    if (outcomes.includes('overtaken')) throw this.#loseAssignment(touched);
  }

  async #confirmMembership(now = false): Promise<boolean> {
    try {
      return await (now ? this.#membership.confirm() : this.#membership.confirmRecent());
    } catch (error) {
      throw error instanceof WireError ? toBusError(`asking the coordinator of group ${this.group}`, error) : error;
    }
  }

  /**
   * Finds late writes of former owners while this member has nothing to write. Opening a partition again undoes them.
   */
  async #checkForForeignWrites(): Promise<void> {
    try {
      this.#assignments.invalidate((await this.#changelog?.partitionsWithForeignWrites()) ?? []);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  }

  async *restore(store: string, partition: number): AsyncIterable<StateEntry> {
    if (!this.#stores.has(store))
      throw new BusUsageError(`group ${this.group}: state store "${store}" is not among its stores`);
    const entries = this.#assignments.restoredEntries(partition);
    if (entries === undefined)
      throw new BusUsageError(
        `group ${this.group}: restore of partition ${partition} may only be called while its assignment is notified`,
      );
    const prefix = storePrefix(store);
    for (const [key, { value, position }] of entries)
      if (key.startsWith(prefix)) yield { key: key.slice(prefix.length), value, position };
  }

  async lag(): Promise<ReadonlyMap<string, number>> {
    const { cluster } = this.#context;
    return cluster.retry(`reading the lag of group ${this.group}`, cluster.options.requestDeadlineMs, () =>
      this.#assignments.lag(this.#topics),
    );
  }

  /** The partitions that the group has assigned to this consumer. */
  assignment(): readonly AssignedPartition[] {
    return this.#fetcher.cursors.map(({ name, partition, committed, end }) => ({
      topic: name,
      partition,
      position: committed,
      end,
    }));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#foreignWriteCheck);
    this.#linger.reset();
    this.#waiter.wake();
    const fetching = this.#fetcher.close();
    this.#assignments.close();
    await endsWithin(this.#leaveGroup(), CLOSE_DEADLINE_MS);
    this.#offsets.stop();
    await Promise.all([fetching, this.#wire.close()]);
    this.#onClose();
  }

  /**
   * Waits for a running join first, because the group would wait for its missing member. Commits before it leaves,
   * because only a member may commit.
   */
  async #leaveGroup(): Promise<void> {
    await this.#reconciling?.catch(() => {});
    await this.#offsets.flush();
    await this.#membership.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
