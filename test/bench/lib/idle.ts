import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_FLAGS } from './agent.ts';
import type { Programs } from './programs.ts';
import { cpuSeconds, residentBytes, touchedPages } from './usage.ts';

/** Until Node has done what a start is. */
const START_MS = 5000;
/** Until a program whose sensor was taken away has told of that. */
const DEAF_MS = 10_000;
/** An idle agent ticks once in this time. */
const TOUCHED_MS = 2000;

/** What a program does that is left alone. */
export interface Idle {
  /** of one core */
  readonly cpuShare: number;
  /** pages of memory that it touches within two seconds; NaN: this kernel doesn't tell */
  readonly pages: number;
  readonly rssBytes: number;
  readonly page: PageCost;
}

/** µs to read from a page of 4 KiB: pages.c */
export interface PageCost {
  readonly after_rest_us: number;
  readonly again_us: number;
}

/**
 * Over so many seconds, in which another program finds out what a page costs: that differs from one minute to the next. `deafen`: after that, so that looking at its pages does not wake
 * a program that sees who looks.
 */
export async function idleOf(
  pid: number,
  seconds: number,
  programs: Programs,
  deafen: () => void = () => {},
): Promise<Idle> {
  const before = cpuSeconds(pid);
  const begin = performance.now();
  const page = await pageCost(programs, seconds);
  const cpuShare = (cpuSeconds(pid) - before) / ((performance.now() - begin) / 1000);
  const rssBytes = residentBytes(pid, 'VmRSS');
  deafen();
  await sleep(DEAF_MS);
  return { cpuShare, pages: await touchedPages(pid, TOUCHED_MS), rssBytes, page };
}

/** The least that a Node program can do which has to be there each second: it wakes, and sleeps again. */
export async function idleNode(seconds: number, programs: Programs): Promise<Idle> {
  const child = spawn(process.execPath, [...NODE_FLAGS, '-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  try {
    await sleep(START_MS);
    return await idleOf(child.pid as number, seconds, programs);
  } finally {
    child.kill('SIGKILL');
  }
}

/**
 * What it costs on this machine to have rested. Where the machine under this one builds its tables of pages anew each time, whatever wakes once a second pays that for each page it
 * touches, and an idle agent does nothing else.
 */
async function pageCost(programs: Programs, seconds: number): Promise<PageCost> {
  const [line = ''] = await programs.lines('pages', [String(seconds)]);
  return JSON.parse(line) as PageCost;
}
