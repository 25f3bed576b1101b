import type { Log } from '@ringfence/base';
import type { OwnSchema, SchemaBook } from './book.ts';
import { isConflict, type RegistryClient } from './client.ts';
import { RegistryAnswerError, RegistryRefusedError, SchemaIncompatibleError } from './errors.ts';
import type { SchemaRef } from './frames.ts';
import type { SchemaSource } from './source.ts';
import { tooNew } from './topic-source.ts';

/** Ids learnt from outside; the longest known goes first, and is asked for again. */
const MAX_IDS = 1000;
/** Of a subject, the newest. */
const MAX_VERSIONS = 50;
/** In one look. There are never that many new schemas at once. */
const MAX_FINDS = 32;
const MAX_ID = 2 ** 31 - 1;

/** Schemas in a registry with Confluent's API. A record's schemas are under `ringfence.RawBatch`, whatever topic it is on (record name strategy). */
export class RegistrySource implements SchemaSource {
  readonly #client: RegistryClient;
  readonly #book: SchemaBook;
  readonly #log: Log | undefined;
  /** of what we write */
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
    for (const own of this.#book.ours()) if (writes.includes(own.name)) await this.#say(own);
  }

  async find(refs: readonly SchemaRef[]): Promise<void> {
    const ids = refs.flatMap((ref) => ('id' in ref ? [ref.id] : []));
    for (const id of ids.slice(0, MAX_FINDS)) await this.#findId(id);
    // Single objects, of somebody who has no registry: perhaps another has registered their schema.
    if (ids.length < refs.length) for (const record of this.#reads) await this.#learnSubject(record, false);
  }

  /** Whoever writes to the bus chooses ids: one that the registry can't make sense of must not look like a registry that is away. */
  async #findId(id: number): Promise<void> {
    if (id > MAX_ID) return;
    try {
      const schema = await this.#client.schemaById(id);
      if (schema !== null) this.#learn(id, schema);
    } catch (err) {
      const denied = err instanceof RegistryRefusedError && (err.status === 401 || err.status === 403);
      if (denied || !(err instanceof RegistryRefusedError || err instanceof RegistryAnswerError)) throw err;
      this.#log?.warn({ id, err }, 'the registry says nothing of use about a schema');
    }
  }

  /** Throws when the schema can't be read and `strict`. */
  async #learnSubject(record: string, strict: boolean): Promise<void> {
    const subject = subjectOf(record);
    for (const number of (await this.#client.versions(subject)).slice(-MAX_VERSIONS)) {
      const found = await this.#client.version(subject, number);
      if (found === null || this.#fingerprints.has(found.id)) continue;
      const failure = this.#learn(found.id, found.schema);
      if (failure !== undefined && strict)
        throw tooNew(record, `the registry's ${subject} has version ${number}`, failure);
    }
  }

  /** What was wrong with the schema; undefined: it is known now, or of no record of ours. */
  #learn(id: number, schema: string): unknown {
    try {
      const learnt = this.#book.learn(schema);
      if (learnt !== null) this.#keep(id, learnt.fingerprint);
      return undefined;
    } catch (err) {
      this.#log?.warn({ id, err }, 'a schema cannot be read here; its records go to the dead letters');
      return err;
    }
  }

  #keep(id: number, fingerprint: string): void {
    const [oldest] = this.#fingerprints.size >= MAX_IDS ? this.#fingerprints.keys() : [];
    if (oldest !== undefined) this.#fingerprints.delete(oldest);
    this.#fingerprints.set(id, fingerprint);
  }

  async #say(own: OwnSchema): Promise<void> {
    const id = await registerSchema(this.#client, own);
    this.#ids.set(own.fingerprint, id);
    this.#keep(id, own.fingerprint);
  }
}

export const subjectOf = (record: string): string => `ringfence.${record}`;

/**
 * Has a schema of ours registered, and its id. Who may only read finds it when it was registered before. New branches of unions (kinds of events) are
 * what FULL would forbid and what we need, and readers are upgraded first: so the subject is BACKWARD_TRANSITIVE, every reader can read all there ever was.
 */
export async function registerSchema(client: RegistryClient, { name, schema }: OwnSchema): Promise<number> {
  const subject = subjectOf(name);
  const known = await client.lookup(subject, schema);
  if (known !== null) return known;
  try {
    await client.setCompatibility(subject, 'BACKWARD_TRANSITIVE');
    return await client.register(subject, schema);
  } catch (error) {
    if (isConflict(error)) throw older(name, subject, error);
    throw error;
  }
}

function older(name: string, subject: string, error: unknown): SchemaIncompatibleError {
  const reason = error instanceof RegistryRefusedError ? error.message : String(error);
  return new SchemaIncompatibleError(
    name,
    `the registry does not take this program's schema beside those of ${subject} (${reason}): is this an older version than the one that runs elsewhere?`,
    { cause: error },
  );
}
