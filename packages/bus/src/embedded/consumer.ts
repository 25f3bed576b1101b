import { setImmediate as nextTurn } from 'node:timers/promises';
import { Waiter } from '@ringfence/base';
import { BusClosedError, BusUsageError } from '../errors.ts';
import type { Assignment, Consumer, ConsumerOptions, Effect, InRecord, StateEntry } from '../port.ts';
import type { PartitionLog } from './partition-log.ts';
import type { Writer } from './writer.ts';

/** As much as one batch of a host: while a service handles a poll, no other one in this process gets a turn. */
const POLL_BYTES = 512 * 1024;

/** The read position of a group in one partition. */
interface PartitionPosition {
  readonly log: PartitionLog;
  /** Offset to hand out next. */
  position: number;
}

/** The only consumer of a group. It owns all partitions of its topics. */
export class EmbeddedConsumer implements Consumer {
  readonly group: string;
  readonly #writer: Writer;
  readonly #positions: readonly PartitionPosition[];
  readonly #stores: ReadonlySet<string>;
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #onClose: () => void;
  readonly #waiter = new Waiter();
  readonly #listeners: ReadonlyMap<PartitionLog, () => void>;
  #lingerTimer: NodeJS.Timeout | undefined;
  /** When the linger timer fires, of performance.now(). */
  #readyAt = Infinity;
  /** Whether there may be records that need not linger any longer. */
  #ready: boolean;
  #firstPosition = 0;
  #polling = false;
  #listener: ((change: Assignment) => Promise<void>) | undefined;
  #closed = false;

  constructor(writer: Writer, options: ConsumerOptions, onClose: () => void) {
    this.group = options.group;
    this.#writer = writer;
    this.#stores = new Set(options.stores);
    this.#maxRecords = options.maxRecords ?? 64;
    this.#maxBytes = options.maxBytes ?? POLL_BYTES;
    this.#onClose = onClose;
    if (!(this.#maxRecords >= 1 && this.#maxBytes >= 1)) {
      throw new BusUsageError(`group ${this.group}: maxRecords and maxBytes of a poll must be at least 1`);
    }
    const logs = options.topics.flatMap((topic) => writer.store.catalog.partitions(topic));
    writer.join(options, logs);
    this.#positions = logs.map((log) => ({ log, position: this.#committed(log) }));
    this.#ready = this.#isBehind();
    this.#listeners = new Map(logs.map((log) => [log, this.#listenerOf(options.lingerMs?.[log.topic])]));
    for (const [log, listener] of this.#listeners) log.listeners.add(listener);
  }

  #isBehind(): boolean {
    return this.#positions.some(({ log, position }) => position < log.next);
  }

  #listenerOf(lingerMs: number | undefined): () => void {
    return lingerMs === undefined ? () => this.#markReady() : () => this.#linger(lingerMs);
  }

