import type { Log } from '@ringfence/base';
import type { CurrentSchema, SchemaBook, SchemaClaim } from './book.ts';
import { isConflict, type RegistryClient } from './client.ts';
import { RegistryAnswerError, RegistryRefusedError, SchemaIncompatibleError } from './errors.ts';
import type { SchemaRef } from './frames.ts';
import { type Refusal, type RefusalStats, SchemaRefusals } from './refusals.ts';
import type { SchemaSource } from './source.ts';
import type { TopicSource } from './topic-source.ts';

/** Limit for the learnt ids. The oldest is evicted, and looked up again when needed. */
const MAX_IDS = 1000;
/** Versions read of a subject, the newest ones. */
const MAX_VERSIONS = 50;
/** Ids looked up in one call. A legitimate writer never uses that many new ids at once. */
const MAX_FINDS = 32;
const MAX_ID = 2 ** 31 - 1;

/**
 * Schemas in a registry with Confluent's API. The subject is `ringfence.` and the name of the record, for all topics
 * (record name strategy). The registry only says which id a schema has: nothing is learnt from it, because whoever may
 * register schemas could change what signed records say. Unknown schemas are learnt from the topic, where they are
 * signed.
 */
export class RegistrySource implements SchemaSource {
  readonly #client: RegistryClient;
  readonly #book: SchemaBook;
  readonly #signed: TopicSource | null;
  readonly #log: Log | undefined;
  readonly #refusals: SchemaRefusals;
  /** Ids of the schemas that this process writes, by fingerprint. */
  readonly #ids = new Map<string, number>();
  readonly #fingerprints = new Map<number, string>();
  /** Ids whose refusal is counted already. */
  readonly #refused = new Set<number>();
  #reads: readonly string[] = [];

  /** `signed`: the topic of schemas; null in a process that may not read it. */
  constructor(
    client: RegistryClient,
    { book, signed, log }: { readonly book: SchemaBook; readonly signed: TopicSource | null; readonly log?: Log },
  ) {
    this.#client = client;
    this.#book = book;
    this.#signed = signed;
    this.#log = log;
    this.#refusals = new SchemaRefusals(log);
  }

  get stats(): RefusalStats {
    const { schemasRefused, schemasConflicting } = this.#refusals.stats;
    return {
      schemasRefused: schemasRefused + (this.#signed?.stats.schemasRefused ?? 0),
      schemasConflicting: schemasConflicting + (this.#signed?.stats.schemasConflicting ?? 0),
    };
  }

  idOf(fingerprint: string): number | undefined {
    return this.#ids.get(fingerprint);
  }

  fingerprintOf(ref: SchemaRef): string | undefined {
    if ('id' in ref) return this.#fingerprints.get(ref.id);
    return this.#book.knows(ref.fingerprint) ? ref.fingerprint : undefined;
  }

  async exchange({ reads, writes }: { reads: readonly string[]; writes: readonly string[] }): Promise<void> {
    this.#reads = reads;
    await this.#signed?.exchange({ reads, writes });
    for (const record of reads) await this.#findSubject(record);
    for (const schema of this.#book.currentSchemas()) if (writes.includes(schema.name)) await this.#register(schema);
  }

  async find(refs: readonly SchemaRef[]): Promise<void> {
    const ids = refs.flatMap((ref) => ('id' in ref ? [ref.id] : []));
    // A service publishes its schemas before it registers them.
    await this.#signed?.find();
    for (const id of ids.slice(0, MAX_FINDS)) await this.#findId(id);
  }

  /**
   * Logs an unusable answer instead of rejecting, because any writer can choose an id that provokes one.
   */
  async #findId(id: number): Promise<void> {
    if (id > MAX_ID) return;
    try {
      const schema = await this.#client.schemaById(id);
      if (schema !== null) this.#judge(id, schema);
    } catch (err) {
      const denied = err instanceof RegistryRefusedError && (err.status === 401 || err.status === 403);
      if (denied || !(err instanceof RegistryRefusedError || err instanceof RegistryAnswerError)) throw err;
      this.#log?.warn({ id, err }, 'the registry has no usable answer for a schema id');
    }
  }

  async #findSubject(record: string): Promise<void> {
    const subject = subjectOf(record);
    for (const number of (await this.#client.versions(subject)).slice(-MAX_VERSIONS)) {
      const found = await this.#client.version(subject, number);
      if (found !== null && !this.#fingerprints.has(found.id)) this.#judge(found.id, found.schema);
    }
  }

  /** Keeps the id of a known schema, or refuses the schema. */
  #judge(id: number, schema: string): void {
    const claim = this.#identify(schema);
    if ('err' in claim) this.#refuse('invalid', { id, ...claim });
    else if (claim.standing === 'known') this.#keep(id, claim.fingerprint);
    else if (claim.standing === 'conflict') this.#refuse('conflict', { id });
    else if (claim.name !== null && this.#reads.includes(claim.name)) this.#refuse('unsigned', { id });
  }

  #refuse(reason: Refusal, found: { readonly id: number; readonly err?: unknown }): void {
    if (this.#refused.has(found.id)) return;
    if (this.#refused.size >= MAX_IDS) this.#refused.clear();
    this.#refused.add(found.id);
    this.#refusals.refuse(reason, { registry: this.#client.url, ...found });
  }

  #identify(schema: string): SchemaClaim | { readonly err: unknown } {
    try {
      return this.#book.identify(schema);
    } catch (err) {
      return { err };
    }
  }

  #keep(id: number, fingerprint: string): void {
    const [oldest] = this.#fingerprints.size >= MAX_IDS ? this.#fingerprints.keys() : [];
    if (oldest !== undefined) this.#fingerprints.delete(oldest);
    this.#fingerprints.set(id, fingerprint);
  }

  async #register(schema: CurrentSchema): Promise<void> {
    const id = await registerSchema(this.#client, schema);
    this.#ids.set(schema.fingerprint, id);
    this.#keep(id, schema.fingerprint);
  }
}

export const subjectOf = (record: string): string => `ringfence.${record}`;

/**
 * Registers a schema and returns its id. A user who may only read finds a schema that was registered before. The
 * subject is BACKWARD_TRANSITIVE: FULL would forbid new branches of a union (kinds of events), and readers are upgraded
 * before writers.
 */
export async function registerSchema(client: RegistryClient, { name, schema }: CurrentSchema): Promise<number> {
  const subject = subjectOf(name);
  const known = await client.lookup(subject, schema);
  if (known !== null) return known;
  try {
    await client.setCompatibility(subject, 'BACKWARD_TRANSITIVE');
    return await client.register(subject, schema);
  } catch (error) {
    if (isConflict(error)) throw outdatedError(name, subject, error);
    throw error;
  }
}

function outdatedError(name: string, subject: string, error: unknown): SchemaIncompatibleError {
  const reason = error instanceof RegistryRefusedError ? error.message : String(error);
  return new SchemaIncompatibleError(
    name,
    `the registry refuses this program's schema for ${subject} (${reason}): check whether this is an older version than the one that runs elsewhere`,
    { cause: error },
  );
}
