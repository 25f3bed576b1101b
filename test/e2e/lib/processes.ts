import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { ifExists } from '@ringfence/host-kit';
import type { Group } from '@ringfence/testkit/sensor';

/** Starts a program in the cgroup, and waits until it prints a line. */
export async function startReady(group: Group, ...command: readonly string[]): Promise<ChildProcess> {
  const enter = `echo $$ > ${group.path}/cgroup.procs && exec "$@"`;
  const child = spawn('/bin/sh', ['-c', enter, 'sh', ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  return child;
}

/** The state of a process, as in proc_pid_stat(5): `T` for a stopped one. X: it has ended. */
const stateOf = (pid: number): string => {
  const stat = ifExists(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return stat?.slice(stat.lastIndexOf(')') + 2)[0] ?? 'X';
};

export const isStopped = (pid: number): boolean => stateOf(pid) === 'T';

/** The living processes of a cgroup. */
export const processesIn = (group: Group): number[] =>
  readFileSync(`${group.path}/cgroup.procs`, 'utf8')
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0 && !'ZX'.includes(stateOf(pid)));
