import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_FLAGS } from './agent.ts';
import type { Programs } from './programs.ts';
import { cpuSeconds, residentBytes, touchedPages } from './usage.ts';

/** Time until the start of Node is over */
const START_MS = 5000;
/** Time until an agent whose hooks were removed has reported that */
const DETACHED_MS = 10_000;
/** The tick interval of an idle agent */
const TOUCHED_MS = 2000;

/** The load that an idle program causes */
export interface Idle {
  /** Share of one core */
  readonly cpuShare: number;
  /** Pages of memory that the program touches within two seconds; NaN when the kernel does not report them */
  readonly pages: number;
  readonly rssBytes: number;
  readonly page: PageCost;
}

/** Time to read from a page of 4 KiB, µs, as pages.c prints it */
export interface PageCost {
  readonly after_rest_us: number;
  readonly again_us: number;
}

/**
 * Measures an idle process for `seconds`, while another program measures the cost of a page, which drifts. Calls
 * `detach` before it reads the process's pages, because a sensor would report that and wake the process.
 */
export async function idleOf(
  pid: number,
  seconds: number,
  programs: Programs,
  detach: () => void = () => {},
): Promise<Idle> {
  const before = cpuSeconds(pid);
  const begin = performance.now();
  const page = await pageCost(programs, seconds);
  const cpuShare = (cpuSeconds(pid) - before) / ((performance.now() - begin) / 1000);
  const rssBytes = residentBytes(pid, 'VmRSS');
  detach();
  await sleep(DETACHED_MS);
  return { cpuShare, pages: await touchedPages(pid, TOUCHED_MS), rssBytes, page };
}

/** Measures a Node program that only wakes up each second: the lower limit for an idle agent. */
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
 * Measures the cost of touching a page after a rest. Under a hypervisor that rebuilds page tables after each rest, a
 * program that wakes once a second pays for each page it touches, and an idle agent does little else.
 */
async function pageCost(programs: Programs, seconds: number): Promise<PageCost> {
  const [line = ''] = await programs.lines('pages', [String(seconds)]);
  return JSON.parse(line) as PageCost;
}