  #markReady(): void {
    this.#ready = true;
    this.#waiter.wake();
  }

  #linger(ms: number): void {
    const readyAt = performance.now() + ms;
    if (readyAt >= this.#readyAt) return;
    clearTimeout(this.#lingerTimer);
    this.#readyAt = readyAt;
    this.#lingerTimer = setTimeout(() => this.#markReady(), ms);
  }

  onAssignment(listener: (change: Assignment) => Promise<void>): void {
    this.#listener = listener;
  }

  /** Assigns all partitions, at the first poll: an embedded bus has a single process. */
  async #notifyAssignment(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    const assigned = [...new Set(this.#positions.map(({ log }) => log.partition))];
    await listener?.({ assigned, revoked: [] });
  }

  async poll(signal?: AbortSignal): Promise<readonly InRecord[]> {
    if (this.#polling)
      throw new BusUsageError(`group ${this.group}: poll was called while another poll waits; await the first`);
    this.#polling = true;
    try {
      if (this.#listener !== undefined) await this.#notifyAssignment();
      // Give timers, sockets and the other services a turn between two batches.
      await nextTurn();
      while (!this.#closed && !signal?.aborted) {
        const records = this.#ready ? this.#fetch() : [];
        if (records.length > 0) return records;
        await this.#waiter.wait(signal);
      }
      return [];
    } catch (error) {
      throw this.#writer.store.translate(error);
    } finally {
      this.#polling = false;
    }
  }

  /** Starts with another partition each time, so that a busy one cannot starve the others. */
  #fetch(): InRecord[] {
    const records: InRecord[] = [];
    let bytes = this.#maxBytes;
    const count = this.#positions.length;
    for (let i = 0; i < count && records.length < this.#maxRecords && bytes > 0; i++) {
      const next = this.#positions[(this.#firstPosition + i) % count]!;
      if (next.position >= next.log.next) continue;
      const fetched = next.log.fetch(next.position, this.#maxRecords - records.length, bytes);
      if (fetched.length === 0) continue;
      const size = fetched.reduce((sum, record) => sum + (record.value?.length ?? 0), 0);
      if (records.length > 0 && size > bytes) break;
      records.push(...fetched);
      bytes -= size;
      next.position = fetched.at(-1)!.offset + 1;
    }
    this.#firstPosition = (this.#firstPosition + 1) % Math.max(1, count);
    this.#ready = this.#isBehind();
    if (!this.#ready) this.#stopLingering();
    return records;
  }

  #stopLingering(): void {
    clearTimeout(this.#lingerTimer);
    this.#readyAt = Infinity;
  }

  async commit(records: readonly InRecord[], effect: Effect): Promise<void> {
    if (this.#closed) throw new BusClosedError(`the consumer of group ${this.group}`);
    for (const { store } of effect.state) {
      if (!this.#stores.has(store))
        throw new BusUsageError(`group ${this.group}: state store "${store}" is not among its stores`);
    }
    const offsets = new Map<PartitionLog, number>();
    let consumedBytes = 0;
    for (const record of records) {
      const log = this.#logOf(record);
      consumedBytes += record.value?.length ?? 0;
      // Never lower an offset, even when an older batch is committed late.
      offsets.set(log, Math.max(record.offset + 1, offsets.get(log) ?? this.#committed(log)));
    }
    if (effect.outputs.length === 0 && effect.state.length === 0) this.#writer.commitLater(this.group, offsets);
    else this.#writer.commit(this.group, offsets, effect, consumedBytes);
  }

  #logOf(record: InRecord): PartitionLog {
    for (const { log } of this.#positions) {
      if (log.partition === record.partition && log.topic === record.topic) return log;
    }
    throw new BusUsageError(
      `group ${this.group} does not read ${record.topic}/${record.partition}: commit only polled records`,
    );
  }

  #committed(log: PartitionLog): number {
    return this.#writer.store.groups.get(this.group, log.id) ?? 0;
  }

  async *restore(store: string, partition: number): AsyncIterable<StateEntry> {
    if (!this.#stores.has(store))
      throw new BusUsageError(`group ${this.group}: state store "${store}" is not among its stores`);
    yield* this.#writer.store.state.entries(store, partition);
  }

  position(topic: string, partition: number): number {
    const found = this.#positions.find(({ log }) => log.topic === topic && log.partition === partition);
    if (found === undefined) throw new BusUsageError(`group ${this.group} does not read ${topic}/${partition}`);
    return this.#committed(found.log);
  }

  async lag(): Promise<ReadonlyMap<string, number>> {
    const lag = new Map<string, number>();
    for (const { log } of this.#positions) {
      const behind = log.next - Math.max(log.first, this.#committed(log));
      lag.set(log.topic, (lag.get(log.topic) ?? 0) + Math.max(0, behind));
    }
    return lag;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const [log, listener] of this.#listeners) log.listeners.delete(listener);
    this.#stopLingering();
    this.#waiter.wake();
    this.#onClose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
