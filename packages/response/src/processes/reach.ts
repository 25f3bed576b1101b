import { readFileSync } from 'node:fs';
import { ifExists } from '@ringfence/host-kit';
import type { DoomSet } from '@ringfence/sensor';
import { ActionRefusedError } from '../errors.ts';

/** The process that an action is aimed at. */
export interface ProcessTarget {
  readonly pid: number;
  /** ns, CLOCK_BOOTTIME */
  readonly start: bigint;
  /** How far the action reaches around it. */
  readonly reach: 'tree' | 'session' | 'cgroup';
}

/** What is known of the target while it lives. */
export interface LivingTarget {
  /** id of its cgroup in the v2 hierarchy */
  readonly cgroup: bigint;
}

/** Id of the root of the v2 hierarchy. */
const ROOT_CGROUP = 1n;
/** loginuid and sessionid of a process that no login started */
const UNSET = 0xff_ff_ff_ff;

/**
 * Returns the processes that the action reaches. A tree has the descendants of a process that has ended too; a session
 * or a cgroup can be found only while the process lives. Throws ActionRefusedError.
 */
export function setOf({ pid, start, reach }: ProcessTarget, living: LivingTarget | null): DoomSet {
  if (reach === 'tree') return { root: { tgid: pid, start } };
  if (living === null)
    throw new ActionRefusedError(
      'not-the-target',
      `process ${pid} has ended, so its ${reach} is unknown: order its tree instead`,
    );
  if (reach === 'session') return sessionOf(pid);
  if (living.cgroup <= ROOT_CGROUP)
    throw new ActionRefusedError('protected', `process ${pid} is in the root cgroup, which has the whole host`);
  return { cgroup: living.cgroup };
}

/** A login session, where the audit system numbers them, and the session that the process belongs to. */
function sessionOf(pid: number): DoomSet {
  const stat = ifExists(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const session = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[3] ?? 0);
  const login = Number(ifExists(() => readFileSync(`/proc/${pid}/sessionid`, 'latin1')) ?? UNSET);
  if (!(session > 1)) throw new ActionRefusedError('not-verifiable', `the session of process ${pid} cannot be read`);
  return login === UNSET ? { session } : { session, loginSession: login };
}
