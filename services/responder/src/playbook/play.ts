import type { RunStart } from '@ringfence/wire';
import type { Step } from './playbook.ts';
import {
  type Answer,
  approved,
  begin,
  elapsed,
  type Ordered,
  type Orders,
  type Run,
  type RunEnd,
  stepsOf,
} from './run.ts';
import { nameInValue, runValue } from './values.ts';

/** One thing that a run does. */
export interface PlayedStep {
  /** `suspend`; `undo suspend` */
  readonly name: string;
  /** ms since the run began */
  readonly afterMs: number;
  /** The action with its parameters, for people */
  readonly what: string;
  readonly outcome: string;
}

export interface Played {
  readonly steps: readonly PlayedStep[];
  readonly end: RunEnd;
}

export interface PlayOptions {
  /** Outcomes of steps by their names, or of undos as `undo NAME`. @default 'executed' */
  readonly results?: Readonly<Record<string, string>>;
  /** Whether approvals are given. @default true */
  readonly approves?: boolean;
}

/** Plays a run as the responder would, without a host: waits end at once, and each action has the given outcome. */
export function play(begun: RunStart, hostId: string, { results = {}, approves = true }: PlayOptions = {}): Played {
  const steps = stepsOf(begun);
  const played: PlayedStep[] = [];
  const note = (name: string, what: string, at: number): Ordered => {
    const outcome = results[name] ?? 'executed';
    played.push({ name, afterMs: (at - begun.timestamp) / 1000, what, outcome });
    return { command: `command ${played.length}`, answer: outcome === 'unanswered' ? null : answerOf(outcome) };
  };
  const orders: Orders = {
    order: (run, step, _, at) => {
      const missing = missingValue(step, run);
      return missing === undefined
        ? note(step.name, whatOf(step, run), at)
        : { command: '', answer: { outcome: 'no-value', reason: missing, left: -1 } };
    },
    undo: (_, done, at) => note(`undo ${steps[done.step]?.name}`, 'undo', at),
  };
  let run = begin(begun, hostId, begun.timestamp, orders);
  while (run.phase !== 'over') run = passed(run, steps, approves, orders);
  return { steps: played, end: run.end as RunEnd };
}

/** Goes on to the end of the phase. */
function passed(run: Run, steps: readonly Step[], approves: boolean, orders: Orders): Run {
  if (run.phase !== 'approval' || !approves) return elapsed(run, run.due, orders);
  const approvals = Array.from({ length: steps[run.step]?.approve ?? 0 }, (_, at) => ({
    keyId: `approver ${at}`,
    signature: new Uint8Array(64),
  }));
  return approved(run, run.step, approvals, run.since, orders);
}

const answerOf = (outcome: string): Answer => ({ outcome, reason: '', left: outcome === 'executed' ? 0 : -1 });

function missingValue({ parameters }: Step, { begun, hostId }: Run): string | undefined {
  return Object.values(parameters)
    .map(nameInValue)
    .find((name) => name !== undefined && runValue(name, begun, hostId) === undefined);
}

function whatOf({ do: act, reach, parameters, for: time }: Step, { begun, hostId }: Run): string {
  const given = Object.entries(parameters).map(([name, text]) => {
    const wanted = nameInValue(text);
    return `${name}=${wanted === undefined ? text : runValue(wanted, begun, hostId)}`;
  });
  const duration = time === undefined ? [] : [`for ${time}`];
  return [act, ...(reach === 'host' ? [] : [reach]), ...given, ...duration].join(' ');
}
