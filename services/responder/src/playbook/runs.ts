import { type Log, LogThrottle } from '@ringfence/base';
import type { OutRecord } from '@ringfence/bus';
import type { InputPosition } from '@ringfence/service-kit';
import {
  type Act,
  type Approval,
  asBuffer,
  type Command,
  decode,
  type Reach,
  type Result,
  type RunResult,
  type RunSignal,
  type RunStart,
  TOPIC,
  U64_ZERO,
} from '@ringfence/wire';
import type { CompiledResponderOptions } from '../config.ts';
import type { ResponderMetrics } from '../metrics.ts';
import { durationMs, isOfPlaybook, PLAYBOOK_PREFIX } from '../policy/policy.ts';
import type { Memory } from '../state/memory.ts';
import type { Cause } from '../steps/order-kill.ts';
import type { Target } from '../steps/target.ts';
import { idOfOrder, type OfRun } from './ids.ts';
import type { Step } from './playbook.ts';
import { answered, approved, begin, elapsed, type Ordered, type Orders, type Run, stepsOf } from './run.ts';
import { nameInValue, runValue } from './values.ts';

/** Runs of a partition that go on at the same time: their steps are kept in memory. */
const ACTIVE_MAX = 1000;
const WARN_EVERY_MS = 60_000;

export interface RunsDeps {
  readonly options: CompiledResponderOptions;
  readonly memory: Memory;
  readonly metrics: ResponderMetrics;
  readonly orderKill: (cause: Cause, position: InputPosition) => readonly OutRecord[];
  /** Returns µs since the epoch: the wall clock, or in a replay the event time that it is given. */
  readonly now: (eventTime: number) => number;
  readonly log: Log;
}

type Move = (run: Run, at: number, orders: Orders) => Run;

/** The runs of the hosts of one partition. Every change of a run is here; its orders go the way of policies' orders. */
export class Runs {
  readonly #deps: RunsDeps;
  readonly #warnings = new LogThrottle(WARN_EVERY_MS);

  constructor(deps: RunsDeps) {
    this.#deps = deps;
  }

  /** A run begins, a step is approved, or the time of a step is over. The caller has verified the signature. */
  take(signal: RunSignal, position: InputPosition): readonly OutRecord[] {
    const { id, begun, step, approvals, at } = signal;
    if (begun !== null) return this.#begin(signal, begun, position);
    if (approvals.length > 0)
      return this.#move(id, at, position, (run, time, orders) => approved(run, step, approvals, time, orders));
    return this.#move(id, at, position, elapsed);
  }

  /** A command of a run has its Result. */
  answered(
    command: Command,
    { outcome, reason, children, at }: FinalResult,
    position: InputPosition,
  ): readonly OutRecord[] {
    if (!isOfPlaybook(command)) return [];
    const [id] = [...this.#deps.memory.runs.entries()].find(([, run]) => run.command === command.id) ?? [];
    if (id === undefined) return [];
    const answer = { outcome, reason, left: children };
    return this.#move(id, at, position, (run, time, orders) => answered(run, command.id, answer, time, orders));
  }

  #begin({ id, hostId }: RunSignal, begun: RunStart, position: InputPosition): readonly OutRecord[] {
    const { memory, metrics, options, now, log } = this.#deps;
    if (memory.runs.get(id) !== undefined) return [];
    if (activeRuns(memory).length >= ACTIVE_MAX) {
      metrics.run('too-many');
      const suppressed = this.#warnings.shouldLog('too-many');
      if (suppressed !== null)
        log.warn({ playbook: begun.playbook, host: hostId, suppressed }, `more than ${ACTIVE_MAX} runs of playbooks`);
      return [];
    }
    const at = now(begun.timestamp);
    const isStale = begun.mode === 'enforce' && at - begun.timestamp > options.maxCauseAgeMs * 1000;
    if (isStale) metrics.refused('stale');
    metrics.run('begun');
    const start: RunStart = isStale ? { ...begun, mode: 'observe' } : begun;
    return this.#collecting(id, position, (orders) => begin(start, hostId, at, orders));
  }

