/** Ends the processes of login sessions, which the kernel marks at login and which children inherit. */
import { closeSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ifReadable, pidfdOpen, pidfdSignal, readBounded, SystemCallError } from '@ringfence/host-kit';
import { escapeText } from '@ringfence/wire';

const { SIGHUP, SIGKILL, SIGSTOP, SIGCONT } = constants.signals;
const { ESRCH } = constants.errno;
/** (unsigned) -1: the process belongs to no login. */
const UNSET = 0xffffffff;
const LOOK_MS = 20;
const EMPTY_LISTS = 5;
const SWEEPS = 3;
const SMALL = 4096;

/** Which sessions: all of a login uid, or those with the given audit session ids. */
export interface SessionChoice {
  readonly uid: number;
  /** null: every session */
  readonly ids: readonly number[] | null;
}

export interface SessionProcess {
  readonly pid: number;
  readonly name: string;
  readonly session: number;
}

const numberIn = (path: string): number | null => {
  const text = ifReadable(() => readBounded(path, SMALL))?.toString('latin1') ?? '';
  return /^\d+$/.test(text) ? Number(text) : null;
};

/** Whether the kernel marks logins. */
export const hasSessions = (): boolean => numberIn('/proc/self/sessionid') !== null;

/** Returns the session of a process that belongs to the choice; null: it does not. */
function sessionOf(pid: number, { uid, ids }: SessionChoice): number | null {
  const session = numberIn(`/proc/${pid}/sessionid`);
  if (session === null || session === UNSET || numberIn(`/proc/${pid}/loginuid`) !== uid) return null;
  return ids === null || ids.includes(session) ? session : null;
}

function stateOf(pid: number): { readonly state: string; readonly parent: number } | null {
  const stat = ifReadable(() => readBounded(`/proc/${pid}/stat`, SMALL))?.toString('latin1') ?? '';
  const [, state = '', parent = ''] = /\) (\S) (\d+) /.exec(stat.slice(stat.lastIndexOf(')'))) ?? [];
  return state === '' ? null : { state, parent: Number(parent) };
}

/** A process that has ended and was not reaped has a session still. */
function livingSessionOf(pid: number, choice: SessionChoice): number | null {
  const session = sessionOf(pid, choice);
  return session === null || ['Z', 'X'].includes(stateOf(pid)?.state ?? 'X') ? null : session;
}

/** Lists the living processes of the sessions. */
export function processesOf(choice: SessionChoice): SessionProcess[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).flatMap((pid): SessionProcess[] => {
    const session = livingSessionOf(pid, choice);
    return session === null ? [] : [{ pid, name: nameOf(pid), session }];
  });
}

const nameOf = (pid: number): string =>
  escapeText((ifReadable(() => readBounded(`/proc/${pid}/comm`, SMALL))?.toString('utf8') ?? '').trimEnd());

/** This process and its ancestors. */
export function ownLineage(): ReadonlySet<number> {
  const found = new Set<number>([1]);
  for (let pid = process.pid; pid > 1 && !found.has(pid); pid = stateOf(pid)?.parent ?? 0) found.add(pid);
  return found;
}

export interface SessionEnd {
  readonly choice: SessionChoice;
  readonly isSpared: (pid: number) => boolean;
  /** ms between the request to end and the kill */
  readonly graceMs: number;
}

/**
 * Asks the processes to end, and kills what is left after the grace, and what they have forked meanwhile. Returns how
 * many were signalled, and what still lives when the signal aborts.
 */
export async function endSessions(
  { choice, isSpared, graceMs }: SessionEnd,
  signal: AbortSignal,
): Promise<{ readonly signalled: number; readonly left: readonly SessionProcess[] }> {
  const signalled = new Set<number>();
  const living = (): SessionProcess[] => processesOf(choice).filter(({ pid }) => !isSpared(pid));
  const send = (...signals: number[]): number => {
    const found = signalEach(choice, isSpared, signals);
    for (const pid of found) signalled.add(pid);
    return found.length;
  };
  // A stopped process would not see the request.
  send(SIGHUP, SIGCONT);
  for (let waited = 0; waited < graceMs && living().length > 0 && !signal.aborted; waited += LOOK_MS)
    await sleep(LOOK_MS);
  // A process that forks and ends at once is between two lists of processes: one empty list proves nothing.
  for (let empty = 0; empty < EMPTY_LISTS && !signal.aborted; await sleep(LOOK_MS)) {
    for (let sweep = 0; sweep < SWEEPS; sweep++) send(SIGSTOP);
    empty = send(SIGKILL) === 0 && living().length === 0 ? empty + 1 : 0;
  }
  return { signalled: signalled.size, left: living() };
}

/** Signals each process as it is found, so that it has little time to fork. Returns the pids. */
function signalEach(choice: SessionChoice, isSpared: (pid: number) => boolean, signals: readonly number[]): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => !isSpared(pid) && signalIfOfSession(pid, choice, signals));
}

/** The session is read after the pidfd was opened, so that a pid that was given again is noticed. */
function signalIfOfSession(pid: number, choice: SessionChoice, signals: readonly number[]): boolean {
  if (livingSessionOf(pid, choice) === null) return false;
  let pidfd: number;
  try {
    pidfd = pidfdOpen(pid);
  } catch (error) {
    return ended(error);
  }
  try {
    if (sessionOf(pid, choice) === null) return false;
    for (const number of signals) pidfdSignal(pidfd, number);
    return true;
  } catch (error) {
    return ended(error);
  } finally {
    closeSync(pidfd);
  }
}

function ended(error: unknown): false {
  if (error instanceof SystemCallError && error.errno === ESRCH) return false;
  throw error;
}
