import { type Backoff, backoffMs, fateOf, type Log, LogThrottle, pause } from '@ringfence/base';
import {
  type Assignment,
  AssignmentLostError,
  BusFullError,
  type Consumer,
  type Effect,
  type InRecord,
  type OutRecord,
  type StateEntry,
} from '@ringfence/bus';

/** How often the log reports a bus that is full or away, and retries with the same error code. */
const WARN_EVERY_MS = 60_000;
/** How often the log reports dead letters with the same error code. */
const DEAD_LETTER_LOG_MS = 10_000;
const FULL_RETRY: Backoff = { firstMs: 10, maxMs: 1000 };
const AWAY_RETRY: Backoff = { firstMs: 100, maxMs: 10_000 };

/** A point at which a crash test may stop the process. */
export type Failpoint = 'before-effect' | 'before-commit' | 'after-commit';

export interface PipelineMetrics {
  /** A batch was committed. `seconds` is the time for handling and commit. */
  committed?(records: number, seconds: number): void;
  /** A batch is handled again after a retriable error. */
  retried?(error: unknown): void;
  deadLettered?(record: InRecord, error: unknown): void;
  /** A commit waits because the bus is full or away. */
  backPressure?(): void;
  /** The partition assignment has changed. */
  reassigned?(change: Assignment): void;
  /** A partition was revoked while a batch of it was in hand. */
  assignmentLost?(): void;
}

/** Handles batches, with state in memory that can be restored. */
export interface Handler {
  /** Returns the effect of a batch. It must not depend on how the records are divided into batches. */
  handle(records: readonly InRecord[]): Effect | Promise<Effect>;
  /** Restores the state in memory to that before the `handle` that threw. @default nothing to restore */
  rollback?(): void | Promise<void>;
}

/** Opens a handler for each partition, so that the state of a partition moves between members together with it. */
export interface Partitioned {
  /**
   * Returns the handler of one partition, which gets the partition's records of all topics. `restore` reads a store.
   */
  open(partition: number, restore: (store: string) => AsyncIterable<StateEntry>): Promise<Handler>;
  /** Called when a partition was revoked, or before it is opened again. */
  closed?(partition: number): void;
}

interface CommonOptions {
  readonly consumer: Consumer;
  /** Returns the framed DeadLetter for `ringfence.dlq`. */
  readonly deadLetter: (record: InRecord, error: unknown) => OutRecord;
  /** Ends the pipeline after the batch in hand. */
  readonly signal: AbortSignal;
  readonly metrics?: PipelineMetrics;
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
  readonly log?: Log;
  /** First pause after a retriable error, ms. It doubles with each failure. @default 100 */
  readonly retryBaseMs?: number;
  /** Longest pause, ms. @default 30_000 */
  readonly retryMaxMs?: number;
}

/** A handler for all partitions, or a handler for each. */
export type PipelineOptions = CommonOptions & (Handler | Partitioned);

/**
 * Polls, handles and commits, until `signal` aborts or the consumer is closed. Rejects with the error of a handler
 * whose fate is `fatal`.
 */
export async function runPipeline(options: PipelineOptions): Promise<void> {
  const pipeline: Pipeline = {
    ...options,
    handlersOf: createHandlers(options),
    deadLetterLog: new LogThrottle(DEAD_LETTER_LOG_MS),
    warnings: new LogThrottle(WARN_EVERY_MS),
  };
  const { consumer, signal } = options;
  // A waiting poll may be nothing but a promise. Without this timer, a process with pipelines only would exit.
  const keepAlive = setInterval(() => {}, 2 ** 31 - 1);
  try {
    for (;;) {
      const records = await consumer.poll(signal);
      if (records.length === 0) return;
      await processUnlessLost(pipeline, records);
    }
  } catch (error) {
    if (!(error instanceof StoppedError)) throw error;
  } finally {
    clearInterval(keepAlive);
  }
}

/** The signal has aborted during a pause. The batch in hand stays uncommitted. */
class StoppedError extends Error {}

/** Consecutive records for one handler. */
interface HandlerBatch {
  readonly handler: Handler;
  readonly records: readonly InRecord[];
}

interface Pipeline extends CommonOptions {
  /** Throttles the log of dead letters by error code. The metrics count all of them. */
  readonly deadLetterLog: LogThrottle;
  readonly warnings: LogThrottle;
  /** Divides records by their handlers, in order. */
  readonly handlersOf: (records: readonly InRecord[]) => Iterable<HandlerBatch>;
}

function createHandlers(options: PipelineOptions): Pipeline['handlersOf'] {
  if (!('open' in options)) return (records) => [{ handler: options, records }];
  const { consumer, metrics } = options;
  const handlers = new Map<number, Handler>();
  consumer.onAssignment(async (change) => {
    metrics?.reassigned?.(change);
    for (const partition of change.revoked) {
      handlers.delete(partition);
      options.closed?.(partition);
    }
    for (const partition of change.assigned) {
      handlers.set(partition, await options.open(partition, (store) => consumer.restore(store, partition)));
    }
  });
  return (records) => {
    const byPartition = [...Map.groupBy(records, ({ partition }) => partition)];
    return byPartition.map(([partition, group]) => ({ handler: handlers.get(partition)!, records: group }));
  };
}

