import type { Log } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import type { SchemaBook } from './book.ts';
import { tooNewError } from './errors.ts';
import type { SchemaRef } from './frames.ts';
import type { SchemaSource } from './source.ts';

/** A schema in the topic that this program cannot resolve. */
interface Unreadable {
  readonly record: string;
  readonly fingerprint: string;
  readonly cause: unknown;
}

/** Schemas on a compacted topic: one record for each, with the key `RawBatch/<fingerprint>`. */
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
    const { published, unreadable } = await this.#readTopic();
    for (const { record, fingerprint, cause } of unreadable)
      if (reads.includes(record)) throw tooNewError(record, `${this.#topic} has its version ${fingerprint}`, cause);
    const missing = this.#book
      .currentSchemas()
      .filter(({ name, fingerprint }) => writes.includes(name) && !published.has(fingerprint));
    if (missing.length === 0) return;
    await this.#bus.produce(
      missing.map(({ name, fingerprint, schema }) => ({
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
        'a schema is unreadable for this program: its records go to the dead letters',
      );
  }

  async #readTopic(): Promise<{
    readonly published: ReadonlySet<string>;
    readonly unreadable: readonly Unreadable[];
  }> {
    const current = new Map(this.#book.currentSchemas().map(({ fingerprint, schema }) => [fingerprint, schema]));
    const published = new Set<string>();
    const unreadable: Unreadable[] = [];
    for await (const { key, value } of this.#bus.read({ topic: this.#topic })) {
      if (value === null) continue;
      const [record = '', fingerprint = ''] = key.split('/');
      const schema = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
      if (current.get(fingerprint) === schema) published.add(fingerprint);
      if (this.#book.knows(fingerprint)) continue;
      try {
        // The key is not trusted: `learn` computes the fingerprint from the schema.
        this.#book.learn(schema);
      } catch (cause) {
        unreadable.push({ record, fingerprint, cause });
      }
    }
    return { published, unreadable };
  }
}
