import { setTimeout as sleep } from 'node:timers/promises';
import { Waiter } from '@ringfence/base';
import type { Assignment, Consumer, ConsumerOptions, Effect, InRecord, StateChange, StateEntry } from '@ringfence/bus';
import { AssignmentLostError, BusClosedError, BusUsageError, checkState } from '@ringfence/bus';
import { Changelog } from './changelog.ts';
import { storePrefix } from './changelog-record.ts';
import { toBusError } from './cluster.ts';
import type { Context } from './context.ts';
import type { Feed } from './feed.ts';
import { Fetcher } from './fetcher.ts';
import { Holdings } from './holdings.ts';
import { LazyOffsets } from './lazy-offsets.ts';
import { Linger } from './linger.ts';
import { Membership } from './membership.ts';
import { nameOf } from './partition-scan.ts';
import { STATE_PREFIX } from './topic-settings.ts';
import { type Wire, WireError } from './wire.ts';

/** How long closing waits for brokers that don't answer: offsets that aren't written are redelivered, and who doesn't leave times out. */
const CLOSE_MS = 5000;
const GUARD_EVERY_MS = 60_000;
const MIN_BUFFER_BYTES = 2 * 2 ** 20;

/** One partition of one topic that this consumer reads. */
export interface AssignedPartition {
  readonly topic: string;
  readonly partition: number;
  /** next offset to be done */
  readonly position: number;
  /** end of the partition as last heard */
  readonly end: number;
}

