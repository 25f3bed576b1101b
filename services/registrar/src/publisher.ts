import { type Log, withDeadline } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { SchemaError, TOPIC } from '@ringfence/wire';
import type { EnrolmentStore, StoredEnrolment } from './enrolment-store.ts';
import type { RegistrarMetrics } from './metrics.ts';

const PRODUCE_TIMEOUT_MS = 5000;
const RETRY_MS = 5000;
const BATCH = 500;

export interface PublisherDeps {
  readonly bus: Bus;
  readonly store: EnrolmentStore;
  readonly metrics: RegistrarMetrics;
  readonly log: Log;
  readonly reconcileMs: number;
}

/**
 * Keeps `ringfence.enrolments` equal to the store: publishes changes at once, and compares everything at start and
 * periodically. An attacker with write access to the broker can replace a revocation with an older record, garbage or a
 * tombstone; the next comparison repairs it.
 */
export class Publisher implements AsyncDisposable {
  readonly #deps: PublisherDeps;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #reconciling: Promise<void> = Promise.resolve();

  constructor(deps: PublisherDeps) {
    this.#deps = deps;
  }

  /** Never rejects: enrolments that cannot be written now stay in the store and are published later. */
  async publish(enrolments: readonly StoredEnrolment[]): Promise<void> {
    const { bus, metrics, log } = this.#deps;
    try {
      for (let start = 0; start < enrolments.length; start += BATCH) {
        const batch = enrolments.slice(start, start + BATCH);
        await withDeadline(
          bus.produce(
            batch.map(({ enrolment, bytes }) => ({ topic: TOPIC.enrolments, key: keyOf(enrolment), value: bytes })),
          ),
          PRODUCE_TIMEOUT_MS,
          () => new Error(`the bus took more than ${PRODUCE_TIMEOUT_MS} ms`),
        );
        metrics.published += batch.length;
      }
    } catch (error) {
      metrics.publishFailures++;
      const facts = { topic: TOPIC.enrolments, records: enrolments.length, error: String(error) };
      log.warn(facts, 'enrolments are stored but not published yet: retrying soon');
      this.#schedule(Math.min(RETRY_MS, this.#deps.reconcileMs));
    }
  }

  /** Compares the topic with the store, and schedules the next comparison. Rejects when the topic cannot be read. */
  async reconcile(): Promise<void> {
    const { bus, store, metrics, log, reconcileMs } = this.#deps;
    this.#schedule(reconcileMs);
    const latest = new Map<string, Uint8Array | null>();
    const { signal } = this.#stop;
    for await (const { key, value } of bus.read({ topic: TOPIC.enrolments, signal })) latest.set(key, value);
    const outdated: StoredEnrolment[] = [];
    for (const subject of store.subjects()) {
      for (const stored of store.ofSubject(subject)) {
        const key = keyOf(stored.enrolment);
        const published = readPublished(store, latest.get(key) ?? null);
        latest.delete(key);
        if (published === null || published.enrolment.version < stored.enrolment.version) outdated.push(stored);
        else if (published.enrolment.version > stored.enrolment.version) store.adopt(published);
      }
    }
    for (const value of latest.values()) {
      const published = readPublished(store, value);
      if (published !== null) store.adopt(published);
    }
    metrics.healed += outdated.length;
    if (outdated.length > 0)
      log.warn({ records: outdated.length }, `${TOPIC.enrolments} had missing or outdated enrolments: published again`);
    await this.publish(outdated);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#reconciling;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #schedule(ms: number): void {
    if (this.#stop.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#reconciling = this.reconcile().catch((error: unknown) => {
        this.#deps.log.warn({ error: String(error) }, `${TOPIC.enrolments} could not be compared with the store`);
        this.#schedule(RETRY_MS);
      });
    }, ms).unref();
  }
}

const keyOf = ({ subject, signingKeyId }: StoredEnrolment['enrolment']): string => `${subject}/${signingKeyId}`;

/** Returns null when the root key did not sign the value. */
function readPublished(store: EnrolmentStore, value: Uint8Array | null): StoredEnrolment | null {
  if (value === null) return null;
  try {
    return store.verify(value);
  } catch (error) {
    if (error instanceof SchemaError) return null;
    throw error;
  }
}
