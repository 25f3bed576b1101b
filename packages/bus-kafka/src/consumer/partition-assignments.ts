import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs, fateOf, LogThrottle } from '@ringfence/base';
import type { Assignment } from '@ringfence/bus';
import type { Changelog } from '../changelog/changelog.ts';
import type { StateValue } from '../changelog/restored-state.ts';
import { partitionName, type TopicPartition } from '../client/records.ts';
import { type FetchFrom, WireError } from '../client/wire.ts';
import { endsOf } from '../cluster/partition-scan.ts';
import type { Context } from '../context.ts';
import type { Fetcher } from './fetcher.ts';
import type { LazyOffsets } from './lazy-offsets.ts';
import type { Membership } from './membership.ts';
import { PartitionCursor } from './partition-cursor.ts';

const RETRY: Backoff = { firstMs: 100, maxMs: 5000 };
const LOG_EVERY_MS = 60_000;

interface PartitionAssignmentsDeps {
  readonly context: Context;
  readonly membership: Membership;
  readonly fetcher: Fetcher;
  readonly offsets: LazyOffsets;
  /** null for a group without state stores. */
  readonly changelog: Changelog | null;
  /** Where a partition without a committed offset begins. */
  readonly start: 'earliest' | 'latest';
  /** Wakes a waiting poll. */
  readonly wake: () => void;
}

/** The offsets that decide where reading of a partition starts. */
interface Start {
  /** Offset that the group has committed, or -1. */
  readonly committed: number;
  /** First available offset. */
  readonly first: number;
  readonly next: number;
}

/**
 * The partitions that the group has assigned to this member, by number. `reconcile` runs inside `poll`. It drops
 * revoked partitions and opens new and invalid ones: it restores their state, notifies the listener, and starts
 * reading.
 */
export class PartitionAssignments {
  listener: ((change: Assignment) => Promise<void>) | undefined;
  readonly #deps: PartitionAssignmentsDeps;
  /** Assigned topics by partition number; null before the first join. */
  #assigned: ReadonlyMap<number, readonly TopicPartition[]> | null = null;
  /** Cursors of the open partitions. */
  readonly #cursors: Map<number, readonly PartitionCursor[]> = new Map();
  /** Open partitions that have to be opened again. */
  readonly #invalid: Set<number> = new Set();
  /** Revoked partitions of which the listener has not been notified. */
  readonly #revoked: Set<number> = new Set();
  #restoring: { readonly partition: number; readonly entries: ReadonlyMap<string, StateValue> } | null = null;
  readonly #warnings = new LogThrottle(LOG_EVERY_MS);
  #closed = false;

  constructor(deps: PartitionAssignmentsDeps) {
    this.#deps = deps;
  }

  /** Whether `reconcile` has to run before records may be handed out. */
  get needsReconcile(): boolean {
    const { membership } = this.#deps;
    return membership.mustJoin || !membership.isMember || this.#missing().length > 0 || this.#revoked.size > 0;
  }

  get isJoined(): boolean {
    return this.#assigned !== null;
  }

  has(partition: number): boolean {
    return this.#cursors.has(partition) && !this.#invalid.has(partition);
  }

  /** Returns undefined for a partition that is not assigned, or invalid. */
  cursorOf(name: string, partition: number): PartitionCursor | undefined {
    return this.has(partition) ? this.#cursors.get(partition)!.find((cursor) => cursor.name === name) : undefined;
  }

  /** Returns the next input offset of each topic, once the records before `next` are committed. */
  positions(partition: number, next: ReadonlyMap<PartitionCursor, number>): Map<string, number> {
    const cursors = this.#cursors.get(partition) ?? [];
    return new Map(cursors.map((cursor) => [cursor.name, Math.max(cursor.committed, next.get(cursor) ?? 0)]));
  }

  /** Returns the restored state of a partition while the listener is notified of its assignment. */
  restoredEntries(partition: number): ReadonlyMap<string, StateValue> | undefined {
    return this.#restoring?.partition === partition ? this.#restoring.entries : undefined;
  }

