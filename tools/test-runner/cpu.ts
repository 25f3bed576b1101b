import { readFileSync } from 'node:fs';

/** Of the times in /proc: USER_HZ is 100 on whatever Node runs on. */
const TICK_MS = 10;

/** CPU time, user and system, of this process's children that have ended, with what those had waited for. */
function cpuOfEndedMs(): number {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  // The name, in parentheses, may have spaces; cutime and cstime are fields 16 and 17 of all, the first after the name is 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * TICK_MS;
}

let known = 0;

/** The same since it was last asked for: at the end of a child, that child's. */
export function cpuOfLastEndedMs(): number {
  const before = known;
  known = cpuOfEndedMs();
  return known - before;
}
