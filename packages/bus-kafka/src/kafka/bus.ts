import type { Bus, Consumer, ConsumerOptions, InRecord, OutRecord, ReadOptions, TopicSpec } from '@ringfence/bus';
import { BusClosedError, checkRecord, partitionOf, TopicSpecError } from '@ringfence/bus';
import { Cluster, toBusError } from './cluster.ts';
import { type AssignedPartition, KafkaConsumer } from './consumer.ts';
import type { Context, Placed } from './context.ts';
import { type CompiledKafkaOptions, compileKafkaOptions, type KafkaBusOptions } from './options.ts';
import { nameOf } from './partition-scan.ts';
import { Producer } from './producer.ts';
import { readTopic } from './read.ts';
import { type KafkaBusStats, Stats } from './stats.ts';
import { stateTopic } from './topic-settings.ts';
import { ensureTopics } from './topics.ts';
import { type Wire, WireError } from './wire.ts';

/** The bus on Kafka brokers. */
export class KafkaBus implements Bus {
  readonly #context: Context;
  readonly #cluster: Cluster;
  readonly #wires: readonly Wire[];
  readonly #stats = new Stats();
  /** whether a topic is compacted, of those we have been told */
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

  /** Asks a broker who we are to it, within the deadline of a request. Rejects with BusRefusedError and BusUnavailableError. */
  async connect(): Promise<void> {
    const { requestDeadlineMs, brokers } = this.#cluster.options;
    const names = brokers.map(({ host, port }) => `${host}:${port}`).join(', ');
    await this.#cluster.insist(`connecting to ${names}`, requestDeadlineMs, () => this.#cluster.refresh());
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
    const spread = await this.#spreadOf(options);
    if (options.stores !== undefined && options.stores.length > 0)
      await ensureTopics(this.#cluster, this.#context.wire, [stateTopic(options.group, spread)]);
    const consumer: KafkaConsumer = new KafkaConsumer(options, this.#context, () => this.#consumers.delete(consumer));
    this.#consumers.add(consumer);
    return consumer;
  }

  /** How many numbers the group's partitions have: those of its topics that are spread must agree. */
  async #spreadOf({ topics }: ConsumerOptions): Promise<number> {
    let spread = 1;
    for (const topic of topics) {
      const count = await this.#partitions(topic);
      if (count > 1 && spread > 1 && count !== spread)
        throw new TopicSpecError(
          topic,
          `it has ${count} partitions, other topics of the group ${spread}: they must agree`,
        );
      spread = Math.max(spread, count);
    }
    return spread;
  }

  #partitions(topic: string): Promise<number> {
    const { requestDeadlineMs } = this.#cluster.options;
    return this.#cluster.insist(`looking up topic ${topic}`, requestDeadlineMs, () =>
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

  /** What consumers of a group here hold, and how far they are. */
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

  /** Brokers have no bound that we know; one that is full refuses, and `produce` says so. */
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

  async #place(records: readonly OutRecord[]): Promise<readonly Placed[]> {
    const placed: Placed[] = [];
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

  /** All that belongs to one partition goes in its order. */
  async #write(placed: readonly Placed[], deadlineMs?: number): Promise<void> {
    const sent = [...Map.groupBy(placed, nameOf).values()].map((own) =>
      this.#context.producer.send(
        own[0]!,
        own.map(({ record }) => record),
        deadlineMs,
      ),
    );
    const failed = (await Promise.allSettled(sent)).find((result) => result.status === 'rejected');
    if (failed === undefined) return;
    throw failed.reason instanceof WireError ? toBusError('writing', failed.reason) : failed.reason;
  }
}

/** A client is loaded when it is used: each costs a process tens of MB. */
async function wiresOf(options: CompiledKafkaOptions): Promise<() => Wire> {
  if (options.client === 'kafkajs') {
    const { KafkaJsWire } = await import('./kafkajs.ts');
    return () => new KafkaJsWire(options);
  }
  const { PlatformaticWire } = await import('./platformatic.ts');
  return () => new PlatformaticWire(options);
}

/**
 * Connects to the brokers. Rejects within the deadline of a request: with BusRefusedError when they don't let us in, with BusUnavailableError when none
 * answers.
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
