import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@ringfence/base';
import { fateOf, LogThrottle } from '@ringfence/base';
import type { Assignment, Consumer, Effect, InRecord, OutRecord, StateEntry } from '@ringfence/bus';
import { AssignmentLostError, BusFullError } from '@ringfence/bus';

/** How often the log says that the bus is still full or away. */
const WARN_EVERY_MS = 60_000;
/** How often it tells of a record that can't be processed, by the code of the error. */
const BURIED_EVERY_MS = 10_000;

/** Where a crash test may stop the process. */
export type Failpoint = 'before-effect' | 'before-commit' | 'after-commit';

export interface PipelineMetrics {
  /** a batch was committed; `seconds` for handling and commit */
  committed?(records: number, seconds: number): void;
  retried?(error: unknown): void;
  deadLettered?(record: InRecord, error: unknown): void;
  /** a commit had to wait because the bus was full or away */
  backPressure?(): void;
  /** partitions came or went */
  reassigned?(change: Assignment): void;
  /** a batch was in hand when its partition went */
  assignmentLost?(): void;
}

/** Does the work, over memory that can be rebuilt. */
export interface Handler {
  /** The whole effect of a batch. Must be the same whether records come in one batch or one by one. */
  handle(records: readonly InRecord[]): Effect | Promise<Effect>;
  /** Puts the memory back to where it was before the `handle` that threw. @default nothing to put back */
  rollback?(): void | Promise<void>;
}

/** Memory that is kept by partition: what a partition's records have led to moves with it from one member of a group to another. */
export interface Partitioned {
  /** A handler for one partition, filled with what `restore` gives of each store. It gets this partition's records alone, of every topic. */
  open(partition: number, restore: (store: string) => AsyncIterable<StateEntry>): Promise<Handler>;
  /** The partition is another's now, or will be opened again. */
  closed?(partition: number): void;
}

interface CommonOptions {
  /** stands in the log lines */
  readonly service: string;
  readonly consumer: Consumer;
  /** The framed DeadLetter for `ringfence.dlq`. */
  readonly deadLetter: (record: InRecord, error: unknown) => OutRecord;
  /** Ends the pipeline after the batch in hand. */
  readonly signal: AbortSignal;
  readonly metrics?: PipelineMetrics;
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
  readonly log?: Log;
  /** First pause after a retriable throw, ms; doubled each time. @default 100 */
  readonly retryBaseMs?: number;
  /** Longest pause, ms. @default 30_000 */
  readonly retryMaxMs?: number;
}

/** A handler of all there is, or one for each partition. */
export type PipelineOptions = CommonOptions & (Handler | Partitioned);

/** Poll, handle, commit, until `signal` aborts or the consumer is closed. Rejects with what a handler threw when its fate is `fatal`. */
export async function runPipeline(given: PipelineOptions): Promise<void> {
  const options = { ...given, handlers: handlersOf(given), buried: new LogThrottle(BURIED_EVERY_MS) };
  const { consumer, signal } = options;
  // A waiting poll may be no more than a promise: without a handle, a process that only runs pipelines would end.
  const keepAlive = setInterval(() => {}, 2 ** 31 - 1);
  try {
    for (;;) {
      const records = await consumer.poll(signal);
      if (records.length === 0) return;
      await processUnlessLost(options, records);
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  } finally {
    clearInterval(keepAlive);
  }
}

/** Thrown by a pause that the signal ended: what is in hand stays uncommitted. */
class Stopped extends Error {}

interface Group {
  readonly handler: Handler;
  readonly records: readonly InRecord[];
}

interface Running extends CommonOptions {
  /** which records that can't be processed the log tells of; all are counted, and in the dead letters */
  readonly buried: LogThrottle;
  /** The records by whose work they are, in their order. */
  readonly handlers: (records: readonly InRecord[]) => Iterable<Group>;
}

function handlersOf(options: PipelineOptions): Running['handlers'] {
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
    const groups = [...Map.groupBy(records, ({ partition }) => partition)];
    return groups.map(([partition, own]) => ({ handler: handlers.get(partition)!, records: own }));
  };
}

