import { setTimeout as sleep } from 'node:timers/promises';
import { fateOf } from '@ringfence/base';
import type { Assignment } from '@ringfence/bus';
import type { Changelog } from './changelog.ts';
import type { Fold, StateValue } from './changelog-record.ts';
import type { Context } from './context.ts';
import { backoffMs } from './deadline.ts';
import { Feed } from './feed.ts';
import type { Fetcher } from './fetcher.ts';
import type { LazyOffsets } from './lazy-offsets.ts';
import type { Membership } from './membership.ts';
import { endsOf, nameOf } from './partition-scan.ts';
import { type TopicPartition, WireError } from './wire.ts';

const LOG_EVERY_MS = 60_000;

interface Parts {
  readonly context: Context;
  readonly membership: Membership;
  readonly fetcher: Fetcher;
  readonly offsets: LazyOffsets;
  readonly changelog: Changelog | null;
  readonly wake: () => void;
}

/** Where reading of a partition may begin, by what the group has committed and by what is still there. */
interface Start {
  readonly committed: number;
  readonly first: number;
  readonly next: number;
}

/**
 * The partitions that one member holds, by number. Follows the group from inside `poll`: what is another's goes, what is new is opened (its state read,
 * its listener told, its reading begun), and what is in doubt is opened again.
 */
export class Holdings {
  listener: ((change: Assignment) => Promise<void>) | undefined;
  readonly #parts: Parts;
  /** what the group has given to us; null: not yet joined */
  #wanted: ReadonlyMap<number, readonly TopicPartition[]> | null = null;
  readonly #held: Map<number, readonly Feed[]> = new Map();
  /** held, and to be opened again */
  readonly #doubtful: Set<number> = new Set();
  /** gone, and the listener doesn't know yet */
  readonly #leaving: Set<number> = new Set();
  #restoring: { readonly partition: number; readonly entries: ReadonlyMap<string, StateValue> } | null = null;
  #warnedAt = -Infinity;
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** There is something to be settled before records may be given out. */
  get isUnsettled(): boolean {
    const { membership } = this.#parts;
    return membership.mustJoin || !membership.isMember || this.#missing().length > 0 || this.#leaving.size > 0;
  }

  get isJoined(): boolean {
    return this.#wanted !== null;
  }

  has(partition: number): boolean {
    return this.#held.has(partition) && !this.#doubtful.has(partition);
  }

  /** undefined: not ours, or not for sure */
  feedOf(name: string, partition: number): Feed | undefined {
    return this.has(partition) ? this.#held.get(partition)!.find((feed) => feed.name === name) : undefined;
  }

  /** How far each topic is read once `next` is done. */
  positions(partition: number, next: ReadonlyMap<Feed, number>): Map<string, number> {
    const feeds = this.#held.get(partition) ?? [];
    return new Map(feeds.map((feed) => [feed.name, Math.max(feed.committed, next.get(feed) ?? 0)]));
  }

  restoring(partition: number): ReadonlyMap<string, StateValue> | undefined {
    return this.#restoring?.partition === partition ? this.#restoring.entries : undefined;
  }

