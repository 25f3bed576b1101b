import { randomBytes } from 'node:crypto';
import { defined, type Log, type Trace } from '@ringfence/base';
import type { Bus, Consumer } from '@ringfence/bus';
import type { ControlPlane } from '@ringfence/control';
import type { Coordination } from '@ringfence/coordination';
import { type Failpoint, type Partitioned, runPipeline } from '@ringfence/service-kit';
import { deadLetter, decode, type SigningKey } from '@ringfence/wire';
import { compileResponderOptions, type ResponderOptions } from './config.ts';
import { queueOf } from './dispatch/common.ts';
import { finalResult, publishAnswer, startExecutor } from './dispatch/executor.ts';
import { Presence } from './dispatch/presence.ts';
import { Router } from './dispatch/router.ts';
import { RunClock } from './dispatch/run-clock.ts';
import { forwardInterest } from './interest/forward.ts';
import { ResponderMetrics, type ResponderStats } from './metrics.ts';
import { type OperatorOrder, type Ordered, order } from './operator-order.ts';
import { createPipeline } from './pipeline.ts';
import type { Playbook } from './playbook/playbook.ts';
import type { Policy } from './policy/policy.ts';
import { PolicySet } from './policy/policy-set.ts';
import { Memory, STORE_NAMES } from './state/memory.ts';
import type { Trusted } from './steps/verify.ts';
import { RESPONDER_TOPICS } from './topics.ts';

export interface ResponderDeps {
  readonly options: ResponderOptions;
  readonly bus: Bus;
  /** Signs commands, Results and feedback. Agents and responders know its public half. */
  readonly key: SigningKey;
  readonly policies: readonly Policy[];
  /** @default none */
  readonly playbooks?: readonly Playbook[];
  /** Reaches the agents that are attached to this process; null: none. */
  readonly control: ControlPlane | null;
  /** Jobs, leases and limits that responders share. null in a replay: commands are written and not carried out. */
  readonly coordination: Coordination | null;
  /** Name of this responder; each start adds a random suffix. @default 'responder' */
  readonly instance?: string;
  /** Keys of the detectors. @default nothing is verified, as on a log that only root can write */
  readonly trusted?: Trusted;
  /** Keys of the other responders, whose commands are routed too. @default this responder's key only */
  readonly responders?: Trusted;
  /** Sends the interest of all detectors (`ringfence.interest`) to the agents. @default false */
  readonly followInterest?: boolean;
  /** @default tracing is off */
  readonly trace?: Trace;
  readonly log: Log;
  /** Returns µs since the epoch; a replay returns the event time that it is given. @default the wall clock */
  readonly now?: (eventTime: number) => number;
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
}

export interface Responder extends AsyncDisposable {
  /** Resolves when the responder has stopped; rejects with the error that stopped it. */
  readonly done: Promise<void>;
  /** Stops sending, waits for the answers to commands that were sent, and stops after the batch in hand. */
  close(): Promise<void>;
  stats(): ResponderStats;
  /** Replaces the policies from the next record on. */
  setPolicies(policies: readonly Policy[]): void;
  /** Replaces the playbooks from the next record on. Runs keep their steps. */
  setPlaybooks(playbooks: readonly Playbook[]): void;
  /** Their files have errors: the playbooks in force stay, and `stats` has their age. */
  refusePlaybooks(): void;
  /** Orders what a person asks for, and resolves to its Result. */
  order(order: OperatorOrder, signal: AbortSignal): Promise<Ordered>;
  /** Publishes a Result that an agent sends after it has reconnected. Throws SchemaError. */
  takeResult(result: Uint8Array): Promise<void>;
}

/**
 * Starts a responder: it decides (alerts, incidents → commands) and carries out commands through the agents that are
 * attached to it (commands → results).
 */
