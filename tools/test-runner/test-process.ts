import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** From the last test to the end of the process. Node 24 may spin for ever there, freeing a socket whose peer was killed. */
export const END_TIMEOUT_MS = 5_000;
const KEPT_OUTPUT = 64 * 1024;
const REPORTER = join(import.meta.dirname, 'reporter.ts');
/** Of sources stripped of their types: half of what the start of a file's processes costs. */
const COMPILE_CACHE = join(import.meta.dirname, '../../dist/compile-cache');

/** For files that are run here. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  return { NODE_COMPILE_CACHE: COMPILE_CACHE, ...env };
}

/** Runs Node with `args`, in a group of its own: at the end nothing of it is left. What its tests come to it sends as messages (TestMessage). */
export function startTests(args: readonly string[], place: { cwd: string; env: NodeJS.ProcessEnv }): ChildProcess {
  const reported = [`--test-reporter=${REPORTER}`, '--test-reporter-destination=stderr'];
  // Who runs this may be a test itself.
  const flags = process.execArgv.filter((flag) => !flag.startsWith('--test-'));
  return spawn(process.execPath, [...flags, ...reported, ...args], {
    ...place,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

/** What it prints, the last 64 KiB. */
export class Output {
  text = '';

  constructor({ stdout, stderr }: ChildProcess) {
    for (const stream of [stdout, stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.text = (this.text + text).slice(-KEPT_OUTPUT);
      });
  }
}

export function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Until it is disposed of, `signal` ends the process: Ctrl-C reaches only the runner's own group. */
export function interruptible(child: ChildProcess, signal: AbortSignal | undefined): Disposable {
  const interrupt = (): void => {
    child.kill('SIGTERM');
    setTimeout(() => killGroup(child), END_TIMEOUT_MS).unref();
  };
  signal?.addEventListener('abort', interrupt);
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', interrupt) };
}

export interface Ended {
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
}

/** Waits for its end, and kills what it has left. @param atExit called before anything else ends */
export async function endOf(child: ChildProcess, atExit: () => void): Promise<Ended> {
  const closed = once(child, 'close');
  const [code, killedBy] = await once(child, 'exit');
  atExit();
  killGroup(child);
  // What it said last may still be on its way.
  await Promise.race([closed, sleep(END_TIMEOUT_MS, undefined, { ref: false })]);
  return { code, killedBy };
}
