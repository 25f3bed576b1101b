import type { Log } from '@ringfence/base';
import type { CurrentSchema, SchemaBook } from './book.ts';
import { isConflict, type RegistryClient } from './client.ts';
import { RegistryAnswerError, RegistryRefusedError, SchemaIncompatibleError, tooNewError } from './errors.ts';
import type { SchemaRef } from './frames.ts';
import type { SchemaSource } from './source.ts';

/** Limit for the learnt ids. The oldest is evicted, and looked up again when needed. */
const MAX_IDS = 1000;
/** Versions read of a subject, the newest ones. */
const MAX_VERSIONS = 50;
/** Ids looked up in one call. A legitimate writer never uses that many new ids at once. */
const MAX_FINDS = 32;
const MAX_ID = 2 ** 31 - 1;

/**
 * Schemas in a registry with Confluent's API. The subject is `ringfence.` and the name of the record, for all topics
 * (record name strategy).
 */
export class RegistrySource implements SchemaSource {
  readonly #client: RegistryClient;
  readonly #book: SchemaBook;
  readonly #log: Log | undefined;
  /** Ids of the schemas that this process writes, by fingerprint. */
  readonly #ids = new Map<string, number>();
  readonly #fingerprints = new Map<number, string>();
  #reads: readonly string[] = [];

  constructor(client: RegistryClient, book: SchemaBook, log?: Log) {
    this.#client = client;
    this.#book = book;
    this.#log = log;
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
    for (const record of reads) await this.#learnSubject(record, true);
    for (const schema of this.#book.currentSchemas()) if (writes.includes(schema.name)) await this.#register(schema);
  }

  async find(refs: readonly SchemaRef[]): Promise<void> {
    const ids = refs.flatMap((ref) => ('id' in ref ? [ref.id] : []));
    for (const id of ids.slice(0, MAX_FINDS)) await this.#findId(id);
    // The other records are single objects from a writer without a registry. Another process may have registered their
    // schema.
    if (ids.length < refs.length) for (const record of this.#reads) await this.#learnSubject(record, false);
  }

  /**
   * Logs an unusable answer instead of rejecting, because any writer can choose an id that provokes one.
   */
  async #findId(id: number): Promise<void> {
    if (id > MAX_ID) return;
    try {
      const schema = await this.#client.schemaById(id);
      if (schema !== null) this.#learn(id, schema);
    } catch (err) {
      const denied = err instanceof RegistryRefusedError && (err.status === 401 || err.status === 403);
      if (denied || !(err instanceof RegistryRefusedError || err instanceof RegistryAnswerError)) throw err;
      this.#log?.warn({ id, err }, 'the registry has no usable answer for a schema id');
    }
  }

  /** Throws SchemaIncompatibleError for an unreadable schema if `strict`. */
  async #learnSubject(record: string, strict: boolean): Promise<void> {
    const subject = subjectOf(record);
    for (const number of (await this.#client.versions(subject)).slice(-MAX_VERSIONS)) {
      const found = await this.#client.version(subject, number);
      if (found === null || this.#fingerprints.has(found.id)) continue;
      const failure = this.#learn(found.id, found.schema);
      if (failure !== undefined && strict)
        throw tooNewError(record, `the registry has version ${number} of ${subject}`, failure);
    }
  }

  /** Returns the error of an unreadable schema. */
  #learn(id: number, schema: string): unknown {
    try {
      const learnt = this.#book.learn(schema);
      if (learnt !== null) this.#keep(id, learnt.fingerprint);
      return undefined;
    } catch (err) {
      this.#log?.warn({ id, err }, 'a schema is unreadable for this program: its records go to the dead letters');
      return err;
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