export async function startResponder(deps: ResponderDeps): Promise<Responder> {
  const { bus, key, log } = deps;
  const options = compileResponderOptions(deps.options);
  const metrics = new ResponderMetrics();
  let policies = new PolicySet(deps.policies, options.mode);
  let playbooks = deps.playbooks ?? [];
  const responders: Trusted = (keyId) => (keyId === key.keyId ? key.publicKey : deps.responders?.(keyId));
  const shared = { ...deps, options, metrics, responders, now: deps.now ?? (() => Date.now() * 1000) };

  const stop = new AbortController();
  const consumer = await bus.consumer({ group: 'responder', topics: RESPONDER_TOPICS, stores: STORE_NAMES });
  const dispatching = await orClose(consumer, () => startDispatching(shared));
  const forwarding = deps.followInterest ? startForwarding(shared, stop.signal) : undefined;
  const done = runPipeline({
    consumer,
    ...partitioned(
      shared,
      dispatching,
      () => policies,
      () => playbooks,
    ),
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
  // Without a handler, an error that no caller awaits would end the process.
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
    setPlaybooks: (next) => {
      playbooks = next;
      metrics.playbooksRefusedAt = null;
    },
    refusePlaybooks: () => {
      metrics.playbooksRefusedAt ??= Date.now();
    },
    order: (asked, signal) =>
      order(
        { bus, key, ttlMs: options.commandTtlMs, answerGraceMs: options.answerGraceMs },
        asked,
        shared.now(0),
        signal,
      ),
    takeResult: (result) => publishAnswer(deps, finalResult(decode('Result', result))),
    [Symbol.asyncDispose]: close,
  };
}

/** Opens the memory and the handler of each partition. */
function partitioned(
  deps: Shared,
  { router, clock }: Dispatching,
  policies: () => PolicySet,
  playbooks: () => readonly Playbook[],
): Partitioned {
  const onOpen = (): void => router?.kick();
  return {
    async open(partition, restore) {
      const memory = new Memory();
      await memory.restore(restore, partition);
      router?.add(partition, memory);
      clock?.add(partition, memory);
      const handle = createPipeline({ ...deps, memory, onOpen, policies, playbooks, trusted: deps.trusted });
      return { handle, rollback: () => memory.rollback() };
    },
    closed: (partition) => {
      router?.remove(partition);
      clock?.remove(partition);
    },
  };
}

type Shared = Omit<ResponderDeps, 'options' | 'now' | 'responders' | 'playbooks'> & {
  readonly options: ReturnType<typeof compileResponderOptions>;
  readonly metrics: ResponderMetrics;
  readonly responders: Trusted;
  readonly now: (eventTime: number) => number;
};

interface Dispatching {
  readonly router: Router | null;
  /** Moves runs of playbooks on. */
  readonly clock: RunClock | null;
  /** Closes the executor before the presence: commands in hand are answered while their agents are attached. */
  readonly close: () => Promise<void>;
}

/** The router needs a coordination; presence and executor need agents as well. */
async function startDispatching(deps: Shared): Promise<Dispatching> {
  const { coordination, control, options, log, metrics } = deps;
  if (coordination === null) return { router: null, clock: null, close: async () => {} };
  const now = (): number => deps.now(0);
  // Each start has a queue of its own: jobs of an earlier start are routed again, and no job waits for a stale lock.
  const owner = `${deps.instance ?? 'responder'}.${randomBytes(4).toString('hex')}`;
  const router = new Router({ ...deps, coordination, now, queue: queueOf(owner) });
  const clock = new RunClock({ ...deps, now });
  const executor = control === null ? null : await startExecutor({ ...deps, coordination, control, owner, now });
  const ttlMs = options.attachedMs;
  const presence =
    control === null
      ? null
      : new Presence({ control, coordination, owner, ttlMs, metrics, log, onAttached: () => router.kick() });
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await router.close();
    await clock.close();
    await executor?.close();
    await presence?.close();
  };
  return {
    router,
    clock,
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

/** Returns the result of `start`; closes the consumer first if it throws. */
async function orClose<T>(consumer: Consumer, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    await consumer.close();
    throw error;
  }
}
