import { setTimeout as sleep } from 'node:timers/promises';
import type { BusLog } from './embedded/options.ts';
import { BusFullError } from './errors.ts';
import type { Consumer, Effect, InRecord, OutRecord } from './port.ts';

/** Where a crash test may stop the process. */
export type Failpoint = 'before-effect' | 'before-commit' | 'after-commit';

/**
 * What becomes of a throw. `retriable`: the same batch again, after a pause. `poison`: that one record goes to the dead letters. Anything else is a
 * bug: the process stops, and the batch comes again at the next start.
 */
export type Fate = 'retriable' | 'poison' | 'fatal';

export interface PipelineMetrics {
  /** a batch was committed; `seconds` for handling and commit */
  committed?(records: number, seconds: number): void;
  retried?(error: unknown): void;
  deadLettered?(record: InRecord, error: unknown): void;
  /** a commit had to wait because the bus was full */
  backPressure?(): void;
}

export interface PipelineOptions {
  /** stands in the log lines */
  readonly service: string;
  readonly consumer: Consumer;
  /** The whole effect of a batch. Must be the same whether records come in one batch or one by one. */
  readonly handle: (records: readonly InRecord[]) => Effect | Promise<Effect>;
  /** Puts the service's memory back to where it was before the `handle` that threw. @default nothing to put back */
  readonly rollback?: () => void | Promise<void>;
  /** The framed DeadLetter for `ringfence.dlq`. */
  readonly deadLetter: (record: InRecord, error: unknown) => OutRecord;
  /** Ends the pipeline after the batch in hand. */
  readonly signal: AbortSignal;
  readonly metrics?: PipelineMetrics;
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
  readonly log?: BusLog;
  /** First pause after a retriable throw, ms; doubled each time. @default 100 */
  readonly retryBaseMs?: number;
  /** Longest pause, ms. @default 30_000 */
  readonly retryMaxMs?: number;
}

/** Poll, handle, commit, until `signal` aborts or the consumer is closed. Rejects with what `handle` threw when its fate is `fatal`. */
export async function runPipeline(options: PipelineOptions): Promise<void> {
  const { consumer, signal } = options;
  // A waiting poll may be no more than a promise: without a handle, a process that only runs pipelines would end.
  const keepAlive = setInterval(() => {}, 2 ** 31 - 1);
  try {
    for (;;) {
      const records = await consumer.poll(signal);
      if (records.length === 0) return;
      await processBatch(options, records);
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  } finally {
    clearInterval(keepAlive);
  }
}

export function fateOf(error: unknown): Fate {
  const fate = error instanceof Error && 'fate' in error ? error.fate : undefined;
  return fate === 'retriable' || fate === 'poison' ? fate : 'fatal';
}

/** Thrown by a pause that the signal ended: what is in hand stays uncommitted. */
class Stopped extends Error {}

async function processBatch(options: PipelineOptions, records: readonly InRecord[]): Promise<void> {
  const started = performance.now();
  await options.failpoint?.('before-effect');
  const result = await handleWithRetries(options, records);
  if ('effect' in result) {
    await commit(options, records, result.effect);
    options.metrics?.committed?.(records.length, (performance.now() - started) / 1000);
    return;
  }
  const [first] = records;
  if (records.length === 1 && first !== undefined) {
    await buryRecord(options, first, result.poison);
    return;
  }
  // One of them is to blame: alone, each shows itself.
  for (const record of records) await processBatch(options, [record]);
}

async function handleWithRetries(
  options: PipelineOptions,
  records: readonly InRecord[],
): Promise<{ readonly effect: Effect } | { readonly poison: unknown }> {
  for (let attempt = 0; ; attempt++) {
    try {
      return { effect: await options.handle(records) };
    } catch (error) {
      const fate = fateOf(error);
      if (fate === 'fatal') throw error;
      await options.rollback?.();
      if (fate === 'poison') return { poison: error };
      options.metrics?.retried?.(error);
      const pauseMs = backoff(attempt, options.retryBaseMs ?? 100, options.retryMaxMs ?? 30_000);
      options.log?.warn(
        { service: options.service, err: error, attempt, pauseMs },
        'a batch failed; it is tried again',
      );
      await pause(pauseMs, options.signal);
    }
  }
}

async function buryRecord(options: PipelineOptions, record: InRecord, error: unknown): Promise<void> {
  const { topic, partition, offset } = record;
  options.log?.error(
    { service: options.service, err: error, topic, partition, offset },
    'a record cannot be processed; it goes to the dead letters',
  );
  await commit(options, [record], { outputs: [options.deadLetter(record, error)], state: [] });
  options.metrics?.deadLettered?.(record, error);
}

/** A full bus pushes back: the effect is kept and committed when there is room. */
async function commit(options: PipelineOptions, records: readonly InRecord[], effect: Effect): Promise<void> {
  await options.failpoint?.('before-commit');
  for (let attempt = 0; ; attempt++) {
    try {
      await options.consumer.commit(records, effect);
      break;
    } catch (error) {
      if (!(error instanceof BusFullError)) throw error;
      options.metrics?.backPressure?.();
      if (attempt === 0)
        options.log?.warn({ service: options.service, err: error }, 'the bus is full; waiting for room');
      await pause(backoff(attempt, 10, 1000), options.signal);
    }
  }
  await options.failpoint?.('after-commit');
}

/** Doubling, with jitter so that what failed together doesn't come back together. */
function backoff(attempt: number, baseMs: number, maxMs: number): number {
  return Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30)) * (0.5 + Math.random() / 2);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (signal.aborted) throw new Stopped('the pipeline was stopped', { cause: error });
    throw error;
  }
}
