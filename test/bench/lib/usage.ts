import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Ticks of /proc: USER_HZ is 100 on every Linux that Node runs on. */
const TICKS_PER_S = 100;

/** CPU time of a process and all its threads, seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** Pages, small and huge ones, that a process touches within so long. NaN: this kernel doesn't tell (CONFIG_PROC_PAGE_MONITOR). */
export async function touchedPages(pid: number, ms: number): Promise<number> {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '1');
    await sleep(ms);
    return entriesOf(readFileSync(`/proc/${pid}/smaps`, 'latin1'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Number.NaN;
    throw error;
  }
}

/** Entries of page tables that were used, by `/proc/PID/smaps`: a huge page is one of 2 MiB. */
function entriesOf(smaps: string): number {
  let [referenced, entries] = [0, 0];
  for (const [, name, kib] of smaps.matchAll(/^(Referenced|AnonHugePages):\s+(\d+) kB/gm)) {
    if (name === 'Referenced') referenced = Number(kib);
    else entries += Math.max(0, referenced - Number(kib)) / 4 + Math.min(referenced, Number(kib)) / 2048;
  }
  return entries;
}

/** Bytes: now (VmRSS) or at most so far (VmHWM). */
export function residentBytes(pid: number, which: 'VmRSS' | 'VmHWM'): number {
  const [, kib = '0'] =
    new RegExp(`^${which}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

/** How long the main thread was ready to run and had no core, seconds: what others on the machine cost it. NaN: this kernel doesn't count. */
export function waitedSeconds(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e9;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Number.NaN;
    throw error;
  }
}
