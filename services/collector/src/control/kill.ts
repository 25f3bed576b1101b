import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { pidfdOpen, pidfdSignal, SystemCallError } from '@ringfence/host-kit';
import type { FindProcess, FoundProcess, IsProtected } from '@ringfence/response';
import type { Refusal } from './reasons.ts';

const { SIGKILL, SIGSTOP } = constants.signals;
const { ESRCH } = constants.errno;

export type KillResult =
  | {
      readonly outcome: 'executed';
      readonly executable: string;
      /** running when the process was killed; null: not known */
      readonly descendants: readonly FoundProcess[] | null;
    }
  | { readonly outcome: 'gone'; readonly executable: string }
  | { readonly outcome: 'refused'; readonly reason: Refusal; readonly executable: string }
  | { readonly outcome: 'failed'; readonly reason: string; readonly executable: string };

/** Returns all processes. */
export type ListProcesses = () => readonly FoundProcess[];

export interface KillTarget {
  readonly pid: number;
  /** Start time, ns, CLOCK_BOOTTIME */
  readonly start: bigint;
}

/**
 * Kills the process that the target names. The pidfd is opened before the pid's start time is checked: if the pid is
 * reused in between, the check fails; if it is reused after the check, the signal goes to the ended process and has no
 * effect. Calls `commit` right before the signal; an error that it throws prevents the signal. The process is stopped
 * while its descendants are listed, so that it forks no others.
 */
export function killProcess(
  target: KillTarget,
  find: FindProcess,
  isProtected: IsProtected,
  commit: () => void,
  list?: ListProcesses,
): KillResult {
  let pidfd: number;
  try {
    pidfd = pidfdOpen(target.pid);
  } catch (error) {
    return failed(error, '');
  }
  let facts: FoundProcess | null = null;
  try {
    facts = find(target.pid);
    const refusal = check(target, facts, isProtected);
    if (refusal !== null) return { outcome: 'refused', reason: refusal, executable: facts?.executable ?? '' };
    commit();
    pidfdSignal(pidfd, SIGSTOP);
    const descendants = list === undefined ? null : descendantsOf(target.pid, list);
    pidfdSignal(pidfd, SIGKILL);
    return { outcome: 'executed', executable: facts?.executable ?? '', descendants };
  } catch (error) {
    return failed(error, facts?.executable ?? '');
  } finally {
    closeSync(pidfd);
  }
}

/** Returns null when the processes cannot be listed: that prevents no kill. */
function descendantsOf(pid: number, list: ListProcesses): readonly FoundProcess[] | null {
  try {
    const byParent = Map.groupBy(list(), ({ parentTgid }) => parentTgid);
    const found = new Map((byParent.get(pid) ?? []).map((child) => [child.tgid, child]));
    for (const { tgid } of found.values()) for (const child of byParent.get(tgid) ?? []) found.set(child.tgid, child);
    found.delete(pid);
    return [...found.values()];
  } catch {
    return null;
  }
}

const SETTLE_MS = 10;
const SETTLES = 10;

/**
 * Counts the processes that are still alive a moment after their ancestor was killed: some end with it, as all those of
 * a pid namespace do. Returns -1 if the number is not known.
 */
export async function countLiving(descendants: readonly FoundProcess[] | null, find: FindProcess): Promise<number> {
  if (descendants === null) return -1;
  let living = descendants;
  try {
    for (let look = 0; look < SETTLES && living.length > 0; look++) {
      await sleep(SETTLE_MS);
      living = living.filter(({ tgid, start }) => isLiving(find(tgid), start));
    }
    return living.length;
  } catch {
    return -1;
  }
}

/** A process that has ended and was not reaped has no executable. */
const isLiving = (process: FoundProcess | null, start: bigint): boolean =>
  process !== null && process.start === start && process.executable !== '';

function check(target: KillTarget, facts: FoundProcess | null, isProtected: IsProtected): Refusal | null {
  if (target.pid === 1) return 'protected';
  if (facts === null) return 'not-verifiable';
  if (facts.start !== target.start) return 'not-the-process';
  return isProtected(facts) === null ? null : 'protected';
}

function failed(error: unknown, executable: string): KillResult {
  if (!(error instanceof Error)) throw error;
  if (error instanceof SystemCallError && error.errno === ESRCH) return { outcome: 'gone', executable };
  return { outcome: 'failed', reason: error.message.slice(0, 1024), executable };
}
