import { mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isBpfFileSystem } from '@ringfence/libbpf-ts';
import { SensorError } from './errors.ts';

const LINK = 'link_';
const PROBE = `${LINK}probe_`;
const PROGRAM = 'program_';
const SPARE = `${PROGRAM}spare_`;

/** Makes the directory of the pins. Throws SensorError when it isn't in a bpf file system. */
export function makePinDirectory(path: string): void {
  try {
    if (isBpfFileSystem(dirname(path))) {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      return;
    }
  } catch (cause) {
    throw new SensorError(`the pin directory ${path} can't be made: ${(cause as Error).message}`, { cause });
  }
  throw new SensorError(
    `${dirname(path)} is not a bpf file system: mount -t bpf bpf /sys/fs/bpf, or choose another sensor.pinPath`,
  );
}

/**
 * Whether it is there, for who has capabilities but isn't root as well: existsSync asks access(2), which leaves capabilities out, and a bpf file system may be
 * a directory of root's alone.
 */
export const isPinned = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

export function linkPath(pinPath: string, program: string): string {
  return `${pinPath}/${LINK}${program}`;
}

export function ringPath(pinPath: string, lane: 'security' | 'bulk'): string {
  return `${pinPath}/rf_ring_${lane}`;
}

export function pinnedLinks(pinPath: string): string[] {
  return readdirSync(pinPath).filter((name) => name.startsWith(LINK));
}

/** Of the sensor's own hooks: probes come and go with each start. */
export function pinnedHooks(pinPath: string): string[] {
  return pinnedLinks(pinPath).filter((name) => !name.startsWith(PROBE));
}

/** The program that a pinned hook runs. */
export const programOf = (pin: string): string => pin.slice(LINK.length);

/** Where the link of a probe is pinned: a program may be set in several files, and functions. */
export function probePath(pinPath: string, program: string, place: string): string {
  return `${pinPath}/${PROBE}${place}_${program}`;
}

/** Probes are set anew at each start: settings and libraries may be others. */
export function removeProbes(pinPath: string): void {
  for (const name of readdirSync(pinPath)) if (name.startsWith(PROBE)) rmSync(`${pinPath}/${name}`);
}

/** Where a program is pinned: so that whoever looks at the kernel's programs knows it for ours, and what the kernel counts of it can be read. */
export function programPath(pinPath: string, program: string): string {
  return `${pinPath}/${PROGRAM}${program}`;
}

export function pinnedPrograms(pinPath: string): string[] {
  return readdirSync(pinPath).filter((name) => name.startsWith(PROGRAM));
}

/** Likewise, while an earlier agent's stands behind the hook. */
export function sparePath(pinPath: string, program: string): string {
  return `${pinPath}/${SPARE}${program}`;
}

export const programOfPin = (pin: string): string => pin.slice(PROGRAM.length);

/** The hooks are left as soon as nobody holds their links open. */
export function removeLinks(pinPath: string): void {
  for (const name of pinnedLinks(pinPath)) rmSync(`${pinPath}/${name}`);
}

/** Links first: programs that still run must find their maps. */
export function removePins(pinPath: string): void {
  removeLinks(pinPath);
  for (const name of readdirSync(pinPath)) rmSync(`${pinPath}/${name}`);
}

/** Why a directory that the agent was given stays there empty: it lies in one of root's, in one that a sandbox makes read-only, or is mounted by itself, as the unit's is. */
const STAYS: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS', 'EBUSY']);

/** All of it, the directory too, where it can be removed. */
export function removePinDirectory(pinPath: string): void {
  removePins(pinPath);
  try {
    rmdirSync(pinPath);
  } catch (error) {
    if (!STAYS.has((error as NodeJS.ErrnoException).code)) throw error;
  }
}