  /** What memory says of them may be ahead of what is written. */
  doubt(partitions: Iterable<number>): void {
    for (const partition of partitions) if (this.#held.has(partition)) this.#doubtful.add(partition);
    this.#parts.wake();
  }

  close(): void {
    this.#closed = true;
  }

  /** Until all is settled, however long the brokers are away. Rejects with what a listener throws that is not retriable. */
  async settle(): Promise<void> {
    for (let attempt = 0; !this.#closed; attempt++) {
      try {
        await this.#join();
        await this.#open();
        return;
      } catch (error) {
        const passing = error instanceof WireError || fateOf(error) === 'retriable';
        if (!passing) throw error;
        if (this.#closed) return;
        if (attempt > 2) this.#warn(error);
        await sleep(backoffMs(attempt, 100, 5000));
        await this.#refresh();
      }
    }
  }

  async #join(): Promise<void> {
    const { membership, offsets, fetcher, changelog } = this.#parts;
    if (membership.mustJoin || !membership.isMember) {
      await offsets.flush();
      const joined = await membership.join();
      if (joined === null) return;
      this.#wanted = Map.groupBy(joined.assigned, ({ partition }) => partition);
      if (!joined.continuous) this.doubt(this.#held.keys());
      for (const [partition, feeds] of this.#held) {
        if (this.#wanted.has(partition)) continue;
        offsets.drop(feeds);
        changelog?.forget(partition);
        this.#held.delete(partition);
        this.#doubtful.delete(partition);
        this.#leaving.add(partition);
      }
      fetcher.set(this.#feeds());
    }
    if (this.#leaving.size === 0) return;
    await this.listener?.({ assigned: [], revoked: [...this.#leaving] });
    this.#leaving.clear();
  }

  /** Opens what is ours and not open; stops when the group is about to change again. */
  async #open(): Promise<void> {
    const missing = this.#missing();
    if (missing.length === 0) return;
    const { changelog, fetcher } = this.#parts;
    const starts = await this.#startsOf(missing.flatMap((partition) => this.#wanted!.get(partition)!));
    try {
      if (changelog === null) await this.#begin(missing, starts, new Map());
      else for (const partition of missing) if (!(await this.#openState(changelog, partition, starts))) break;
    } finally {
      fetcher.set(this.#feeds());
    }
  }

  async #openState(changelog: Changelog, partition: number, starts: ReadonlyMap<string, Start>): Promise<boolean> {
    const { membership } = this.#parts;
    if (membership.mustJoin || this.#closed) return false;
    const fold: Fold = await changelog.open(partition);
    // It may have taken long: who has lost the partition meanwhile must not begin.
    if (!(await membership.confirmRecent())) return false;
    this.#restoring = { partition, entries: fold.entries };
    try {
      await this.#begin([partition], starts, fold.positions);
    } finally {
      this.#restoring = null;
    }
    return true;
  }

  async #begin(
    partitions: readonly number[],
    starts: ReadonlyMap<string, Start>,
    positions: ReadonlyMap<string, number>,
  ): Promise<void> {
    const { cluster } = this.#parts.context;
    const back = partitions.filter((partition) => this.#held.has(partition));
    for (const partition of partitions) {
      this.#parts.offsets.drop(this.#held.get(partition) ?? []);
      const feeds = this.#wanted!.get(partition)!.map((at) => {
        const name = cluster.logical(at.topic);
        const { committed, first, next } = starts.get(nameOf(at))!;
        const known = Math.max(committed, positions.get(name) ?? -1);
        return new Feed(at, name, known < 0 ? first : known, next);
      });
      this.#held.set(partition, feeds);
      // Until the listener is done: should it throw, it is told that the partition was lost and came back.
      this.#doubtful.add(partition);
    }
    await this.listener?.({ assigned: partitions, revoked: back });
    for (const partition of partitions) this.#doubtful.delete(partition);
  }

  #missing(): number[] {
    return [...(this.#wanted?.keys() ?? [])].filter((partition) => !this.has(partition));
  }

  #feeds(): Feed[] {
    return [...this.#held].flatMap(([partition, feeds]) => (this.has(partition) ? feeds : []));
  }

  async #startsOf(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, Start>> {
    const { membership, context } = this.#parts;
    const committed = await membership.committed(partitions);
    const ends = await endsOf(context.cluster, context.wire, partitions);
    return new Map(committed.map((one) => [nameOf(one), { committed: one.offset, ...ends.get(nameOf(one))! }]));
  }

  /** What is not done yet: of the partitions held here, or before the first join of all. Rejects with WireError. */
  async lag(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { cluster, wire } = this.#parts.context;
    const lag = new Map(topics.map((topic) => [cluster.logical(topic), 0]));
    const done = this.isJoined ? this.#done() : await this.#doneByAll(topics);
    const ends = await endsOf(cluster, wire, done);
    for (const at of done) {
      const { first, next } = ends.get(nameOf(at))!;
      const name = cluster.logical(at.topic);
      lag.set(name, lag.get(name)! + Math.max(0, next - Math.max(first, at.offset)));
    }
    return lag;
  }

  #done(): (TopicPartition & { readonly offset: number })[] {
    return [...this.#held.values()].flat().map(({ topic, partition, committed }) => ({
      topic,
      partition,
      offset: committed,
    }));
  }

  async #doneByAll(topics: readonly string[]): Promise<readonly (TopicPartition & { readonly offset: number })[]> {
    const { cluster } = this.#parts.context;
    const counts = await Promise.all(topics.map((topic) => cluster.partitions(topic)));
    const all = topics.flatMap((topic, i) =>
      Array.from({ length: counts[i]! }, (_, partition) => ({ topic, partition })),
    );
    return this.#parts.membership.committed(all);
  }

  async #refresh(): Promise<void> {
    try {
      await this.#parts.context.cluster.refresh();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  }

  #warn(error: unknown): void {
    if (performance.now() - this.#warnedAt < LOG_EVERY_MS) return;
    this.#warnedAt = performance.now();
    const { context, membership } = this.#parts;
    context.cluster.options.log?.warn(
      { err: error, group: membership.group },
      'partitions can not be opened; it is tried again',
    );
  }
}
