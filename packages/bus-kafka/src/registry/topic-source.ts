import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import type { SchemaBook } from './book.ts';
import { SchemaIncompatibleError } from './errors.ts';
import type { SchemaRef } from './frames.ts';
import type { SchemaSource } from './source.ts';

/** A schema that lies in the topic and can't be read. */
interface Unreadable {
  readonly record: string;
  readonly fingerprint: string;
  readonly cause: unknown;
}

/** Schemas without a registry: a compacted topic, one record a schema, keyed `RawBatch/<fingerprint>`. */
export class TopicSource implements SchemaSource {
  readonly #bus: Bus;
  readonly #topic: string;
  readonly #book: SchemaBook;
  readonly #log: Log | undefined;

  constructor(bus: Bus, topic: string, book: SchemaBook, log?: Log) {
    this.#bus = bus;
    this.#topic = topic;
    this.#book = book;
    this.#log = log;
  }

  idOf(): undefined {
    return undefined;
  }

  fingerprintOf(ref: SchemaRef): string | undefined {
    return 'fingerprint' in ref && this.#book.knows(ref.fingerprint) ? ref.fingerprint : undefined;
  }

  async exchange({ reads, writes }: { reads: readonly string[]; writes: readonly string[] }): Promise<void> {
    const { said, unreadable } = await this.#readTopic();
    for (const { record, fingerprint, cause } of unreadable)
      if (reads.includes(record)) throw tooNew(record, `${this.#topic} has its version ${fingerprint}`, cause);
    const ours = this.#book.ours().filter(({ name, fingerprint }) => writes.includes(name) && !said.has(fingerprint));
    if (ours.length === 0) return;
    await this.#bus.produce(
      ours.map(({ name, fingerprint, schema }) => ({
        topic: this.#topic,
        key: `${name}/${fingerprint}`,
        value: Buffer.from(schema),
      })),
    );
  }

  async find(): Promise<void> {
    const { unreadable } = await this.#readTopic();
    for (const { record, fingerprint, cause } of unreadable)
      this.#log?.warn(
        { record, fingerprint, err: cause },
        'a schema cannot be read here; its records go to the dead letters',
      );
  }

  async #readTopic(): Promise<{ readonly said: ReadonlySet<string>; readonly unreadable: readonly Unreadable[] }> {
    const ours = new Map(this.#book.ours().map(({ fingerprint, schema }) => [fingerprint, schema]));
    const said = new Set<string>();
    const unreadable: Unreadable[] = [];
    for await (const { key, value } of this.#bus.read({ topic: this.#topic })) {
      if (value === null) continue;
      const [record = '', fingerprint = ''] = key.split('/');
      const schema = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
      if (ours.get(fingerprint) === schema) said.add(fingerprint);
      if (this.#book.knows(fingerprint)) continue;
      try {
        // The key is not believed: a schema is known under the fingerprint that it has.
        this.#book.learn(schema);
      } catch (cause) {
        unreadable.push({ record, fingerprint, cause });
      }
    }
    return { said, unreadable };
  }
}

/** Readers go before writers: then this never comes up. */
export function tooNew(record: string, what: string, cause: unknown): SchemaIncompatibleError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SchemaIncompatibleError(
    record,
    `${what}, which this program can't read (${reason}): start a newer version of it here; services that read a record are upgraded before those that write it`,
    { cause },
  );
}
