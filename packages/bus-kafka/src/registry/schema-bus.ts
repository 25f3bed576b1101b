import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs, defined, fateOf, type Log } from '@ringfence/base';
import type { Bus, Consumer, Effect, InRecord, OutRecord } from '@ringfence/bus';
import type { SchemaBook } from './book.ts';
import { RegistryClient, type RegistryOptions } from './client.ts';
import { type SchemaRef, schemaRefOf, toConfluent, toSingleObject } from './frames.ts';
import { RegistrySource } from './registry-source.ts';
import type { SchemaSource } from './source.ts';
import { TopicSource } from './topic-source.ts';
import { type SchemaStats, UnknownSchemas } from './unknown.ts';

const START_RETRY: Backoff = { firstMs: 250, maxMs: 30_000 };

export interface SchemaBusOptions {
  readonly book: SchemaBook;
  /** The compacted topic of the schemas. */
  readonly topic: string;
  /** False: this process may neither read nor write `topic`, and reads no records. @default true */
  readonly usesTopic?: boolean;
  /** @default none: records keep their frames */
  readonly registry?: RegistryOptions;
  /** Names of the records that this process reads, such as `RawBatch`. */
  readonly reads: readonly string[];
  /** Names of the records that this process writes. */
  readonly writes: readonly string[];
  /** Topics whose records have no schema, and are passed through. */
  readonly plain: readonly string[];
  /** How long a record waits for its schema to be published, ms. Then it is handed out unchanged. @default 5000 */
  readonly waitMs?: number;
  /** Ends the wait for the registry at the start. */
  readonly signal?: AbortSignal;
  readonly log?: Log;
}

/** A bus that exchanges the schemas of its records: see `withSchemas`. */
export interface SchemaBus extends Bus {
  schemaStats(): SchemaStats;
}

/**
 * Wraps a bus for services that use single objects (C3 01) only. With a registry, records have Confluent's frame on
 * the wire. Signed schemas are published on a topic, and only those are learnt; a registry just gives them numbers. An
 * unknown schema is looked up before its record is handed out. If it is not found, the record is handed out unchanged,
 * and the service sends it to the dead letters. Waits for a registry that is away. Rejects with
 * SchemaIncompatibleError when readers and writers are incompatible.
 */
export async function withSchemas(bus: Bus, options: SchemaBusOptions): Promise<SchemaBus> {
  const { book, topic, usesTopic = true, registry, log, waitMs = 5000 } = options;
  const signed = new TopicSource(bus, topic, book, log);
  const source =
    registry === undefined
      ? signed
      : new RegistrySource(new RegistryClient(registry), {
          book,
          signed: usesTopic ? signed : null,
          ...defined({ log }),
        });
  await exchangeAtStart(source, options);
  return wrap(
    bus,
    new Translation(source, new UnknownSchemas(source, waitMs, log), new Set([topic, ...options.plain])),
  );
}

async function exchangeAtStart(source: SchemaSource, { reads, writes, signal, log }: SchemaBusOptions): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await source.exchange({ reads, writes });
    } catch (err) {
      if (fateOf(err) !== 'retriable') throw err;
      log?.warn({ err, attempt }, 'waiting for the schema registry');
      await sleep(backoffMs(attempt, START_RETRY), undefined, signal && { signal });
    }
  }
}

/** Converts records between their frames on the wire and in the services. */
class Translation {
  readonly #source: SchemaSource;
  readonly #unknown: UnknownSchemas;
  readonly #plain: ReadonlySet<string>;

  constructor(source: SchemaSource, unknown: UnknownSchemas, plain: ReadonlySet<string>) {
    this.#source = source;
    this.#unknown = unknown;
    this.#plain = plain;
  }

  get stats(): SchemaStats {
    return this.#unknown.stats;
  }

  /** Keeps the single-object frame of a schema without an id, because readers accept both frames. */
  toWire(records: readonly OutRecord[]): readonly OutRecord[] {
    return records.map((record) => {
      const ref = this.#refOf(record);
      const id = ref !== undefined && 'fingerprint' in ref ? this.#source.idOf(ref.fingerprint) : undefined;
      return id === undefined ? record : { ...record, value: toConfluent(record.value as Uint8Array, id) };
    });
  }

  /** Returns the unknown schemas of the records. */
  unknownSchemas(records: readonly InRecord[]): readonly SchemaRef[] {
    return records.flatMap((record) => {
      const ref = this.#refOf(record);
      return ref !== undefined && this.#source.fingerprintOf(ref) === undefined ? [ref] : [];
    });
  }

  learn(refs: readonly SchemaRef[], signal: AbortSignal): Promise<void> {
    return this.#unknown.resolve(refs, signal);
  }

  fromWire(record: InRecord): InRecord {
    const ref = this.#refOf(record);
    if (ref === undefined || !('id' in ref) || record.value === null) return record;
    const fingerprint = this.#source.fingerprintOf(ref);
    if (fingerprint === undefined) return record;
    return { ...record, value: toSingleObject(record.value, fingerprint), wire: record.value };
  }

  #refOf({ topic, value }: { readonly topic: string; readonly value: Uint8Array | null }): SchemaRef | undefined {
    return value === null || this.#plain.has(topic) ? undefined : schemaRefOf(value);
  }
}

function wrap(bus: Bus, translation: Translation): SchemaBus {
  return {
    ensureTopics: (topics) => bus.ensureTopics(topics),
    produce: (records, deadlineMs) => bus.produce(translation.toWire(records), deadlineMs),
    consumer: async (options) => wrapConsumer(await bus.consumer(options), translation),
    lag: (group) => bus.lag(group),
    async *read(options) {
      for await (const record of bus.read(options)) {
        const unknown = translation.unknownSchemas([record]);
        if (unknown.length > 0) await translation.learn(unknown, options.signal ?? NEVER);
        yield translation.fromWire(record);
      }
    },
    pressure: () => bus.pressure(),
    schemaStats: () => translation.stats,
    close: () => bus.close(),
    [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose](),
  };
}

const NEVER = new AbortController().signal;

function wrapConsumer(consumer: Consumer, translation: Translation): Consumer {
  const closing = new AbortController();
  return {
    onAssignment: (listener) => consumer.onAssignment(listener),
    async poll(signal) {
      const records = await consumer.poll(signal);
      const unknown = translation.unknownSchemas(records);
      if (unknown.length > 0) {
        const until = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);
        await translation.learn(unknown, until);
        // Hand out nothing after an aborted lookup. The uncommitted records are redelivered.
        if (until.aborted) return [];
      }
      return records.map((record) => translation.fromWire(record));
    },
    commit: (records, effect) => consumer.commit(records, effectToWire(effect, translation)),
    restore: (store, partition) => consumer.restore(store, partition),
    position: (topic, partition) => consumer.position(topic, partition),
    lag: () => consumer.lag(),
    close() {
      closing.abort();
      return consumer.close();
    },
    [Symbol.asyncDispose]() {
      closing.abort();
      return consumer[Symbol.asyncDispose]();
    },
  };
}

const effectToWire = (effect: Effect, translation: Translation): Effect => ({
  ...effect,
  outputs: translation.toWire(effect.outputs),
});
