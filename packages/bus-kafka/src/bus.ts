import {
  type Bus,
  BusClosedError,
  type Consumer,
  type ConsumerOptions,
  checkRecord,
  type InRecord,
  type OutRecord,
  partitionOf,
  type ReadOptions,
  type TopicSpec,
  TopicSpecError,
} from '@ringfence/bus';
import { partitionName } from './client/records.ts';
import { type Wire, WireError } from './client/wire.ts';
import { Cluster, toBusError } from './cluster/cluster.ts';
import { stateTopic } from './cluster/topic-settings.ts';
import { ensureTopics } from './cluster/topics.ts';
import { type AssignedPartition, KafkaConsumer } from './consumer/consumer.ts';
import type { Context, PlacedRecord } from './context.ts';
import { type CompiledKafkaOptions, compileKafkaOptions, type KafkaBusOptions } from './options.ts';
import { Producer } from './producer.ts';
import { readTopic } from './read.ts';
import { type KafkaBusStats, Stats } from './stats.ts';

/** The bus on Kafka brokers. */
export class KafkaBus implements Bus {
  readonly #context: Context;
  readonly #cluster: Cluster;
  readonly #wires: readonly Wire[];
  readonly #stats = new Stats();
  /** Whether a topic is compacted, for the topics passed to `ensureTopics`. */
  readonly #compacted: Map<string, boolean> = new Map();
  readonly #consumers: Set<KafkaConsumer> = new Set();
  readonly #readers: Set<Wire> = new Set();
  #closed = false;

  constructor(options: CompiledKafkaOptions, openWire: () => Wire) {
    const [wire, produceWire] = [openWire(), openWire()];
    this.#wires = [wire, produceWire];
    this.#cluster = new Cluster(options, wire);
    this.#context = {
      cluster: this.#cluster,
      producer: new Producer(this.#cluster, produceWire, this.#stats),
      stats: this.#stats,
      wire,
      openWire,
      place: (records) => this.#place(records),
      write: (placed) => this.#write(placed),
    };
  }

  /**
   * Connects and logs in to a broker, within the deadline of a request. Rejects with BusRefusedError and
   * BusUnavailableError.
   */
  async connect(): Promise<void> {
    const { requestDeadlineMs, brokers } = this.#cluster.options;
    const names = brokers.map(({ host, port }) => `${host}:${port}`).join(', ');
    await this.#cluster.retry(`connecting to ${names}`, requestDeadlineMs, () => this.#cluster.refresh());
  }

  async ensureTopics(topics: readonly TopicSpec[]): Promise<void> {
    this.#checkOpen();
    await ensureTopics(this.#cluster, this.#context.wire, topics);
    for (const { name, compacted } of topics) this.#compacted.set(name, compacted);
  }

  async produce(records: readonly OutRecord[], deadlineMs?: number): Promise<void> {
    this.#checkOpen();
    await this.#write(await this.#place(records), deadlineMs);
  }

  async consumer(options: ConsumerOptions): Promise<Consumer> {
    this.#checkOpen();
    const partitions = await this.#partitionCountOf(options);
    if (options.stores !== undefined && options.stores.length > 0)
      await ensureTopics(this.#cluster, this.#context.wire, [stateTopic(options.group, partitions)]);
    const consumer: KafkaConsumer = new KafkaConsumer(options, this.#context, () => this.#consumers.delete(consumer));
    this.#consumers.add(consumer);
    return consumer;
  }

  /** Returns the number of partitions of the group's topics. Topics with a single partition are exempt. */
  async #partitionCountOf({ topics }: ConsumerOptions): Promise<number> {
    let partitions = 1;
    for (const topic of topics) {
      const count = await this.#partitions(topic);
      if (count > 1 && partitions > 1 && count !== partitions)
        throw new TopicSpecError(
          topic,
          `it has ${count} partitions, other topics of the group have ${partitions}: the numbers must be equal`,
        );
      partitions = Math.max(partitions, count);
    }
    return partitions;
  }

  #partitions(topic: string): Promise<number> {
    const { requestDeadlineMs } = this.#cluster.options;
    return this.#cluster.retry(`looking up topic ${topic}`, requestDeadlineMs, () =>
      this.#cluster.partitions(this.#cluster.physical(topic)),
    );
  }

