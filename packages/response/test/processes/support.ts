import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Dooms, factsAt, type ProcessFacts, readProcesses, SNAPSHOT } from '@ringfence/sensor';
import type { Group, TestSensor } from '@ringfence/testkit/sensor';
import type { ProcessDeps } from '../../src/index.ts';

/** Returns what the process actions need, with the sensor of a test. */
export function processDeps({ object }: TestSensor, overrides: Partial<ProcessDeps> = {}): ProcessDeps {
  const list = (options: { tgid?: number } = {}): ProcessFacts[] => {
    const snapshot = readProcesses(object.program(SNAPSHOT), options);
    return snapshot.offsets.map((at) => factsAt(snapshot, at));
  };
  return {
    dooms: new Dooms(object),
    find: (tgid) => list({ tgid })[0] ?? null,
    list: () => list(),
    protection: () => () => null,
    processesMax: 5000,
    // A busy machine may take seconds to let a process end that has the signal.
    deadlineMs: 60_000,
    ...overrides,
  };
}

/** Starts a program in the cgroup, and waits until it prints a line. */
export async function startReady(group: Group, ...command: readonly string[]): Promise<ChildProcess> {
  const enter = `echo $$ > ${group.path}/cgroup.procs && exec "$@"`;
  const child = spawn('/bin/sh', ['-c', enter, 'sh', ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  return child;
}

/** The living processes of a cgroup. */
export const processesIn = (group: Group): number[] =>
  readFileSync(`${group.path}/cgroup.procs`, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(Number)
    .filter((pid) => pid > 0 && !hasEnded(pid));

/** PF_EXITING of include/linux/sched.h: the process runs no instruction of its program any more. */
const EXITING = 4;

function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state = 'X', , , , , , flags] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return 'ZX'.includes(state) || (Number(flags) & EXITING) !== 0;
  } catch {
    return true;
  }
}
