import type { Log } from '@ringfence/base';
import type { Bus, InRecord, OutRecord } from '@ringfence/bus';
import type { SchemaBook, SchemaClaim } from './book.ts';
import { tooNewError } from './errors.ts';
import type { SchemaRef } from './frames.ts';
import { type Refusal, type RefusalStats, SchemaRefusals } from './refusals.ts';
import type { SchemaSource } from './source.ts';

/** A trusted schema in the topic that this program cannot resolve. */
interface Unreadable {
  readonly record: string;
  readonly fingerprint: string;
  readonly cause: unknown;
}

interface Found {
  /** Keys whose last record is a trusted one of a known schema. */
  readonly published: ReadonlySet<string>;
  readonly unreadable: readonly Unreadable[];
}

/** More records are judged again at each look-up. The topic has some dozens. */
const MAX_SETTLED = 10_000;

/**
 * Schemas on a compacted topic: one record for each, with the key `RawBatch/<fingerprint>`. An unknown schema is learnt
 * only if a service that writes its records has signed it.
 */
export class TopicSource implements SchemaSource {
  readonly #bus: Bus;
  readonly #topic: string;
  readonly #book: SchemaBook;
  readonly #log: Log | undefined;
  readonly #refusals: SchemaRefusals;
  /** Offsets of records that need no second look. */
  readonly #settled = new Set<number>();
  /** Records up to this offset were counted if they were refused. */
  #countedTo = -1;
  #reads: readonly string[] = [];

  constructor(bus: Bus, topic: string, book: SchemaBook, log?: Log) {
    this.#bus = bus;
    this.#topic = topic;
    this.#book = book;
    this.#log = log;
    this.#refusals = new SchemaRefusals(log);
  }

  get stats(): RefusalStats {
    return this.#refusals.stats;
  }

  idOf(): undefined {
    return undefined;
  }

  fingerprintOf(ref: SchemaRef): string | undefined {
    return 'fingerprint' in ref && this.#book.knows(ref.fingerprint) ? ref.fingerprint : undefined;
  }

  async exchange({ reads, writes }: { reads: readonly string[]; writes: readonly string[] }): Promise<void> {
    this.#reads = reads;
    const { published, unreadable } = await this.#readTopic();
    for (const { record, fingerprint, cause } of unreadable)
      throw tooNewError(record, `${this.#topic} has its version ${fingerprint}`, cause);
    const missing = this.#book.currentSchemas().flatMap((schema): OutRecord[] => {
      const key = `${schema.name}/${schema.fingerprint}`;
      if (!writes.includes(schema.name) || published.has(key)) return [];
      const value = this.#book.publish(schema);
      return value === null ? [] : [{ topic: this.#topic, key, value }];
    });
    if (missing.length > 0) await this.#bus.produce(missing);
  }

  async find(): Promise<void> {
    const { unreadable } = await this.#readTopic();
    for (const { record, fingerprint, cause } of unreadable)
      this.#log?.warn(
        { record, fingerprint, err: cause },
        'a schema is unreadable for this program: its records go to the dead letters',
      );
  }

  async #readTopic(): Promise<Found> {
    const published = new Set<string>();
    const unreadable: Unreadable[] = [];
    for await (const record of this.#bus.read({ topic: this.#topic })) {
      if (this.#settled.has(record.offset)) continue;
      if (this.#judge(record, unreadable)) published.add(record.key);
      else published.delete(record.key);
      this.#countedTo = Math.max(this.#countedTo, record.offset);
    }
    return { published, unreadable };
  }

  /** Learns the schema of a record, or refuses it. Returns whether the record publishes a known schema. */
  #judge({ key, value, offset, timestamp }: InRecord, unreadable: Unreadable[]): boolean {
    if (value === null) return false;
    const { schema, isTrusted } = this.#book.read(value, timestamp);
    const claim = this.#identify(schema);
    if ('err' in claim) return this.#refuse('invalid', { key, offset, ...claim });
    const { name, fingerprint, standing } = claim;
    if (standing === 'conflict') return this.#refuse('conflict', { key, offset });
    if (name === null) return false;
    if (standing === 'known') {
      this.#settle(offset);
      return key === `${name}/${fingerprint}` && isTrusted(name);
    }
    if (!this.#reads.includes(name)) return false;
    if (!isTrusted(name)) return this.#refuse('unsigned', { key, offset });
    this.#settle(offset);
    try {
      this.#book.learn(schema);
    } catch (cause) {
      unreadable.push({ record: name, fingerprint, cause });
    }
    return false;
  }

  #identify(schema: string): SchemaClaim | { readonly err: unknown } {
    try {
      return this.#book.identify(schema);
    } catch (err) {
      return { err };
    }
  }

  #settle(offset: number): void {
    if (this.#settled.size < MAX_SETTLED) this.#settled.add(offset);
  }

  #refuse(reason: Refusal, found: { readonly key: string; readonly offset: number; readonly err?: unknown }): false {
    if (found.offset > this.#countedTo)
      this.#refusals.refuse(reason, { topic: this.#topic, ...found, key: found.key.slice(0, 100) });
    return false;
  }
}
