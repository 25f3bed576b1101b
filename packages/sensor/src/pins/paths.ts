import { readdirSync, statSync } from 'node:fs';

const LINK = 'link_';
const PROBE = `${LINK}probe_`;
const PROGRAM = 'program_';
const SPARE = `${PROGRAM}spare_`;

/**
 * Returns whether a pin exists. Uses stat(2), because existsSync uses access(2), which ignores capabilities: an agent
 * with capabilities but without root may not search a bpf file system that belongs to root alone.
 */
export const isPinned = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** Path of the link that attaches a program to its hook. */
export function linkPath(pinPath: string, program: string): string {
  return `${pinPath}/${LINK}${program}`;
}

export function ringPath(pinPath: string, lane: 'security' | 'bulk'): string {
  return `${pinPath}/rf_ring_${lane}`;
}

/** File names of all pinned links, those of probes included. */
export function pinnedLinks(pinPath: string): string[] {
  return readdirSync(pinPath).filter((name) => name.startsWith(LINK));
}

/**
 * File names of the pinned links of the sensor's own hooks. Links of probes are left out: each start makes new ones.
 */
export function pinnedHooks(pinPath: string): string[] {
  return pinnedLinks(pinPath).filter((name) => !name.startsWith(PROBE));
}

export function pinnedProbes(pinPath: string): string[] {
  return readdirSync(pinPath).filter((name) => name.startsWith(PROBE));
}

/** The program that a pinned link (its file name) attaches. */
export const programOfLink = (link: string): string => link.slice(LINK.length);

/** Path of a probe's link. `place` distinguishes the files and functions in which one program is set. */
export function probePath(pinPath: string, program: string, place: string): string {
  return `${pinPath}/${PROBE}${place}_${program}`;
}

/**
 * Path of a pinned program. Programs are pinned so that `bpftool` and the integrity check recognize them as ours, and
 * so that the kernel's counters of each program can be read.
 */
export function programPath(pinPath: string, program: string): string {
  return `${pinPath}/${PROGRAM}${program}`;
}

/** Path of a program of this agent while its hook still runs the program of an earlier agent. */
export function sparePath(pinPath: string, program: string): string {
  return `${pinPath}/${SPARE}${program}`;
}

/** File names of all pinned programs, spare ones included. */
export function pinnedPrograms(pinPath: string): string[] {
  return readdirSync(pinPath).filter((name) => name.startsWith(PROGRAM));
}

/** The name of the program behind a pin (its file name). A spare program keeps its prefix. */
export const programOfPin = (pin: string): string => pin.slice(PROGRAM.length);