  /** Marks partitions to be opened again, because the state in memory may be ahead of the changelog. */
  invalidate(partitions: Iterable<number>): void {
    for (const partition of partitions) if (this.#cursors.has(partition)) this.#invalid.add(partition);
    this.#deps.wake();
  }

  close(): void {
    this.#closed = true;
  }

  /** Retries while the brokers are away, and after retriable errors of the listener. Rejects with its other errors. */
  async reconcile(): Promise<void> {
    for (let attempt = 0; !this.#closed; attempt++) {
      try {
        await this.#join();
        await this.#open();
        return;
      } catch (error) {
        const isRetriable = error instanceof WireError || fateOf(error) === 'retriable';
        if (!isRetriable) throw error;
        if (this.#closed) return;
        if (attempt > 2) this.#warn(error);
        await sleep(backoffMs(attempt, RETRY));
        await this.#deps.context.cluster.tryRefresh();
      }
    }
  }

  async #join(): Promise<void> {
    const { membership, offsets, fetcher, changelog } = this.#deps;
    if (membership.mustJoin || !membership.isMember) {
      await offsets.flush();
      const joined = await membership.join();
      if (joined === null) return;
      this.#assigned = Map.groupBy(joined.assigned, ({ partition }) => partition);
      if (!joined.isContinuous) this.invalidate(this.#cursors.keys());
      for (const [partition, cursors] of this.#cursors) {
        if (this.#assigned.has(partition)) continue;
        offsets.drop(cursors);
        changelog?.forget(partition);
        this.#cursors.delete(partition);
        this.#invalid.delete(partition);
        this.#revoked.add(partition);
      }
      fetcher.set(this.#validCursors());
    }
    if (this.#revoked.size === 0) return;
    await this.listener?.({ assigned: [], revoked: [...this.#revoked] });
    this.#revoked.clear();
  }

  /** Opens the missing partitions. Stops early when the next rebalance begins. */
  async #open(): Promise<void> {
    const missing = this.#missing();
    if (missing.length === 0) return;
    const { changelog, fetcher } = this.#deps;
    const starts = await this.#startsOf(missing.flatMap((partition) => this.#assigned!.get(partition)!));
    try {
      if (changelog === null) await this.#begin(missing, starts, new Map());
      else for (const partition of missing) if (!(await this.#openState(changelog, partition, starts))) break;
    } finally {
      fetcher.set(this.#validCursors());
    }
  }

  async #openState(changelog: Changelog, partition: number, starts: ReadonlyMap<string, Start>): Promise<boolean> {
    const { membership } = this.#deps;
    if (membership.mustJoin || this.#closed) return false;
    const state = await changelog.open(partition);
    // Opening may take long. Do not start if the partition was lost in the meantime.
    if (!(await membership.confirmRecent())) return false;
    this.#restoring = { partition, entries: state.entries };
    try {
      await this.#begin([partition], starts, state.positions);
    } finally {
      this.#restoring = null;
    }
    return true;
  }

  /** Starts reading: at the group's committed offset, or at the position in the changelog if that is later. */
  async #begin(
    partitions: readonly number[],
    starts: ReadonlyMap<string, Start>,
    positions: ReadonlyMap<string, number>,
  ): Promise<void> {
    const { cluster } = this.#deps.context;
    const reopened = partitions.filter((partition) => this.#cursors.has(partition));
    for (const partition of partitions) {
      this.#deps.offsets.drop(this.#cursors.get(partition) ?? []);
      const cursors = this.#assigned!.get(partition)!.map((at) => {
        const name = cluster.logical(at.topic);
        const { committed, first, next } = starts.get(partitionName(at))!;
        const position = Math.max(committed, positions.get(name) ?? -1);
        const begin = this.#deps.start === 'earliest' ? first : next;
        return new PartitionCursor(at, name, position < 0 ? begin : position, next);
      });
      // Keep the end as the group's offset: a start that fails now must not move it.
      if (this.#deps.start === 'latest') for (const cursor of cursors) this.#deps.offsets.mark(cursor);
      this.#cursors.set(partition, cursors);
      // Invalid until the listener returns. If it throws, the next attempt reports the partition as revoked and
      // assigned.
      this.#invalid.add(partition);
    }
    await this.listener?.({ assigned: partitions, revoked: reopened });
    for (const partition of partitions) this.#invalid.delete(partition);
  }

  #missing(): number[] {
    return [...(this.#assigned?.keys() ?? [])].filter((partition) => !this.has(partition));
  }

  #validCursors(): PartitionCursor[] {
    return [...this.#cursors].flatMap(([partition, cursors]) => (this.has(partition) ? cursors : []));
  }

  async #startsOf(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, Start>> {
    const { membership, context } = this.#deps;
    const committed = await membership.committed(partitions);
    const ends = await endsOf(context.cluster, context.wire, partitions);
    return new Map(
      committed.map((at) => [partitionName(at), { committed: at.offset, ...ends.get(partitionName(at))! }]),
    );
  }

  /**
   * Counts the uncommitted records by topic: of the assigned partitions, or of all partitions before the first join.
   * Rejects with WireError.
   */
  async lag(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { cluster, wire } = this.#deps.context;
    const lag = new Map(topics.map((topic) => [cluster.logical(topic), 0]));
    const committed = this.isJoined ? this.#committedHere() : await this.#committedByGroup(topics);
    const ends = await endsOf(cluster, wire, committed);
    for (const at of committed) {
      const { first, next } = ends.get(partitionName(at))!;
      const name = cluster.logical(at.topic);
      lag.set(name, lag.get(name)! + Math.max(0, next - Math.max(first, at.offset)));
    }
    return lag;
  }

  #committedHere(): FetchFrom[] {
    return [...this.#cursors.values()].flat().map(({ topic, partition, committed }) => ({
      topic,
      partition,
      offset: committed,
    }));
  }

  async #committedByGroup(topics: readonly string[]): Promise<readonly FetchFrom[]> {
    const { cluster } = this.#deps.context;
    const counts = await Promise.all(topics.map((topic) => cluster.partitions(topic)));
    const all = topics.flatMap((topic, i) =>
      Array.from({ length: counts[i]! }, (_, partition) => ({ topic, partition })),
    );
    return this.#deps.membership.committed(all);
  }

  #warn(error: unknown): void {
    if (this.#warnings.shouldLog('open') === null) return;
    const { context, membership } = this.#deps;
    context.cluster.options.log?.warn({ err: error, group: membership.group }, 'cannot open partitions; retrying');
  }
}
