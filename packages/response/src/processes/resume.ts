import { closeSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { ifExists, pidfdOpen, pidfdSignal, SystemCallError } from '@ringfence/host-kit';
import type { Dooms, Victim } from '@ringfence/sensor';
import type { ActionOutcome } from '../action.ts';
import type { Suspended } from './suspended.ts';

const { SIGCONT } = constants.signals;
const { ESRCH } = constants.errno;
const NS_PER_TICK = 10_000_000n;

/**
 * Continues the processes that a suspension stopped, and those that they had started by then, but none that had been
 * stopped before. Without dooms, as when no agent runs, only those that the plan found: their children were stopped a
 * moment after them at most.
 */
export async function resume({ dooms }: { readonly dooms: Dooms | null }, inverse: Suspended): Promise<ActionOutcome> {
  const before = new Set(inverse.stopped.map(({ tgid, start }) => `${tgid} ${start}`));
  const processes = new Map(inverse.processes.map(({ tgid, start }) => [`${tgid} ${start}`, tgid]));
  for (const { tgid, start } of await living(dooms, inverse)) processes.set(`${tgid} ${start}`, tgid);
  let resumed = 0;
  for (const [key, tgid] of processes) {
    if (before.has(key)) continue;
    if (continueProcess(tgid, BigInt(key.slice(key.indexOf(' ') + 1)))) resumed++;
  }
  return { outcome: resumed === 0 ? 'gone' : 'executed', reason: '', facts: { resumed: String(resumed) } };
}

async function living(dooms: Dooms | null, { root, cgroup, session, loginSession }: Suspended): Promise<Victim[]> {
  using doom =
    (await dooms?.begin({
      ...(root === null ? {} : { root: { tgid: root.tgid, start: BigInt(root.start) } }),
      ...{ cgroup: BigInt(cgroup), session, loginSession },
    })) ?? null;
  return doom?.mark().filter(({ isStopped }) => isStopped) ?? [];
}

/** Opens the process before it compares the start, so that a reused pid gets no signal. */
function continueProcess(pid: number, start: bigint): boolean {
  let pidfd: number;
  try {
    pidfd = pidfdOpen(pid);
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === ESRCH) return false;
    throw error;
  }
  try {
    if (startTicks(pid) !== start / NS_PER_TICK) return false;
    pidfdSignal(pidfd, SIGCONT);
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === ESRCH) return false;
    throw error;
  } finally {
    closeSync(pidfd);
  }
}

/** Field 22 of proc_pid_stat(5): start in ticks of 10 ms since the boot, which is the start in ns rounded down. */
function startTicks(pid: number): bigint | null {
  const stat = ifExists(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const ticks = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return ticks === undefined ? null : BigInt(ticks);
}
