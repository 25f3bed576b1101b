/**
 * A run of a playbook, as pure functions: what a run does next depends on the run, the time and the answers alone. The
 * responder, the test tables and the simulation use the same functions.
 *
 *     waiting   The pause of the step in hand is not over.
 *     approval  The command of the step needs approvals.
 *     ordered   The step's command has no Result.
 *     undoing   A step has failed, and the command that takes an earlier one back has no Result.
 *     over      It has ended, as `end` says: completed, stopped, undone, undo-failed.
 */
import type { Approval, RunResult, RunStart, StatePlaybookRun } from '@ringfence/wire';
import { durationMs } from '../policy/policy.ts';
import { compileCondition, type StepFacts } from './condition.ts';
import { type Step, stepsSchema, takesBack } from './playbook.ts';

export type Phase = 'waiting' | 'approval' | 'ordered' | 'undoing' | 'over';
export type RunEnd = 'completed' | 'stopped' | 'undone' | 'undo-failed';

export interface Run extends Omit<StatePlaybookRun, 'phase' | 'end'> {
  readonly phase: Phase;
  /** Empty: it goes on. */
  readonly end: RunEnd | '';
}

/** What became of a command. */
export interface Answer {
  readonly outcome: string;
  readonly reason: string;
  /** Descendants of a killed process that live on; -1: not known */
  readonly left: number;
}

/** An order: its command, and the answer where it has one at once. */
export interface Ordered {
  /** Empty: nothing was ordered */
  readonly command: string;
  readonly answer: Answer | null;
}

/** Gives the orders of a run. `at`: µs since the epoch */
export interface Orders {
  order(run: Run, step: Step, approvals: readonly Approval[], at: number): Ordered;
  /** Takes back what a step did. */
  undo(run: Run, done: RunResult, at: number): Ordered;
}

/** Deadline of a step for its Result, and of an undo */
const RESULT_WITHIN = '5m';
/** Deadline of a step for its approvals */
const APPROVAL_WITHIN = '1h';
/** Of a Result, in the state */
const REASON_MAX = 512;
const CACHED_MAX = 200;

/** Outcomes with which a run goes on: `observed` stands for what would have been carried out. */
const GOOD: readonly string[] = ['executed', 'observed', 'gone', 'skipped'];
/** Outcomes after which the action may be in force. */
const MAYBE_DONE: readonly string[] = ['executed', 'observed', 'expired', 'unanswered'];
/** The agent knows no such action: it was never carried out. */
const NEVER_DONE = 'unknown-command';

const cached = new Map<string, readonly Step[]>();

/** Returns the steps that a run has stored. Throws an error if they are none. */
export function stepsOf({ steps: text }: Pick<RunStart, 'steps'>): readonly Step[] {
  const known = cached.get(text);
  if (known !== undefined) return known;
  const steps = stepsSchema.parse(JSON.parse(text));
  if (cached.size >= CACHED_MAX) cached.clear();
  cached.set(text, steps);
  return steps;
}

/** Begins a run, and goes on as far as it can. Times are µs since the epoch. */
export function begin(begun: RunStart, hostId: string, at: number, orders: Orders): Run {
  const run: Run = {
    ...{ hostId, begun, step: 0, phase: 'waiting', since: at, due: at, command: '', end: '', results: [] },
  };
  return proceed(run, at, orders, {});
}

/** A Result has arrived. The run does not change if it awaits another one. */
export function answered(run: Run, command: string, answer: Answer, at: number, orders: Orders): Run {
  if (run.command !== command || command === '') return run;
  if (run.phase === 'undoing') return undoNext(withUndone(run, answer), at, orders);
  return run.phase === 'ordered' ? goOn(run, command, answer, at, orders) : run;
}

/** The time of a phase is over. The run does not change before that. */
export function elapsed(run: Run, at: number, orders: Orders): Run {
  if (run.phase === 'over' || at < run.due) return run;
  if (run.phase === 'waiting') return proceed(run, at, orders, { waited: true });
  const outcome = run.phase === 'approval' ? 'unapproved' : 'unanswered';
  const answer = { outcome, reason: `nothing came within ${(run.due - run.since) / 1_000_000} s`, left: -1 };
  if (run.phase === 'undoing') return undoNext(withUndone(run, answer), at, orders);
  return goOn(run, run.command, answer, at, orders);
}

/** Approvals of the step in hand, which the caller has verified. The run does not change if they are too few. */
export function approved(run: Run, step: number, approvals: readonly Approval[], at: number, orders: Orders): Run {
  if (run.phase !== 'approval' || step !== run.step || at >= run.due) return run;
  const needed = stepsOf(run.begun)[run.step]?.approve ?? 0;
  if (new Set(approvals.map(({ keyId }) => keyId)).size < needed) return run;
  return proceed(run, at, orders, { waited: true, approvals });
}