export class KafkaConsumer implements Consumer {
  readonly group: string;
  readonly #context: Context;
  /** asked and answered at once */
  readonly #wire: Wire;
  readonly #topics: readonly string[];
  readonly #membership: Membership;
  readonly #fetcher: Fetcher;
  readonly #offsets: LazyOffsets;
  readonly #holdings: Holdings;
  readonly #changelog: Changelog | null;
  readonly #stores: ReadonlySet<string>;
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #waiter = new Waiter();
  readonly #linger: Linger;
  readonly #onClose: () => void;
  readonly #guard: NodeJS.Timeout;
  #settling: Promise<void> | null = null;
  #start = 0;
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
    this.#linger = new Linger(options.lingerMs ?? {}, wake);
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
      onRecords: (feed, first) => this.#linger.came(feed.name, first < feed.startEnd),
    });
    const state = cluster.physical(`${STATE_PREFIX}${this.group}`);
    this.#changelog =
      this.#stores.size === 0 ? null : new Changelog(state, cluster.options.stateKey(this.group), context);
    this.#guard = setInterval(() => void this.#lookForOthers(), GUARD_EVERY_MS).unref();
    this.#holdings = new Holdings({
      context,
      membership: this.#membership,
      fetcher: this.#fetcher,
      offsets: this.#offsets,
      changelog: this.#changelog,
      wake,
    });
  }

  onAssignment(listener: (change: Assignment) => Promise<void>): void {
    this.#holdings.listener = listener;
  }

  async poll(signal?: AbortSignal): Promise<readonly InRecord[]> {
    if (this.#polling)
      throw new BusUsageError(`group ${this.group}: poll was called while another poll waits; await the first`);
    this.#polling = true;
    try {
      while (!this.#closed && !signal?.aborted) {
        if (this.#settling !== null || this.#holdings.isUnsettled) {
          await this.#settle(signal);
          continue;
        }
        const records = this.#linger.isRipe || this.#fetcher.isFull ? this.#take() : [];
        if (records.length > 0) return records;
        await this.#waiter.wait(signal);
      }
      return [];
    } finally {
      this.#polling = false;
    }
  }

  /** Joins and opens what was assigned; a signal or a close ends only the waiting for it. */
  async #settle(signal: AbortSignal | undefined): Promise<void> {
    this.#settling ??= this.#holdings.settle();
    const settling = this.#settling;
    const over = new AbortController();
    const ended = async (): Promise<void> => {
      const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
      while (!this.#closed && !either.aborted) await this.#waiter.wait(either);
    };
    const settled = settling.finally(() => {
      if (this.#settling === settling) this.#settling = null;
      over.abort();
    });
    await Promise.race([settled, ended()]);
    settled.catch(() => {});
  }

  /** Starts at another partition each time, so that a busy one can't starve the rest. */
  #take(): InRecord[] {
    const { feeds } = this.#fetcher;
    const records: InRecord[] = [];
    let bytes = this.#maxBytes;
    for (let i = 0; i < feeds.length && records.length < this.#maxRecords; i++) {
      const feed = feeds[(this.#start + i) % feeds.length]!;
      for (let next = feed.peek(); next !== undefined && records.length < this.#maxRecords; next = feed.peek()) {
        const size = next.value?.length ?? 0;
        if (records.length > 0 && size > bytes) break;
        bytes -= size;
        records.push(feed.shift());
      }
    }
    this.#start = (this.#start + 1) % Math.max(1, feeds.length);
    if (feeds.every(({ length }) => length === 0)) this.#linger.reset();
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
    const next = this.#nextOf(records);
    await this.#context.write(placed);
    if (effect.state.length > 0) await this.#writeState(effect.state, next);
    for (const [feed, offset] of next) {
      feed.committed = Math.max(feed.committed, offset);
      this.#offsets.mark(feed);
    }
  }

  /** Where each partition goes on after `records`. Throws AssignmentLostError when one of them is no longer ours. */
  #nextOf(records: readonly InRecord[]): Map<Feed, number> {
    const next = new Map<Feed, number>();
    for (const { topic, partition, offset } of records) {
      const feed = this.#holdings.feedOf(topic, partition);
      if (feed === undefined || !this.#membership.isMember) throw this.#lost(records);
      next.set(feed, Math.max(offset + 1, next.get(feed) ?? feed.committed));
    }
    return next;
  }

  #lost(records: readonly { readonly topic: string; readonly partition: number }[]): AssignmentLostError {
    const partitions = [...new Set(records.map(({ partition }) => partition))];
    this.#holdings.doubt(partitions);
    this.#context.stats.add('assignmentsLost', partitions.length);
    return new AssignmentLostError(this.group, [...new Set(records.map(nameOf))].join(', '));
  }

  /** State and position of each input partition as one batch. */
  async #writeState(state: readonly StateChange[], next: ReadonlyMap<Feed, number>): Promise<void> {
    const touched = [...next.keys()].map(({ name, partition }) => ({ topic: name, partition }));
    const changes = Map.groupBy(state, ({ partition }) => partition);
    for (const partition of changes.keys()) if (!this.#holdings.has(partition)) throw this.#lost(touched);
    if (!(await this.#confirmed())) throw this.#lost(touched);
    const written = await Promise.all(
      [...changes].map(([partition, own]) =>
        this.#changelog!.write(partition, own, this.#holdings.positions(partition, next)),
      ),
    );
    const numbers = [...changes.keys()];
    const foreign = numbers.filter((_, i) => written[i] !== 'clean');
    if (foreign.length === 0) return;
    // Somebody else has written: is it us who shouldn't?
    if (!(await this.#confirmed(true))) throw this.#lost(touched);
    this.#holdings.doubt(foreign);
    if (written.includes('overtaken')) throw this.#lost(touched);
  }

  async #confirmed(now = false): Promise<boolean> {
    try {
      return await (now ? this.#membership.confirm() : this.#membership.confirmRecent());
    } catch (error) {
      throw error instanceof WireError ? toBusError(`asking the coordinator of group ${this.group}`, error) : error;
    }
  }

  /** A member that lost a partition may still have written to its changelog while we had nothing to write: then it is opened again, which undoes that. */
  async #lookForOthers(): Promise<void> {
    try {
      this.#holdings.doubt((await this.#changelog?.disturbed()) ?? []);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  }

  async *restore(store: string, partition: number): AsyncIterable<StateEntry> {
    if (!this.#stores.has(store))
      throw new BusUsageError(`group ${this.group}: state store "${store}" is not among its stores`);
    const entries = this.#holdings.restoring(partition);
    if (entries === undefined)
      throw new BusUsageError(`group ${this.group}: partition ${partition} is restored in its onAssignment only`);
    const prefix = storePrefix(store);
    for (const [key, { value, position }] of entries)
      if (key.startsWith(prefix)) yield { key: key.slice(prefix.length), value, position };
  }

  async lag(): Promise<ReadonlyMap<string, number>> {
    const { cluster } = this.#context;
    return cluster.insist(`lag of group ${this.group}`, cluster.options.requestDeadlineMs, () =>
      this.#holdings.lag(this.#topics),
    );
  }

  /** What this consumer has of the group's partitions. */
  assignment(): readonly AssignedPartition[] {
    return this.#fetcher.feeds.map(({ name, partition, committed, end }) => ({
      topic: name,
      partition,
      position: committed,
      end,
    }));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#guard);
    this.#linger.reset();
    this.#waiter.wake();
    const fetching = this.#fetcher.close();
    this.#holdings.close();
    await Promise.race([this.#leave(), sleep(CLOSE_MS, undefined, { ref: false })]);
    this.#offsets.stop();
    await Promise.all([fetching, this.#wire.close()]);
    this.#onClose();
  }

  /** In this order: who leaves in the middle of a join keeps the others waiting, and who has left can't say how far it was. */
  async #leave(): Promise<void> {
    await this.#settling?.catch(() => {});
    await this.#offsets.flush();
    await this.#membership.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
