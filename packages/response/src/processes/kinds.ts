import { constants } from 'node:os';
import type { DoomSet, Dooms, Victim } from '@ringfence/sensor';
import { z } from 'zod';
import type { ActionKind, ActionOutcome, Plan } from '../action.ts';
import { ActionRefusedError } from '../errors.ts';
import type { FindProcess, FoundProcess, IsProtected } from './protected.ts';
import { type LivingTarget, type ProcessTarget, setOf } from './reach.ts';
import { resume } from './resume.ts';
import { socketsOf } from './sockets.ts';
import { strike } from './strike.ts';
import { PID_MAX, type Suspended, saved, suspended } from './suspended.ts';

const { SIGKILL, SIGSTOP } = constants.signals;
/** Texts of targets in a plan */
const LISTED_MAX = 100;

export interface ProcessDeps {
  readonly dooms: Dooms;
  readonly find: (pid: number) => (FoundProcess & LivingTarget) | null;
  /** All processes. */
  readonly list: () => readonly FoundProcess[];
  /** The check for protected processes at this moment. */
  readonly protection: (find: FindProcess) => IsProtected;
  /** A set of more processes is refused. */
  readonly processesMax: number;
  /** ms until a process that does not end is reported as left */
  readonly deadlineMs: number;
}

const target: z.ZodType<ProcessTarget> = z.strictObject({
  pid: z.int().min(2).max(PID_MAX),
  start: z.bigint().positive(),
  reach: z.enum(['tree', 'session', 'cgroup']),
});

interface Work {
  readonly set: DoomSet;
  readonly victims: readonly Victim[];
}

/** Kills all processes of a tree, session or cgroup. Nothing takes it back. */
export function killKind(deps: ProcessDeps): ActionKind<ProcessTarget, Work, never> {
  return {
    name: 'kill',
    parameters: target,
    inverse: null,
    plan: async (parameters) => ({ ...(await planOf(deps, parameters)), inverse: null }),
    apply: ({ work }, signal) => act(deps, work, SIGKILL, signal),
    undo: () => Promise.reject(new ActionRefusedError('not-possible', 'a kill cannot be taken back')),
  };
}

/** Stops all processes of a tree, session or cgroup until the action is taken back. */
export function suspendKind(deps: ProcessDeps): ActionKind<ProcessTarget, Work, Suspended> {
  return {
    name: 'suspend',
    parameters: target,
    inverse: suspended,
    plan: async (parameters) => {
      const plan = await planOf(deps, parameters);
      return { ...plan, inverse: suspendedBy(plan.work) };
    },
    apply: ({ work }, signal) => act(deps, work, SIGSTOP, signal),
    undo: async (inverse) => resume(deps, inverse),
  };
}

/** Takes suspensions back where no agent runs, and nothing else. */
export function resumeKind(): ActionKind<ProcessTarget, Work, Suspended> {
  const refuse = (): Promise<never> =>
    Promise.reject(new ActionRefusedError('not-possible', 'no agent runs, which could find the processes'));
  return {
    ...{ name: 'suspend', parameters: target, inverse: suspended, plan: refuse, apply: refuse },
    undo: async (inverse) => resume({ dooms: null }, inverse),
  };
}

/** Marks the processes, which shows who they are, and ends the doom again. */
async function planOf(deps: ProcessDeps, parameters: ProcessTarget): Promise<Omit<Plan<Work, never>, 'inverse'>> {
  const { pid, start } = parameters;
  const found = deps.find(pid);
  const living = found !== null && found.start === start ? found : null;
  const set = setOf(parameters, living);
  using doom = await deps.dooms.begin(set);
  const marked = doom.mark();
  const facts = factsOf(deps, marked);
  const spared = sparedOf(deps, set, marked, facts);
  const victims = marked.filter((victim) => !spared.has(victim));
  const texts = victims.slice(0, LISTED_MAX).map(({ tgid }) => `${tgid} ${facts.get(tgid)?.executable ?? '?'}`);
  if (victims.length > texts.length) texts.push(`and ${victims.length - texts.length} more`);
  return {
    targets: texts,
    radius: { processes: victims.length, ...socketsOf(victims.map(({ tgid }) => tgid)) },
    spared: [...spared.values()],
    work: { set, victims },
  };
}

function factsOf({ list, find }: ProcessDeps, victims: readonly Victim[]): ReadonlyMap<number, FoundProcess> {
  const all = victims.length < 8 ? victims.flatMap(({ tgid }) => find(tgid) ?? []) : list();
  return new Map(all.map((process) => [process.tgid, process]));
}

/**
 * Returns the protected processes among the victims, each with the reason. Only of a tree can they be spared: nothing
 * but an executable of `collector.protected` is protected below a process that is not. Otherwise the set is refused:
 * it has services of the host.
 */
function sparedOf(
  { protection, find, processesMax }: ProcessDeps,
  set: DoomSet,
  victims: readonly Victim[],
  facts: ReadonlyMap<number, FoundProcess>,
): ReadonlyMap<Victim, string> {
  if (victims.length > processesMax)
    throw new ActionRefusedError('too-large', `${victims.length} processes are more than the limit of ${processesMax}`);
  const isProtected = protection((pid) => facts.get(pid) ?? find(pid));
  const spared = new Map<Victim, string>();
  for (const victim of victims) {
    const process = facts.get(victim.tgid);
    const why = process === undefined || process.start !== victim.start ? null : isProtected(process);
    if (why !== null) spared.set(victim, `${victim.tgid} ${process?.executable}: ${why}`);
  }
  const [first] = spared.values();
  const isRoot = [...spared.keys()].some(({ tgid, start }) => tgid === set.root?.tgid && start === set.root.start);
  if (first !== undefined && (set.root === undefined || isRoot)) throw new ActionRefusedError('protected', first);
  return spared;
}

async function act(deps: ProcessDeps, { set }: Work, signal: number, abort: AbortSignal): Promise<ActionOutcome> {
  using doom = await deps.dooms.begin(set);
  // Processes may have joined since the plan.
  const marked = doom.mark();
  doom.spare([...sparedOf(deps, set, marked, factsOf(deps, marked)).keys()]);
  const victims = doom.mark();
  if (victims.length === 0) return { outcome: 'gone', reason: '', facts: { processes: '0', left: '0' } };
  const { seen, left } = await strike(doom, signal, deps.deadlineMs, abort);
  const facts = { processes: String(Math.max(seen, victims.length)), left: String(left.length) };
  if (left.length === 0) return { outcome: 'executed', reason: '', facts };
  const pids = left.slice(0, 10).map(({ tgid }) => tgid);
  const what = signal === SIGKILL ? 'have the signal but have not ended' : 'have the signal but have not stopped';
  const reason = `${left.length} processes ${what}, such as ${pids.join(', ')}: they wait in the kernel (state D) or for a processor`;
  return { outcome: 'executed', reason, facts };
}

function suspendedBy({ set, victims }: Work): Suspended {
  return {
    root: set.root === undefined ? null : saved(set.root),
    cgroup: String(set.cgroup ?? 0n),
    session: set.session ?? 0,
    loginSession: set.loginSession ?? 0,
    processes: victims.filter(({ isStopped }) => !isStopped).map(saved),
    stopped: victims.filter(({ isStopped }) => isStopped).map(saved),
  };
}
