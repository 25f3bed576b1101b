import { Waiter } from '@ringfence/base';
import { BusClosedError, BusStorageError, BusUsageError } from '../errors.ts';
import {
  type Bus,
  type Consumer,
  type ConsumerOptions,
  type InRecord,
  type OutRecord,
  type ReadOptions,
  type TopicSpec,
  topicsOf,
} from '../port.ts';
import { Checkpointer } from './checkpointer.ts';
import { EmbeddedConsumer } from './consumer.ts';
import { isDamage } from './database.ts';
import type { Drop } from './drops.ts';
import { Maintenance } from './maintenance.ts';
import { compileOptions, type EmbeddedBusOptions } from './options.ts';
import { type ReadSource, readTopic } from './read.ts';
import { Retention } from './retention.ts';
import { Space } from './space.ts';
import { Store } from './store.ts';
import { Writer } from './writer.ts';

/** The embedded bus: one SQLite file, one writing process, one consumer for each group. */
export class EmbeddedBus implements Bus {
  /** Path to which a damaged file was moved at open, or null. */
  readonly movedAside: string | null;
  readonly #store: Store;
  readonly #space: Space;
  readonly #maintenance: Maintenance;
  readonly #writer: Writer;
  readonly #checkpointer: Checkpointer;
  readonly #consumers: Map<string, EmbeddedConsumer> = new Map();
  readonly #readers: Set<Waiter> = new Set();
  #closed = false;

  constructor(options: EmbeddedBusOptions) {
    this.#store = new Store(compileOptions(options));
    this.movedAside = this.#store.movedAside;
    const retention = new Retention(this.#store);
    this.#space = new Space(this.#store, retention);
    this.#maintenance = new Maintenance(this.#store, retention);
    this.#checkpointer = new Checkpointer(this.#store);
    this.#store.onCommit = (bytes) => this.#checkpointer.wrote(bytes);
    this.#writer = new Writer(this.#store, this.#space);
  }

  async ensureTopics(topics: readonly TopicSpec[]): Promise<void> {
    this.#checkOpen();
    try {
      this.#store.transaction(() => {
        for (const topic of topics) this.#store.catalog.ensure(topic);
      });
    } catch (error) {
      this.#store.catalog.forget(topics);
      throw error;
    }
  }

  async produce(records: readonly OutRecord[]): Promise<void> {
    this.#checkOpen();
    this.#writer.produce(records);
  }

  async consumer(options: ConsumerOptions): Promise<Consumer> {
    this.#checkOpen();
    const { group } = options;
    if (this.#consumers.has(group))
      throw new BusUsageError(`group ${group} has a consumer, and the embedded bus allows only one: close it first`);
    const consumer = new EmbeddedConsumer(this.#writer, options, () => this.#consumers.delete(group));
    this.#consumers.set(group, consumer);
    return consumer;
  }

  async lag(group: string): Promise<ReadonlyMap<string, number>> {
    return (await this.#consumers.get(group)?.lag()) ?? new Map();
  }

  read(options: ReadOptions): AsyncIterable<InRecord> {
    this.#checkOpen();
    const logs = topicsOf(options).flatMap((topic) => this.#store.catalog.partitions(topic));
    const waiter = new Waiter();
    const source: ReadSource = { partitions: logs, wait: (signal) => waiter.wait(signal), closed: () => this.#closed };
    const subscribe = (): void => {
      this.#readers.add(waiter);
      for (const log of logs) log.listeners.add(waiter.wake);
    };
    const unsubscribe = (): void => {
      this.#readers.delete(waiter);
      for (const log of logs) log.listeners.delete(waiter.wake);
    };
    return whileSubscribed(subscribe, readTopic(source, options), unsubscribe, (error) => this.#store.translate(error));
  }

  pressure(): { readonly usedBytes: number; readonly maxBytes: number; readonly full: boolean } {
    this.#checkOpen();
    return this.#space.pressure();
  }

  /** Counts the records that were deleted before their time since the file was created, by topic and cause. */
  drops(): readonly Drop[] {
    this.#checkOpen();
    return this.#store.drops.all();
  }

  /** Runs retention and compaction to completion. */
  async maintain(): Promise<void> {
    this.#checkOpen();
    await this.#maintenance.run();
  }

  /** Deletes the offsets of a group, so that retention no longer waits for it. */
  async forgetGroup(group: string): Promise<void> {
    this.#checkOpen();
    if (this.#consumers.has(group)) throw new BusUsageError(`group ${group} has a consumer: close it first`);
    this.#writer.flush();
    this.#store.transaction(() => this.#store.groups.forget(group));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const consumer of [...this.#consumers.values()]) await consumer.close();
    for (const reader of this.#readers) reader.wake();
    await this.#maintenance.stop();
    await this.#checkpointer.stop();
    this.#writer.stop();
    this.#store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new BusClosedError('the bus');
  }
}

async function* whileSubscribed(
  subscribe: () => void,
  records: AsyncIterable<InRecord>,
  unsubscribe: () => void,
  translate: (error: unknown) => unknown,
): AsyncGenerator<InRecord, void, undefined> {
  subscribe();
  try {
    yield* records;
  } catch (error) {
    throw translate(error);
  } finally {
    unsubscribe();
  }
}

/**
 * Opens the file for writing, and creates it if needed. Moves a damaged file aside. Rejects with BusLockedError when
 * another process writes to it, and with BusStorageError when it cannot be opened.
 */
export async function openEmbeddedBus(options: EmbeddedBusOptions): Promise<EmbeddedBus> {
  try {
    return new EmbeddedBus(options);
  } catch (error) {
    if (!(error instanceof BusStorageError) || !isDamage(error.cause)) throw error;
    // The damage was found after the check, and the file is marked now: the second attempt moves it aside.
    return new EmbeddedBus(options);
  }
}