/** Drops the batch when a partition of it was revoked. The next poll restores the memory. */
async function processUnlessLost(pipeline: Pipeline, records: readonly InRecord[]): Promise<void> {
  try {
    await processBatch(pipeline, records);
  } catch (error) {
    if (!(error instanceof AssignmentLostError)) throw error;
    pipeline.metrics?.assignmentLost?.();
    pipeline.log?.warn({ err: error }, 'a partition went to another member of the group');
  }
}

async function processBatch(pipeline: Pipeline, records: readonly InRecord[]): Promise<void> {
  const started = performance.now();
  await pipeline.failpoint?.('before-effect');
  let handled: InRecord[] = [];
  let effects: Effect[] = [];
  const flush = async (): Promise<void> => {
    if (handled.length === 0) return;
    const [batch, effect] = [handled, mergeEffects(effects)];
    [handled, effects] = [[], []];
    await commit(pipeline, batch, effect);
    pipeline.metrics?.committed?.(batch.length, (performance.now() - started) / 1000);
  };
  for (const group of pipeline.handlersOf(records)) {
    const result = await handleWithRetries(pipeline, group);
    if ('effect' in result) {
      handled.push(...group.records);
      effects.push(result.effect);
      continue;
    }
    // The memory of the partitions before this one includes their records, so commit them first.
    await flush();
    await isolatePoison(pipeline, group.records, result.poison);
  }
  await flush();
}

const mergeEffects = (effects: readonly Effect[]): Effect =>
  effects.length === 1
    ? effects[0]!
    : { outputs: effects.flatMap(({ outputs }) => outputs), state: effects.flatMap(({ state }) => state) };

/** Processes the records of a failed batch one by one, which identifies the poisonous record. */
async function isolatePoison(pipeline: Pipeline, records: readonly InRecord[], poison: unknown): Promise<void> {
  const [first] = records;
  if (records.length === 1 && first !== undefined) await sendToDeadLetter(pipeline, first, poison);
  else for (const record of records) await processBatch(pipeline, [record]);
}

async function handleWithRetries(
  pipeline: Pipeline,
  { handler, records }: HandlerBatch,
): Promise<{ readonly effect: Effect } | { readonly poison: unknown }> {
  const { signal, metrics, log, retryBaseMs: firstMs = 100, retryMaxMs: maxMs = 30_000 } = pipeline;
  for (let attempt = 0; ; attempt++) {
    try {
      return { effect: await handler.handle(records) };
    } catch (error) {
      const fate = fateOf(error);
      if (fate === 'fatal') throw error;
      await handler.rollback?.();
      if (fate === 'poison') return { poison: error };
      metrics?.retried?.(error);
      const pauseMs = backoffMs(attempt, { firstMs, maxMs });
      const { code = 'unknown' } = error as { readonly code?: string };
      const suppressed = pipeline.warnings.shouldLog(code);
      if (suppressed !== null) log?.warn({ err: error, attempt, pauseMs, suppressed }, 'a batch failed; retrying');
      await pauseOrStop(pauseMs, signal);
    }
  }
}

async function sendToDeadLetter(pipeline: Pipeline, record: InRecord, error: unknown): Promise<void> {
  const { topic, partition, offset } = record;
  const { code = 'unknown', message } = error as { readonly code?: string; readonly message: string };
  const suppressed = pipeline.deadLetterLog.shouldLog(code);
  if (suppressed !== null) {
    pipeline.log?.error(
      { code, reason: message, topic, partition, offset, suppressed },
      'a record cannot be processed; it goes to the dead letters',
    );
  }
  await commit(pipeline, [record], { outputs: [pipeline.deadLetter(record, error)], state: [] });
  pipeline.metrics?.deadLettered?.(record, error);
}

/** Retries the same commit while the bus is full or away, which is safe. */
async function commit(pipeline: Pipeline, records: readonly InRecord[], effect: Effect): Promise<void> {
  await pipeline.failpoint?.('before-commit');
  for (let attempt = 0; ; attempt++) {
    try {
      await pipeline.consumer.commit(records, effect);
      break;
    } catch (error) {
      const isFull = error instanceof BusFullError;
      if (!isFull && fateOf(error) !== 'retriable') throw error;
      pipeline.metrics?.backPressure?.();
      const message = isFull ? 'the bus is full; waiting for room' : 'the bus is away; waiting for it';
      if (pipeline.warnings.shouldLog(message) !== null) pipeline.log?.warn({ err: error }, message);
      await pauseOrStop(backoffMs(attempt, isFull ? FULL_RETRY : AWAY_RETRY), pipeline.signal);
    }
  }
  await pipeline.failpoint?.('after-commit');
}

/** Throws StoppedError when `signal` aborts during the pause. */
async function pauseOrStop(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, signal);
  if (signal.aborted) throw new StoppedError('the pipeline was stopped');
}
