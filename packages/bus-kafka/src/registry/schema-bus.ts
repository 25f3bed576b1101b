import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@ringfence/base';
import { fateOf } from '@ringfence/base';
import type { Bus, Consumer, Effect, InRecord, OutRecord } from '@ringfence/bus';
import type { SchemaBook } from './book.ts';
import { RegistryClient, type RegistryOptions } from './client.ts';
import { type SchemaRef, schemaRefOf, toConfluent, toSingleObject } from './frames.ts';
import { RegistrySource } from './registry-source.ts';
import type { SchemaSource } from './source.ts';
import { TopicSource } from './topic-source.ts';
import { type SchemaStats, UnknownSchemas } from './unknown.ts';

export interface SchemaBusOptions {
  readonly book: SchemaBook;
  /** the compacted topic of schemas, used when there is no registry */
  readonly topic: string;
  /** @default none: schemas travel on `topic` */
  readonly registry?: RegistryOptions;
  /** names of the records that this process reads and writes: `RawBatch` */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** topics whose records have no schema: they pass as they are */
  readonly plain: readonly string[];
  /** How long a record may wait for a schema that nobody has said yet, ms. Then it is handed out as it is. @default 5000 */
  readonly waitMs?: number;
  /** Ends a start that waits for the registry. */
  readonly signal?: AbortSignal;
  readonly log?: Log;
}

/** A bus whose records can be decoded: see `withSchemas`. */
export interface SchemaBus extends Bus {
  schemaStats(): SchemaStats;
}

/**
 * The same bus for services that know single objects (C3 01) only. With a registry the records travel in Confluent's frame; without one their schemas are on
 * a topic. A record of a schema that is not known here is looked for before it is handed out; one that nobody knows is handed out as it is, so that the
 * service sends it to the dead letters. Rejects with SchemaIncompatibleError when readers and writers don't fit together; waits for a registry that is away.
 */
export async function withSchemas(bus: Bus, options: SchemaBusOptions): Promise<SchemaBus> {
  const { book, topic, registry, log, waitMs = 5000 } = options;
  const source =
    registry === undefined
      ? new TopicSource(bus, topic, book, log)
      : new RegistrySource(new RegistryClient(registry), book, log);
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
      await sleep(Math.min(30_000, 250 * 2 ** attempt) * (0.5 + Math.random() / 2), undefined, signal && { signal });
    }
  }
}

/** Between the wire and the services. */
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
    return { ...this.#unknown.stats };
  }

  /** What the registry has no id for goes as it is: readers take both. */
  out(records: readonly OutRecord[]): readonly OutRecord[] {
    return records.map((record) => {
      const ref = this.#refOf(record);
      const id = ref !== undefined && 'fingerprint' in ref ? this.#source.idOf(ref.fingerprint) : undefined;
      return id === undefined ? record : { ...record, value: toConfluent(record.value as Uint8Array, id) };
    });
  }

  /** The records of which nothing is known about their schemas. */
  unknownIn(records: readonly InRecord[]): readonly SchemaRef[] {
    return records.flatMap((record) => {
      const ref = this.#refOf(record);
      return ref !== undefined && this.#source.fingerprintOf(ref) === undefined ? [ref] : [];
    });
  }

  learn(refs: readonly SchemaRef[], signal: AbortSignal): Promise<void> {
    return this.#unknown.resolve(refs, signal);
  }

  in(record: InRecord): InRecord {
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
    produce: (records, deadlineMs) => bus.produce(translation.out(records), deadlineMs),
    consumer: async (options) => wrapConsumer(await bus.consumer(options), translation),
    lag: (group) => bus.lag(group),
    async *read(options) {
      for await (const record of bus.read(options)) {
        const unknown = translation.unknownIn([record]);
        if (unknown.length > 0) await translation.learn(unknown, options.signal ?? NEVER);
        yield translation.in(record);
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
      const unknown = translation.unknownIn(records);
      if (unknown.length > 0) {
        const until = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);
        await translation.learn(unknown, until);
        // Not handed out half known: uncommitted, they come again.
        if (until.aborted) return [];
      }
      return records.map((record) => translation.in(record));
    },
    commit: (records, effect) => consumer.commit(records, outgoing(effect, translation)),
    restore: (store, partition) => consumer.restore(store, partition),
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

const outgoing = (effect: Effect, translation: Translation): Effect => ({
  ...effect,
  outputs: translation.out(effect.outputs),
});
