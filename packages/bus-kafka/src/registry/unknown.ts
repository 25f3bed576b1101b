import { type Backoff, backoffMs, type Log, pause } from '@ringfence/base';
import { BusClosedError, BusError } from '@ringfence/bus';
import type { SchemaRef } from './frames.ts';
import type { RefusalStats } from './refusals.ts';
import type { SchemaSource } from './source.ts';

/** A schema that was not found is not looked up again for this long, whatever a writer sends. */
const GIVEN_UP_MS = 60_000;
const MAX_GIVEN_UP = 10_000;
/**
 * A reader waits for schemas once within this time; other unknown schemas are looked up without a wait. Otherwise a
 * writer of invalid records could stop the reader.
 */
const WAIT_INTERVAL_MS = 60_000;
/** Pauses while the source answers, and does not know the schema yet. */
const MISSING_RETRY: Backoff = { firstMs: 50, maxMs: 1000 };
/** Pauses while the source is away. */
const AWAY_RETRY: Backoff = { firstMs: 100, maxMs: 30_000 };

export interface SchemaStats extends RefusalStats {
  /** Records whose schema was unknown, and then found. */
  readonly schemasFound: number;
  /** Records that were handed out with an unknown schema. */
  readonly schemasUnknown: number;
  /** Lookups that failed because the registry or the bus was away. */
  readonly schemaLookFailures: number;
}

/** Looks up the schemas of records that arrive before their schemas are known. */
export class UnknownSchemas {
  readonly #source: SchemaSource;
  readonly #waitMs: number;
  readonly #log: Log | undefined;
  /** When a schema may be looked up again, of performance.now(). Oldest first. */
  readonly #givenUp = new Map<string, number>();
  #nextWaitAt = 0;
  readonly #stats = { schemasFound: 0, schemasUnknown: 0, schemaLookFailures: 0 };

  constructor(source: SchemaSource, waitMs: number, log?: Log) {
    this.#source = source;
    this.#waitMs = waitMs;
    this.#log = log;
  }

  get stats(): SchemaStats {
    return { ...this.#stats, ...this.#source.stats };
  }

  /**
   * Returns when all schemas are known, or after the wait for those that are not. While the source is away, retries
   * until `signal` aborts.
   */
  async resolve(refs: readonly SchemaRef[], signal: AbortSignal): Promise<void> {
    const missing = this.#notGivenUp(refs);
    if (missing.size === 0) return this.#count(refs);
    const started = performance.now();
    const mayWait = started >= this.#nextWaitAt;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const answered = await this.#lookUp([...missing.values()], attempt);
      for (const [key, ref] of missing) if (this.#source.fingerprintOf(ref) !== undefined) missing.delete(key);
      if (missing.size === 0) break;
      if (answered && (!mayWait || performance.now() - started >= this.#waitMs)) break;
      await pause(backoffMs(attempt, answered ? MISSING_RETRY : AWAY_RETRY), signal);
    }
    // An aborted wait gives nothing up: another consumer or the next poll repeats the lookup.
    if (signal.aborted) return;
    if (missing.size > 0 && mayWait) this.#nextWaitAt = performance.now() + WAIT_INTERVAL_MS;
    for (const key of missing.keys()) this.#giveUp(key);
    this.#count(refs);
  }

  #notGivenUp(refs: readonly SchemaRef[]): Map<string, SchemaRef> {
    const now = performance.now();
    return new Map(
      refs.map((ref) => [keyOf(ref), ref] as const).filter(([key]) => (this.#givenUp.get(key) ?? 0) <= now),
    );
  }

  /** Returns whether the source has answered. */
  async #lookUp(refs: readonly SchemaRef[], attempt: number): Promise<boolean> {
    try {
      await this.#source.find(refs);
      return true;
    } catch (err) {
      if (!(err instanceof BusError) || err instanceof BusClosedError) throw err;
      this.#stats.schemaLookFailures++;
      this.#log?.warn({ err, schemas: refs.length, attempt }, 'records wait for their schemas; retrying the lookup');
      return false;
    }
  }

  #giveUp(key: string): void {
    const [oldest] = this.#givenUp.size >= MAX_GIVEN_UP ? this.#givenUp.keys() : [];
    if (oldest !== undefined) this.#givenUp.delete(oldest);
    this.#givenUp.delete(key);
    this.#givenUp.set(key, performance.now() + GIVEN_UP_MS);
  }

  #count(refs: readonly SchemaRef[]): void {
    for (const ref of refs)
      if (this.#source.fingerprintOf(ref) === undefined) this.#stats.schemasUnknown++;
      else this.#stats.schemasFound++;
  }
}

const keyOf = (ref: SchemaRef): string => ('id' in ref ? String(ref.id) : ref.fingerprint);
