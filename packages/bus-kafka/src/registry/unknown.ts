import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@ringfence/base';
import { BusClosedError, BusError } from '@ringfence/bus';
import type { SchemaRef } from './frames.ts';
import type { SchemaSource } from './source.ts';

/** What was given up on is not looked for again for this long: whoever writes records of no schema can't make us ask for each. */
const FORGET_MS = 60_000;
const MAX_GIVEN_UP = 10_000;
/** Within this time there is one wait; what else is unknown is looked for once. So nobody can keep a reader waiting all the time. */
const PATIENCE_MS = 60_000;

export interface SchemaStats {
  /** records whose schema was not known and was then found */
  readonly schemasFound: number;
  /** records handed out although nobody knows their schema */
  readonly schemasUnknown: number;
  /** looks that nobody answered */
  readonly schemaLookFailures: number;
}

/** Looks for the schemas of records that came before them. */
export class UnknownSchemas {
  readonly #source: SchemaSource;
  readonly #waitMs: number;
  readonly #log: Log | undefined;
  readonly #givenUp = new Map<string, number>();
  #patientFrom = 0;
  readonly stats = { schemasFound: 0, schemasUnknown: 0, schemaLookFailures: 0 };

  constructor(source: SchemaSource, waitMs: number, log?: Log) {
    this.#source = source;
    this.#waitMs = waitMs;
    this.#log = log;
  }

  /** Returns when all of them are known, or those that aren't were waited for. While nobody answers it goes on asking, until `signal` aborts. */
  async resolve(all: readonly SchemaRef[], signal: AbortSignal): Promise<void> {
    const refs = this.#worthLooking(all);
    if (refs.size === 0) return this.#count(all);
    const started = performance.now();
    const patient = started >= this.#patientFrom;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const answered = await this.#look([...refs.values()], attempt);
      for (const [key, ref] of refs) if (this.#source.fingerprintOf(ref) !== undefined) refs.delete(key);
      if (refs.size === 0) break;
      if (answered && (!patient || performance.now() - started >= this.#waitMs)) break;
      await pause(answered ? Math.min(1000, 50 * 2 ** attempt) : Math.min(30_000, 100 * 2 ** attempt), signal);
    }
    // Who stops has not waited: another consumer here, or the next poll, looks for itself.
    if (signal.aborted) return;
    if (refs.size > 0 && patient) this.#patientFrom = performance.now() + PATIENCE_MS;
    for (const key of refs.keys()) this.#giveUp(key);
    this.#count(all);
  }

  #worthLooking(all: readonly SchemaRef[]): Map<string, SchemaRef> {
    const now = performance.now();
    return new Map(
      all.map((ref) => [keyOf(ref), ref] as const).filter(([key]) => (this.#givenUp.get(key) ?? 0) <= now),
    );
  }

  async #look(refs: readonly SchemaRef[], attempt: number): Promise<boolean> {
    try {
      await this.#source.find(refs);
      return true;
    } catch (err) {
      if (!(err instanceof BusError) || err instanceof BusClosedError) throw err;
      this.stats.schemaLookFailures++;
      this.#log?.warn({ err, schemas: refs.length, attempt }, 'records wait for their schemas; it is asked again');
      return false;
    }
  }

  #giveUp(key: string): void {
    const [oldest] = this.#givenUp.size >= MAX_GIVEN_UP ? this.#givenUp.keys() : [];
    if (oldest !== undefined) this.#givenUp.delete(oldest);
    this.#givenUp.delete(key);
    this.#givenUp.set(key, performance.now() + FORGET_MS);
  }

  #count(all: readonly SchemaRef[]): void {
    for (const ref of all)
      if (this.#source.fingerprintOf(ref) === undefined) this.stats.schemasUnknown++;
      else this.stats.schemasFound++;
  }
}

const keyOf = (ref: SchemaRef): string => ('id' in ref ? String(ref.id) : ref.fingerprint);

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms * (0.5 + Math.random() / 2), undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
