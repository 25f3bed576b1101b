import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { pidfdOpen, pidfdSignal, SystemCallError } from '@ringfence/host-kit';
import type { FindProcess, FoundProcess, IsProtected } from './protected.ts';
import type { Refusal } from './reasons.ts';

const { SIGKILL } = constants.signals;
const { ESRCH } = constants.errno;

export type KillResult =
  | { readonly outcome: 'executed' | 'gone'; readonly executable: string }
  | { readonly outcome: 'refused'; readonly reason: Refusal; readonly executable: string }
  | { readonly outcome: 'failed'; readonly reason: string; readonly executable: string };

export interface KillTarget {
  readonly pid: number;
  /** Start time, ns, CLOCK_BOOTTIME */
  readonly start: bigint;
}

/**
 * Kills the process that the target names. The pidfd is opened before the pid's start time is checked: if the pid is
 * reused in between, the check fails; if it is reused after the check, the signal goes to the ended process and has no
 * effect. Calls `commit` right before the signal; an error that it throws prevents the signal.
 */
export function killProcess(
  target: KillTarget,
  find: FindProcess,
  isProtected: IsProtected,
  commit: () => void,
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
    pidfdSignal(pidfd, SIGKILL);
    return { outcome: 'executed', executable: facts?.executable ?? '' };
  } catch (error) {
    return failed(error, facts?.executable ?? '');
  } finally {
    closeSync(pidfd);
  }
}

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