  #move(id: string, eventTime: number, position: InputPosition, move: Move): readonly OutRecord[] {
    const run = this.#deps.memory.runs.get(id);
    if (run === undefined || run.phase === 'over') return [];
    const at = this.#deps.now(eventTime);
    return this.#collecting(id, position, (orders) => move(run, at, orders));
  }

  /** Stores the run that `next` returns, and returns what it has ordered. */
  #collecting(id: string, position: InputPosition, next: (orders: Orders) => Run): readonly OutRecord[] {
    const { memory, metrics } = this.#deps;
    const outputs: OutRecord[] = [];
    const orders: Orders = {
      order: (run, step, approvals, at) => this.#order(id, run, step, approvals, { at, position, outputs }),
      undo: (run, done, at) => this.#undo(id, run, done, { at, position, outputs }),
    };
    const before = memory.runs.get(id);
    const run = next(orders);
    if (run === before) return [];
    memory.runs.set(id, run, position);
    for (const { outcome } of run.results.slice(before?.results.length ?? 0)) metrics.step(outcome);
    if (run.end !== '') metrics.run(run.end);
    return outputs;
  }

  #order(id: string, run: Run, step: Step, approvals: readonly Approval[], giving: Giving): Ordered {
    const { begun, hostId } = run;
    const parameters: Record<string, string> = {};
    for (const [name, text] of Object.entries(step.parameters)) {
      const wanted = nameInValue(text);
      const value = wanted === undefined ? text : runValue(wanted, begun, hostId);
      if (value === undefined) {
        const reason = `the alert has no ${wanted}, or only a part of it`;
        return { command: '', answer: { outcome: 'no-value', reason, left: -1 } };
      }
      parameters[name] = value;
    }
    const forMs = step.for === undefined ? 0 : durationMs(step.for);
    const order = { id, ordinal: run.step, parameters, approvals };
    const what = { action: step.do as Act, reach: step.reach, forMs, about: step.name };
    return this.#give(run, what, order, giving);
  }

  #undo(id: string, run: Run, done: RunResult, giving: Giving): Ordered {
    const about = `undo of ${stepsOf(run.begun)[done.step]?.name ?? ''}`;
    const order = { id, ordinal: done.step, parameters: { command: done.command }, approvals: [] };
    return this.#give(run, { action: 'undo', reach: 'host', forMs: 0, about }, order, giving);
  }

  #give(run: Run, { action, reach, forMs, about }: What, order: OfRun, { at, position, outputs }: Giving): Ordered {
    const { begun } = run;
    const verdict = { policy: `${PLAYBOOK_PREFIX}${begun.playbook}`, mode: begun.mode, action, reach, forMs };
    const target = reach === 'host' ? withoutProcess(targetOf(run, at)) : targetOf(run, at);
    const cause: Cause = {
      ...{ id: begun.cause, target, verdict, since: at, ofRun: order },
      reason: `playbook "${begun.playbook}", step ${about} (run ${order.id})`,
    };
    const given = this.#deps.orderKill(cause, position);
    outputs.push(...given);
    const result = given.find(({ topic }) => topic === TOPIC.results)?.value;
    const command = idOfOrder(order, action, reach, target);
    if (result === undefined || result === null) return { command, answer: null };
    const { outcome, reason, children } = decode('Result', result);
    return { command, answer: { outcome, reason, left: children } };
  }
}

type FinalResult = Pick<Result, 'outcome' | 'at' | 'children' | 'reason'>;

interface What {
  readonly action: Act;
  readonly reach: Reach;
  readonly forMs: number;
  readonly about: string;
}

interface Giving {
  readonly at: number;
  readonly position: InputPosition;
  readonly outputs: OutRecord[];
}

/** Runs that go on. */
export function activeRuns({ runs }: Memory): (Run & { readonly id: string })[] {
  return [...runs.entries()].flatMap(([id, run]) => (run.phase === 'over' ? [] : [{ id, ...run }]));
}

/** The age of the cause counted when the run began: `at` is that of the order. */
function targetOf({ begun, hostId }: Run, at: number): Target {
  const { alertId, rule, priority, bootId, entityId, pid, start, executable } = begun;
  return {
    ...{ alertId, rule, priority, tactics: [], action: null, timestamp: at, hostId, bootId, entityId, pid, executable },
    ...{ start: asBuffer(start), cgroupPath: '', image: '' },
  };
}

const withoutProcess = (target: Target): Target => ({
  ...target,
  ...{ bootId: '', entityId: '', pid: 0, start: U64_ZERO, executable: '' },
});
