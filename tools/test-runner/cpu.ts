import { readFileSync } from 'node:fs';

/** Of the times in /proc: USER_HZ is 100 on whatever Node runs on. */
const TICK_MS = 10;
/** Behind the name, which stands in parentheses and may have spaces. */
const FIELD = { utime: 11, stime: 12, cutime: 13, cstime: 14 } as const;

function timesMs(process: number | 'self', ...names: readonly (keyof typeof FIELD)[]): number {
  const stat = readFileSync(`/proc/${process}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return names.reduce((sum, name) => sum + Number(fields[FIELD[name]]), 0) * TICK_MS;
}

/** CPU time, user and system, of a process and of all that it has waited for; undefined: it has ended. */
export function cpuOfMs(pid: number): number | undefined {
  try {
    return timesMs(pid, 'utime', 'stime', 'cutime', 'cstime');
  } catch (error) {
    // ESRCH: it ended while it was read
    if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return undefined;
  }
}

let known = 0;

/** The same of this process's children that have ended since it was last asked for: at the end of a child, that child's. */
export function cpuOfLastEndedMs(): number {
  const before = known;
  known = timesMs('self', 'cutime', 'cstime');
  return known - before;
}