/** What the step in hand has behind it. */
interface Gate {
  readonly waited?: boolean;
  readonly approvals?: readonly Approval[];
}

function proceed(from: Run, at: number, orders: Orders, gate: Gate): Run {
  const steps = stepsOf(from.begun);
  let run = from;
  let passed = gate;
  for (;;) {
    const step = steps[run.step];
    if (step === undefined) return over(run, 'completed', at);
    if (step.wait !== undefined && passed.waited !== true) return inPhase(run, 'waiting', step.wait, at);
    const isSkipped = passed.approvals === undefined && !isWanted(run, step, steps);
    if (!isSkipped && step.do !== undefined) {
      if (step.approve > 0 && run.begun.mode === 'enforce' && passed.approvals === undefined)
        return inPhase(run, 'approval', step.within ?? APPROVAL_WITHIN, at);
      const { command, answer } = orders.order(run, step, passed.approvals ?? [], at);
      if (answer === null) return { ...inPhase(run, 'ordered', step.within ?? RESULT_WITHIN, at), command };
      return goOn(run, command, answer, at, orders);
    }
    run = isSkipped ? withResult(run, '', { outcome: 'skipped', reason: '', left: -1 }) : run;
    run = { ...run, step: run.step + 1 };
    passed = {};
  }
}

/** The step in hand has ended: what comes next depends on how. */
function goOn(run: Run, command: string, answer: Answer, at: number, orders: Orders): Run {
  const ended = withResult(run, command, answer);
  const onFailure = stepsOf(run.begun)[run.step]?.on_failure ?? 'stop';
  if (GOOD.includes(answer.outcome) || onFailure === 'continue')
    return proceed({ ...ended, step: run.step + 1, command: '' }, at, orders, {});
  return onFailure === 'stop' ? over(ended, 'stopped', at) : undoNext(ended, at, orders);
}

/** Takes back what the run did, the newest first. */
function undoNext(from: Run, at: number, orders: Orders): Run {
  const steps = stepsOf(from.begun);
  let run = from;
  for (;;) {
    const done = run.results.findLast((result) => isToUndo(result, steps));
    if (done === undefined) return over(run, run.results.some(isLeftDone) ? 'undo-failed' : 'undone', at);
    const { command, answer } = orders.undo(run, done, at);
    run = { ...inPhase(run, 'undoing', RESULT_WITHIN, at), command };
    if (answer === null) return run;
    run = withUndone(run, answer);
  }
}

function isToUndo({ step, command, outcome, undone }: RunResult, steps: readonly Step[]): boolean {
  const act = steps[step]?.do;
  return act !== undefined && takesBack(act) && command !== '' && undone === '' && MAYBE_DONE.includes(outcome);
}

const isLeftDone = ({ undone }: RunResult): boolean => undone !== '' && !GOOD.includes(undone);

/** Notes the answer to the undo in hand, which is about the newest action that is not taken back. */
function withUndone(run: Run, { outcome, reason }: Answer): Run {
  const steps = stepsOf(run.begun);
  const at = run.results.findLastIndex((result) => isToUndo(result, steps));
  const undone = reason === NEVER_DONE ? 'gone' : outcome;
  return { ...run, command: '', results: run.results.map((each, i) => (i === at ? { ...each, undone } : each)) };
}

function withResult(run: Run, command: string, { outcome, reason, left }: Answer): Run {
  const result = { step: run.step, command, outcome, reason: reason.slice(0, REASON_MAX), left, undone: '' };
  return { ...run, results: [...run.results, result] };
}

function inPhase(run: Run, phase: Phase, within: string, at: number): Run {
  return { ...run, phase, since: at, due: at + durationMs(within) * 1000, command: '' };
}

/** A run that is over keeps only what it did. */
function over(run: Run, end: RunEnd, at: number): Run {
  const begun = { ...run.begun, steps: '[]', values: {} };
  return { ...run, begun, phase: 'over', since: at, due: 0, command: '', end };
}

function isWanted(run: Run, step: Step, steps: readonly Step[]): boolean {
  if (step.if === undefined) return true;
  const earlier = steps.slice(0, run.step).map(({ name }) => name);
  const facts = new Map<string, StepFacts>();
  for (const { step: index, ...result } of run.results) {
    const name = steps[index]?.name;
    // What was only observed counts as carried out: the record then has all that would have been done.
    const outcome = result.outcome === 'observed' ? 'executed' : result.outcome;
    if (name !== undefined) facts.set(name, { ...result, outcome });
  }
  return compileCondition(step.if, earlier).holds?.({ run: run.begun, hostId: run.hostId, steps: facts }) ?? false;
}
