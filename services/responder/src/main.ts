import { randomBytes } from 'node:crypto';
import { defined, type Log, type Trace } from '@ringfence/base';
import type { Bus, Consumer } from '@ringfence/bus';
import type { ControlPlane } from '@ringfence/control';
import type { Coordination } from '@ringfence/coordination';
import { type Failpoint, type Partitioned, runPipeline } from '@ringfence/service-kit';
import { deadLetter, decode, type SigningKey } from '@ringfence/wire';
import { compileResponderOptions, type ResponderOptions } from './config.ts';
import { answer, finalResult, startExecutor } from './dispatch/executor.ts';
import { queueOf } from './dispatch/names.ts';
import { Presence } from './dispatch/presence.ts';
import { Router } from './dispatch/router.ts';
import { forwardInterest } from './interest/forward.ts';
import { ResponderMetrics, type ResponderStats } from './metrics.ts';
import { createPipeline } from './pipeline.ts';
import type { Policy } from './policy/policy.ts';
import { PolicySet } from './policy/policy-set.ts';
import { Memory, STORE_NAMES } from './steps/memory.ts';
import type { Trusted } from './steps/verify.ts';
import { RESPONDER_TOPICS } from './topics.ts';

export interface ResponderDeps {
  readonly options: ResponderOptions;
  readonly bus: Bus;
  /** signs the commands; agents know its public half */
  readonly key: SigningKey;
  readonly policies: readonly Policy[];
  /** the agents reached from here; null: none */
  readonly control: ControlPlane | null;
  /** What responders share. null: commands are written, and nobody carries them out: a replay. */
  readonly coordination: Coordination | null;
  /** its name among the responders; each start makes another one of it. @default 'responder' */
  readonly instance?: string;
  /** Keys of detectors: what they did not sign leads to nothing. @default nothing is verified, as on a log that is root's alone */
  readonly trusted?: Trusted;
  /** Keys of responders: commands of others are routed too. @default its own alone */
  readonly responders?: Trusted;
  /** Tells agents what the rules of all detectors can match, by `ringfence.interest`. @default false: somebody else does */
  readonly followInterest?: boolean;
  /** Told what was done about alerts. @default nobody */
  readonly trace?: Trace;
  readonly log: Log;
  /** µs since the epoch, given the time of what is decided about. @default the wall clock */
  readonly now?: (eventTime: number) => number;
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
}

export interface Responder extends AsyncDisposable {
  /** Settles when it has stopped; rejects with what stopped it. */
  readonly done: Promise<void>;
  /** Sends no more, waits for the answers to what was sent, ends after the batch in hand. */
  close(): Promise<void>;
  stats(): ResponderStats;
  /** Other policies from the next record on. */
  setPolicies(policies: readonly Policy[]): void;
  /** An agent's Result that came unasked, after a reconnect. It is on the bus when this resolves. Throws SchemaError. */
  takeResult(result: Uint8Array): Promise<void>;
}

/** Starts deciding (alerts, incidents → commands), and carrying out through the agents attached here (commands → results). */
export async function startResponder(deps: ResponderDeps): Promise<Responder> {
  const { bus, key, log } = deps;
  const options = compileResponderOptions(deps.options);
  const metrics = new ResponderMetrics();
  let policies = new PolicySet(deps.policies, options.mode);
  const responders: Trusted = (keyId) => (keyId === key.keyId ? key.publicKey : deps.responders?.(keyId));
  const shared = { ...deps, options, metrics, responders, now: deps.now ?? (() => Date.now() * 1000) };

  const stop = new AbortController();
  const consumer = await bus.consumer({ group: 'responder', topics: RESPONDER_TOPICS, stores: STORE_NAMES });
  const dispatching = await orClose(consumer, () => startDispatching(shared));
  const forwarding = deps.followInterest ? startForwarding(shared, stop.signal) : undefined;
  const done = runPipeline({
    service: 'responder',
    consumer,
    ...partitioned(shared, dispatching.router, () => policies),
    deadLetter: (record, error) => deadLetter(record, error, 'responder'),
    signal: stop.signal,
    metrics,
    log,
    ...defined({ failpoint: deps.failpoint }),
  }).finally(async () => {
    stop.abort();
    await dispatching.close();
    await forwarding;
    await consumer.close();
  });
  // Whoever awaits `done` sees the error; nobody has to.
  done.catch(() => {});

  const close = async (): Promise<void> => {
    await dispatching.close();
    stop.abort();
    await done;
  };
  return {
    done,
    close,
    stats: () => metrics.snapshot(deps.coordination?.stats() ?? null),
    setPolicies: (next) => {
      policies = new PolicySet(next, options.mode);
    },
    takeResult: (result) => answer(deps, finalResult(decode('Result', result))),
    [Symbol.asyncDispose]: close,
  };
}

/** The memory of each partition, and what is done over it. */
function partitioned(deps: Shared, router: Router | null, policies: () => PolicySet): Partitioned {
  const { trace, trusted } = deps;
  const { options, key, metrics, now, responders } = deps;
  const opened = (): void => router?.kick();
  return {
    async open(partition, restore) {
      const memory = new Memory();
      await memory.restore(restore, partition);
      router?.add(partition, memory);
      const handle = createPipeline({
        ...{ options, key, memory, metrics, now, trusted, responders, opened, policies, trace },
      });
      return { handle, rollback: () => memory.rollback() };
    },
    closed: (partition) => router?.remove(partition),
  };
}

type Shared = Omit<ResponderDeps, 'options' | 'now' | 'responders'> & {
  readonly options: ReturnType<typeof compileResponderOptions>;
  readonly metrics: ResponderMetrics;
  readonly responders: Trusted;
  readonly now: (eventTime: number) => number;
};

interface Dispatching {
  readonly router: Router | null;
  /** Once: the executor before the presence, so that what is in hand is answered while its agents are still ours. */
  readonly close: () => Promise<void>;
}

/** The router needs what responders share; presence and executor need agents as well. */
async function startDispatching(deps: Shared): Promise<Dispatching> {
  const { coordination, control, options, log, metrics } = deps;
  if (coordination === null) return { router: null, close: async () => {} };
  const now = (): number => deps.now(0);
  // A start has a queue of its own: what an earlier one left is routed again, and nothing waits for locks of the dead.
  const owner = `${deps.instance ?? 'responder'}.${randomBytes(4).toString('hex')}`;
  const router = new Router({ ...deps, coordination, now, queue: queueOf(owner) });
  const executor = control === null ? null : await startExecutor({ ...deps, coordination, control, owner, now });
  const ttlMs = options.attachedMs;
  const presence =
    control === null
      ? null
      : new Presence({ control, coordination, owner, ttlMs, metrics, log, held: () => router.kick() });
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await router.close();
    await executor?.close();
    await presence?.close();
  };
  return {
    router,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

function startForwarding(deps: Shared, signal: AbortSignal): Promise<void> | undefined {
  const { control, trusted } = deps;
  return control === null ? undefined : forwardInterest({ ...deps, control, trusted, signal, now: () => deps.now(0) });
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
