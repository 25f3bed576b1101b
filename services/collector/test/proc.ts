import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { ifExists } from '@ringfence/host-kit';
import type { FoundProcess } from '@ringfence/response';

/** Finds a process in /proc, as the sensor's iterator does. Its start time is 0. */
export function findInProc(tgid: number): FoundProcess | null {
  const stat = ifExists(() => readFileSync(`/proc/${tgid}/stat`, 'latin1'));
  if (stat === null) return null;
  const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const executable = tgid === 1 ? '' : (ifExists(() => readlinkSync(`/proc/${tgid}/exe`)) ?? '');
  return { tgid, parentTgid: Number(parent), start: 0n, executable };
}

/** Returns all processes in /proc. */
export const listProc = (): FoundProcess[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => findInProc(Number(name)) ?? []);
