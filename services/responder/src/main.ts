import {
  type Bus,
  type BusLog,
  type Consumer,
  type Failpoint,
  type Handler,
  type Partitioned,
  runPipeline,
} from '@ringfence/bus';
import { type Control, deadLetter, type SigningKey, TOPIC } from '@ringfence/schema';
import { compileResponderOptions, type ResponderOptions } from './config.ts';
import { ResponderMetrics, type ResponderStats } from './metrics.ts';
import { createDecidePipeline, createDispatchPipeline } from './pipeline.ts';
import type { Policy } from './policy/policy.ts';
import { PolicySet } from './policy/policy-set.ts';
import { Memory, STORE_NAMES } from './steps/memory.ts';

export interface ResponderDeps {
  readonly options: ResponderOptions;
  readonly bus: Bus;
  /** signs the commands; agents know its public half */
  readonly key: SigningKey;
  readonly policies: readonly Policy[];
  /** carries commands out; null: no agent is reached from here */
  readonly control: Control | null;
  readonly log: BusLog;
  /** µs since the epoch, given the time of what is decided about. @default the wall clock */
  readonly now?: (eventTime: number) => number;
  readonly failpoint?: (pipeline: 'decide' | 'dispatch', name: Failpoint) => void | Promise<void>;
}

export interface Responder extends AsyncDisposable {
  /** Settles when both pipelines have stopped; rejects with what stopped the first. */
  readonly done: Promise<void>;
  /** Ends after the batches in hand. */
  close(): Promise<void>;
  stats(): ResponderStats;
  /** Other policies from the next record on. */
  setPolicies(policies: readonly Policy[]): void;
}

/** Starts deciding (alerts, incidents → commands) and dispatching (commands → agent → results). */
export async function startResponder(deps: ResponderDeps): Promise<Responder> {
  const { bus, key, control, log } = deps;
  const options = compileResponderOptions(deps.options);
  const now = deps.now ?? (() => Date.now() * 1000);
  const metrics = new ResponderMetrics();
  const stop = new AbortController();
  let policies = new PolicySet(deps.policies, options.mode);

  const deciding = await bus.consumer({
    group: 'responder',
    topics: [TOPIC.alerts, TOPIC.incidents],
    stores: STORE_NAMES,
  });
  const dispatching = await orClose(deciding, () =>
    bus.consumer({ group: 'responder-dispatch', topics: [TOPIC.commands] }),
  );

  const run = async (name: 'decide' | 'dispatch', consumer: Consumer, own: Handler | Partitioned): Promise<void> => {
    const service = `responder/${name}`;
    const { failpoint } = deps;
    try {
      await runPipeline({
        service,
        consumer,
        ...own,
        deadLetter: (record, error) => deadLetter(record, error, service),
        signal: stop.signal,
        metrics,
        log,
        ...(failpoint === undefined ? {} : { failpoint: (point: Failpoint) => failpoint(name, point) }),
      });
    } finally {
      // One without the other would decide what nobody carries out.
      stop.abort();
      await consumer.close();
    }
  };
  const decide: Partitioned = {
    async open(partition, restore) {
      const memory = new Memory();
      await memory.restore(restore, partition);
      const handle = createDecidePipeline({ options, key, memory, metrics, now, policies: () => policies });
      return { handle, rollback: () => memory.rollback() };
    },
  };
  const dispatch = createDispatchPipeline({
    control,
    key,
    metrics,
    timeoutMs: options.controlTimeoutMs,
    now: () => now(0),
  });
  const both = Promise.allSettled([
    run('decide', deciding, decide),
    run('dispatch', dispatching, { handle: dispatch }),
  ]);
  const done = both.then((ends) => {
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  });
  // Whoever awaits `done` sees the error; nobody has to.
  done.catch(() => {});

  const close = async (): Promise<void> => {
    stop.abort();
    await done;
  };
  return {
    done,
    close,
    stats: () => metrics.snapshot(),
    setPolicies: (next) => {
      policies = new PolicySet(next, options.mode);
    },
    [Symbol.asyncDispose]: close,
  };
}

/** What `start` gives; when it throws, the consumer's group is given back first. */
async function orClose<T>(consumer: Consumer, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    await consumer.close();
    throw error;
  }
}