/** What was in hand of a partition that went is not ours any more; the next poll puts memory right. */
async function processUnlessLost(options: Running, records: readonly InRecord[]): Promise<void> {
  try {
    await processBatch(options, records);
  } catch (error) {
    if (!(error instanceof AssignmentLostError)) throw error;
    options.metrics?.assignmentLost?.();
    options.log?.warn({ service: options.service, err: error }, 'a partition went to another member of the group');
  }
}

async function processBatch(options: Running, records: readonly InRecord[]): Promise<void> {
  const started = performance.now();
  await options.failpoint?.('before-effect');
  let handled: InRecord[] = [];
  let effects: Effect[] = [];
  const flush = async (): Promise<void> => {
    if (handled.length === 0) return;
    const [batch, effect] = [handled, merged(effects)];
    [handled, effects] = [[], []];
    await commit(options, batch, effect);
    options.metrics?.committed?.(batch.length, (performance.now() - started) / 1000);
  };
  for (const group of options.handlers(records)) {
    const result = await handleWithRetries(options, group);
    if ('effect' in result) {
      handled.push(...group.records);
      effects.push(result.effect);
      continue;
    }
    // Other partitions' memory has moved on already: so must their offsets.
    await flush();
    await isolatePoison(options, group.records, result.poison);
  }
  await flush();
}

const merged = (effects: readonly Effect[]): Effect =>
  effects.length === 1
    ? effects[0]!
    : { outputs: effects.flatMap(({ outputs }) => outputs), state: effects.flatMap(({ state }) => state) };

/** One of them is to blame: alone, each shows itself. */
async function isolatePoison(options: Running, records: readonly InRecord[], poison: unknown): Promise<void> {
  const [first] = records;
  if (records.length === 1 && first !== undefined) await buryRecord(options, first, poison);
  else for (const record of records) await processBatch(options, [record]);
}

async function handleWithRetries(
  options: Running,
  { handler, records }: Group,
): Promise<{ readonly effect: Effect } | { readonly poison: unknown }> {
  for (let attempt = 0; ; attempt++) {
    try {
      return { effect: await handler.handle(records) };
    } catch (error) {
      const fate = fateOf(error);
      if (fate === 'fatal') throw error;
      await handler.rollback?.();
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

async function buryRecord(options: Running, record: InRecord, error: unknown): Promise<void> {
  const { topic, partition, offset } = record;
  const { code = 'unknown', message } = error as { readonly code?: string; readonly message: string };
  const untold = options.buried.shouldLog(code);
  if (untold !== null) {
    options.log?.error(
      { service: options.service, code, reason: message, topic, partition, offset, untold },
      'a record cannot be processed; it goes to the dead letters',
    );
  }
  await commit(options, [record], { outputs: [options.deadLetter(record, error)], state: [] });
  options.metrics?.deadLettered?.(record, error);
}

/** A bus that is full, or away, is waited for with the effect in hand: a commit may be tried again as it is. */
async function commit(options: Running, records: readonly InRecord[], effect: Effect): Promise<void> {
  await options.failpoint?.('before-commit');
  let warnedAt = -Infinity;
  for (let attempt = 0; ; attempt++) {
    try {
      await options.consumer.commit(records, effect);
      break;
    } catch (error) {
      const full = error instanceof BusFullError;
      if (!full && fateOf(error) !== 'retriable') throw error;
      options.metrics?.backPressure?.();
      if (performance.now() - warnedAt >= WARN_EVERY_MS) {
        warnedAt = performance.now();
        const message = full ? 'the bus is full; waiting for room' : 'the bus is away; waiting for it';
        options.log?.warn({ service: options.service, err: error }, message);
      }
      await pause(full ? backoff(attempt, 10, 1000) : backoff(attempt, 100, 10_000), options.signal);
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
