import { readFileSync } from 'node:fs';

/** Unit of the times in /proc: USER_HZ is 100 on every platform of Node. */
const TICK_MS = 10;
/** Indexes of the fields after the process name, which is in parentheses and may contain spaces. */
const FIELD = { utime: 11, stime: 12, cutime: 13, cstime: 14 } as const;

function timesMs(process: number | 'self', ...names: readonly (keyof typeof FIELD)[]): number {
  const stat = readFileSync(`/proc/${process}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return names.reduce((sum, name) => sum + Number(fields[FIELD[name]]), 0) * TICK_MS;
}

/** Returns the user and system CPU time of a process and its reaped children; undefined if the process has ended. */
export function cpuOfMs(pid: number): number | undefined {
  try {
    return timesMs(pid, 'utime', 'stime', 'cutime', 'cstime');
  } catch (error) {
    // ESRCH: the process ended during the read.
    if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return undefined;
  }
}

let previousMs = 0;

/** Returns the CPU time of the children of this process that have ended since the previous call. */
export function cpuOfLastEndedMs(): number {
  const totalMs = timesMs('self', 'cutime', 'cstime');
  const spentMs = totalMs - previousMs;
  previousMs = totalMs;
  return spentMs;
}
