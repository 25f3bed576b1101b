import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import type { Log } from '@ringfence/base';

/**
 * Gives this process the priority `nice`, unless it has that or a higher one: beside many busy programs, the reader of
 * the rings would get as little CPU time as each of them. Programs that it starts inherit it.
 */
export function raisePriority(nice: number, log: Log): void {
  if (getPriority() <= nice) return;
  try {
    // On Linux each thread has a priority of its own.
    for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), nice);
  } catch (error) {
    log.info({ err: error, nice }, 'this process keeps its priority, because it may not raise it (CAP_SYS_NICE)');
  }
}
