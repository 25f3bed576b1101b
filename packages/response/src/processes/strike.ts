import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { pidfdOpen, pidfdSignal, SystemCallError } from '@ringfence/host-kit';
import type { Doom, Victim } from '@ringfence/sensor';

const { ESRCH } = constants.errno;
const { SIGKILL } = constants.signals;
/** Two passes in a row that find nothing: a child may appear behind the first one, before its parent ends. */
const EMPTY_PASSES = 2;
const PAUSE_MS = 1;

export interface Struck {
  /** Processes that got the signal from user space. Others got it in the kernel, at a system call. */
  readonly signalled: number;
  /** Every process that was seen, by pid and start. */
  readonly seen: number;
  /** Processes that have not ended, or stopped, at the deadline. */
  readonly left: readonly Victim[];
}

/** A descriptor stays bound to its process, even when the pid is reused. */
interface Held {
  readonly pidfd: number;
  isSignalled: boolean;
}

/**
 * Sends SIGKILL or SIGSTOP to every process of the doom, until none is left without it in two passes or the deadline
 * is over. The kernel sends it too, at system calls. A process gets the signal through a descriptor that was opened
 * before the pass that found the process alive, so that a reused pid is never hit.
 * @param deadlineMs from now
 */
export async function strike(doom: Doom, signal: number, deadlineMs: number, abort?: AbortSignal): Promise<Struck> {
  const end = performance.now() + deadlineMs;
  const held = new Map<string, Held>();
  doom.strike(signal);
  try {
    for (let empty = 0; ; ) {
      const living = doom.mark();
      const left = signal === SIGKILL ? living : living.filter(({ isStopped }) => !isStopped);
      empty = left.length === 0 ? empty + 1 : 0;
      const isLate = performance.now() > end || abort?.aborted === true;
      if (empty === EMPTY_PASSES || isLate) return { signalled: countSignalled(held), seen: held.size, left };
      const sent = left.reduce((count, victim) => count + (advance(held, victim, signal) ? 1 : 0), 0);
      if (sent === 0 && left.length > 0) await sleep(PAUSE_MS);
    }
  } finally {
    for (const { pidfd } of held.values()) if (pidfd >= 0) closeSync(pidfd);
  }
}

/**
 * Opens the process at its first pass, and signals it from its second on: a stopped process may be continued by another
 * that is not stopped yet. Returns whether that was new.
 */
function advance(held: Map<string, Held>, { tgid, start }: Victim, signal: number): boolean {
  const key = `${tgid} ${start}`;
  const known = held.get(key);
  if (known === undefined) {
    held.set(key, { pidfd: unlessEnded(() => pidfdOpen(tgid)) ?? -1, isSignalled: false });
    return true;
  }
  const isNew = !known.isSignalled;
  known.isSignalled = true;
  if (known.pidfd >= 0) unlessEnded(() => pidfdSignal(known.pidfd, signal));
  return isNew;
}

function unlessEnded<T>(call: () => T): T | null {
  try {
    return call();
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === ESRCH) return null;
    throw error;
  }
}

const countSignalled = (held: ReadonlyMap<string, Held>): number =>
  [...held.values()].filter(({ isSignalled }) => isSignalled).length;
