import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** USER_HZ, the unit of CPU time in /proc: 100 on every Linux that Node runs on */
const TICKS_PER_S = 100;
/** A program that every loaded sensor has */
const SENSOR_PROGRAM = 'process_fork';

/** Returns the CPU time of a process and all its threads, seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/**
 * Returns how many pages, small and huge, a process touches within `ms`. NaN on a kernel without
 * CONFIG_PROC_PAGE_MONITOR.
 */
export async function touchedPages(pid: number, ms: number): Promise<number> {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '1');
    await sleep(ms);
    return referencedEntries(readFileSync(`/proc/${pid}/smaps`, 'latin1'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Number.NaN;
    throw error;
  }
}

/** Counts the referenced page table entries in `/proc/PID/smaps`. A huge page of 2 MiB is one entry. */
function referencedEntries(smaps: string): number {
  let [referenced, entries] = [0, 0];
  for (const [, name, kib] of smaps.matchAll(/^(Referenced|AnonHugePages):\s+(\d+) kB/gm)) {
    if (name === 'Referenced') referenced = Number(kib);
    else entries += Math.max(0, referenced - Number(kib)) / 4 + Math.min(referenced, Number(kib)) / 2048;
  }
  return entries;
}

/** Returns resident memory in bytes: the current value (VmRSS) or the peak (VmHWM). */
export function residentBytes(pid: number, which: 'VmRSS' | 'VmHWM'): number {
  const [, kib = '0'] =
    new RegExp(`^${which}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

/**
 * Returns how long the main thread was ready to run but had no core, seconds: the effect of other load on the machine.
 * NaN on a kernel without scheduler statistics.
 */
export function waitedSeconds(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e9;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Number.NaN;
    throw error;
  }
}

/** Returns how many sensors are in the kernel now, or null when bpftool cannot list the programs. */
export function sensorsInKernel(): number | null {
  const { status, stdout } = spawnSync('bpftool', ['-j', 'prog', 'show', 'name', SENSOR_PROGRAM], { encoding: 'utf8' });
  if (status !== 0) return null;
  const programs: unknown = JSON.parse(stdout || '[]');
  return Array.isArray(programs) ? programs.length : 1;
}
