import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ifReadable, ifExists } from '@ringfence/host-kit';
import { type CheckResult, result } from './check.ts';

/** Numbers of the processes that the kernel's own iterator finds now. */
export type Tgids = () => ReadonlySet<number>;

/**
 * A process that the iterator finds before and after, and /proc doesn't show in between; or whose directory is there and holds somebody else's, or nothing:
 * something is mounted upon it.
 */
export function checkProcesses(tgids: Tgids, root = '/'): CheckResult {
  const proc = join(root, 'proc');
  // The iterator tells the numbers of the initial namespace: another one's /proc would hide everybody.
  if (readlinkSync('/proc/self/ns/pid') !== INITIAL_PIDS)
    return result(
      'hidden-process',
      [],
      "this is a pid namespace of its own: a container needs the host's (--pid host)",
    );
  if (!existsSync(join(proc, 'self'))) return result('hidden-process', [], `${proc} shows no processes`);
  const before = tgids();
  const shown = new Set((ifReadable(() => readdirSync(proc)) ?? []).map(Number));
  const missing = [...before].filter((tgid) => !shown.has(tgid));
  const overmounted = [...before].filter((tgid) => shown.has(tgid) && !isItself(proc, tgid));
  const after = tgids();
  const there = (tgid: number): boolean => after.has(tgid);
  return result('hidden-process', [
    ...missing.filter(there).map((tgid) => [`process ${tgid}`, `it runs, and ${proc} doesn't list it`] as const),
    ...overmounted
      .filter((tgid) => there(tgid) && !isItself(proc, tgid))
      .map((tgid) => [`process ${tgid}`, `something is mounted upon ${proc}/${tgid}`] as const),
  ]);
}

/** PROC_PID_INIT_INO of include/linux/proc_ns.h */
const INITIAL_PIDS = 'pid:[4026531836]';

function isItself(proc: string, tgid: number): boolean {
  const status = ifExists(() => statSync(join(proc, String(tgid))));
  if (status === null) return true; // it has ended meanwhile
  const text = ifReadable(() => readFileSync(join(proc, String(tgid), 'stat'), 'latin1'));
  return text?.startsWith(`${tgid} `) ?? false;
}