  async lag(group: string): Promise<ReadonlyMap<string, number>> {
    const lag = new Map<string, number>();
    for (const consumer of this.#consumers) {
      if (consumer.group !== group) continue;
      for (const [topic, records] of await consumer.lag()) lag.set(topic, (lag.get(topic) ?? 0) + records);
    }
    return lag;
  }

  /** Returns the partitions of a group that are assigned to consumers of this process, with their positions. */
  assignment(group: string): readonly AssignedPartition[] {
    return [...this.#consumers].flatMap((consumer) => (consumer.group === group ? consumer.assignment() : []));
  }

  async *read(options: ReadOptions): AsyncGenerator<InRecord, void, undefined> {
    this.#checkOpen();
    const wire = this.#context.openWire();
    const close = (): void => void wire.close();
    this.#readers.add(wire);
    options.signal?.addEventListener('abort', close, { once: true });
    try {
      yield* readTopic(this.#context, wire, options, () => this.#closed || options.signal?.aborted === true);
    } finally {
      options.signal?.removeEventListener('abort', close);
      this.#readers.delete(wire);
      await wire.close();
    }
  }

  /** Never full: the disks of the brokers are unknown. A full broker makes `produce` reject. */
  pressure(): { readonly usedBytes: number; readonly maxBytes: number; readonly full: boolean } {
    this.#checkOpen();
    return { usedBytes: 0, maxBytes: Infinity, full: false };
  }

  stats(): KafkaBusStats {
    return this.#stats.snapshot();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
    await Promise.all([...this.#readers].map((wire) => wire.close()));
    await this.#context.producer.close();
    await Promise.all(this.#wires.map((wire) => wire.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new BusClosedError('the bus');
  }

  async #place(records: readonly OutRecord[]): Promise<readonly PlacedRecord[]> {
    const placed: PlacedRecord[] = [];
    const counts = new Map<string, number>();
    for (const { topic, key, value } of records) {
      const count = counts.get(topic) ?? (await this.#partitions(topic));
      counts.set(topic, count);
      checkRecord(topic, key, value, this.#compacted.get(topic));
      const bytes = value === null ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      placed.push({
        topic: this.#cluster.physical(topic),
        partition: partitionOf(key, count),
        record: { key: Buffer.from(key), value: bytes, header: null },
      });
    }
    return placed;
  }

  /** Writes all partitions in parallel, each in order. */
  async #write(placed: readonly PlacedRecord[], deadlineMs?: number): Promise<void> {
    const sent = [...Map.groupBy(placed, partitionName).values()].map((records) =>
      this.#context.producer.send(
        records[0]!,
        records.map(({ record }) => record),
        deadlineMs,
      ),
    );
    const failed = (await Promise.allSettled(sent)).find((result) => result.status === 'rejected');
    if (failed === undefined) return;
    throw failed.reason instanceof WireError ? toBusError('writing', failed.reason) : failed.reason;
  }
}

/** Loads a client only when it is used, because each costs tens of MB. */
async function wiresOf(options: CompiledKafkaOptions): Promise<() => Wire> {
  if (options.client === 'kafkajs') {
    const { KafkaJsWire } = await import('./client/kafkajs.ts');
    return () => new KafkaJsWire(options);
  }
  const { PlatformaticWire } = await import('./client/platformatic.ts');
  return () => new PlatformaticWire(options);
}

/**
 * Connects to the brokers. Rejects within the deadline of a request: with BusRefusedError when they refuse the login,
 * with BusUnavailableError when none answers.
 */
export async function openKafkaBus(options: KafkaBusOptions): Promise<KafkaBus> {
  const compiled = compileKafkaOptions(options);
  const bus = new KafkaBus(compiled, await wiresOf(compiled));
  try {
    await bus.connect();
    return bus;
  } catch (error) {
    await bus.close();
    throw error;
  }
}
