import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ifExists, ifReadable } from '@ringfence/host-kit';
import { type CheckResult, result } from './check.ts';

/** PROC_PID_INIT_INO of include/linux/proc_ns.h */
const INITIAL_PID_NAMESPACE = 'pid:[4026531836]';

/** Returns the pids of the processes that the kernel's own iterator finds. */
export type Tgids = () => ReadonlySet<number>;

/**
 * Finds hidden processes: those that the iterator finds before and after and /proc does not list in between, and those
 * whose directory in /proc is covered by a mount.
 */
export function checkProcesses(tgids: Tgids, root = '/'): CheckResult {
  const proc = join(root, 'proc');
  // The iterator returns pids of the initial namespace. In the /proc of another one, every process would be missing.
  if (readlinkSync('/proc/self/ns/pid') !== INITIAL_PID_NAMESPACE)
    return result('hidden-process', [], "this is another pid namespace: a container needs the host's (--pid host)");
  if (!existsSync(join(proc, 'self'))) return result('hidden-process', [], `${proc} shows no processes`);
  const before = tgids();
  const listed = new Set((ifReadable(() => readdirSync(proc)) ?? []).map(Number));
  const missing = [...before].filter((tgid) => !listed.has(tgid));
  const covered = [...before].filter((tgid) => listed.has(tgid) && isCovered(proc, tgid));
  const after = tgids();
  const isRunning = (tgid: number): boolean => after.has(tgid);
  return result('hidden-process', [
    ...missing.filter(isRunning).map((tgid) => [`process ${tgid}`, `it runs, but ${proc} doesn't list it`] as const),
    ...covered
      .filter((tgid) => isRunning(tgid) && isCovered(proc, tgid))
      .map((tgid) => [`process ${tgid}`, `something is mounted on ${proc}/${tgid}`] as const),
  ]);
}

/** Whether the process's directory shows another process, or nothing, because something is mounted on it. */
function isCovered(proc: string, tgid: number): boolean {
  const status = ifExists(() => statSync(join(proc, String(tgid))));
  if (status === null) return false; // The process has ended.
  const text = ifReadable(() => readFileSync(join(proc, String(tgid), 'stat'), 'latin1'));
  return !(text?.startsWith(`${tgid} `) ?? false);
}
