import { type Log, withDeadline } from '@ringfence/base';
import type { Bus } from '@ringfence/bus';
import { SchemaError, TOPIC } from '@ringfence/schema';
import type { Book, Page } from './book.ts';
import type { RegistrarMetrics } from './metrics.ts';

const PRODUCE_TIMEOUT_MS = 5000;
const RETRY_MS = 5000;
const BATCH = 500;

export interface PublisherDeps {
  readonly bus: Bus;
  readonly book: Book;
  readonly metrics: RegistrarMetrics;
  readonly log: Log;
  readonly reconcileMs: number;
}

/**
 * Holds `ringfence.enrolments` to the book: what is new at once, and everything at the start and from time to time. Whoever can write to the broker may put an
 * older record, garbage or a removal in the place of a revocation; the next comparison puts it right.
 */
export class Publisher implements AsyncDisposable {
  readonly #deps: PublisherDeps;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(deps: PublisherDeps) {
    this.#deps = deps;
  }

  /** Never rejects: what can't be written now is in the book, and is written later. */
  async publish(pages: readonly Page[]): Promise<void> {
    const { bus, metrics, log } = this.#deps;
    try {
      for (let at = 0; at < pages.length; at += BATCH) {
        const batch = pages.slice(at, at + BATCH);
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
      const facts = { topic: TOPIC.enrolments, records: pages.length, error: String(error) };
      log.warn(facts, `enrolments are in the book, not on the bus yet: tried again soon`);
      this.#again(Math.min(RETRY_MS, this.#deps.reconcileMs));
    }
  }

  /** Compares now; the first call starts the rhythm. Rejects when the topic can't be read. */
  async reconcile(): Promise<void> {
    const { bus, book, metrics, log, reconcileMs } = this.#deps;
    this.#again(reconcileMs);
    const last = new Map<string, Uint8Array | null>();
    const { signal } = this.#stop;
    for await (const { key, value } of bus.read({ topic: TOPIC.enrolments, signal })) last.set(key, value);
    const wrong: Page[] = [];
    for (const subject of book.subjects()) {
      for (const page of book.of(subject)) {
        const key = keyOf(page.enrolment);
        const there = read(book, last.get(key) ?? null);
        last.delete(key);
        if (there === null || there.enrolment.version < page.enrolment.version) wrong.push(page);
        else if (there.enrolment.version > page.enrolment.version) book.adopt(there);
      }
    }
    for (const value of last.values()) {
      const there = read(book, value);
      if (there !== null) book.adopt(there);
    }
    metrics.healed += wrong.length;
    if (wrong.length > 0)
      log.warn({ records: wrong.length }, `${TOPIC.enrolments} lacked enrolments, or had older ones: written again`);
    await this.publish(wrong);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#working;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #again(ms: number): void {
    if (this.#stop.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#working = this.reconcile().catch((error: unknown) => {
        this.#deps.log.warn({ error: String(error) }, `${TOPIC.enrolments} could not be compared with the book`);
        this.#again(RETRY_MS);
      });
    }, ms).unref();
  }
}

const keyOf = ({ subject, signingKeyId }: Page['enrolment']): string => `${subject}/${signingKeyId}`;

/** null: nothing that the root key has signed. */
function read(book: Book, value: Uint8Array | null): Page | null {
  if (value === null) return null;
  try {
    return book.verify(value);
  } catch (error) {
    if (error instanceof SchemaError) return null;
    throw error;
  }
}
