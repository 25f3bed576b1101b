import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Limit from the last test to the end of the process. Node 24 can loop forever when it frees a socket of a killed peer.
 */
export const END_TIMEOUT_MS = 5_000;
const MAX_OUTPUT_CHARS = 64 * 1024;
const REPORTER = join(import.meta.dirname, 'reporter.ts');
/** Cache of sources without their types, which halves the start time of the processes of a file. */
const COMPILE_CACHE = join(import.meta.dirname, '../../dist/compile-cache');

/** Returns the environment of test files. */
export function testEnvironment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  return { NODE_COMPILE_CACHE: COMPILE_CACHE, ...env };
}

/**
 * Starts Node with `args` in a new process group, which endOf() kills. Test results arrive as messages (TestMessage).
 */
export function startTests(args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }): ChildProcess {
  const reported = [`--test-reporter=${REPORTER}`, '--test-reporter-destination=stderr'];
  // The caller can be a test itself, whose test options must not apply here.
  const flags = process.execArgv.filter((flag) => !flag.startsWith('--test-'));
  return spawn(process.execPath, [...flags, ...reported, ...args], {
    ...options,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

/** Last 64 KiB of stdout and stderr of a process. */
export class Output {
  text = '';

  constructor({ stdout, stderr }: ChildProcess) {
    for (const stream of [stdout, stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.text = (this.text + text).slice(-MAX_OUTPUT_CHARS);
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

/** Ends the process when `signal` aborts, until disposed. Ctrl-C reaches only the process group of the runner. */
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

/**
 * Waits for the exit, then kills the rest of the process group.
 * @param atExit called before another process is reaped
 */
export async function endOf(child: ChildProcess, atExit: () => void): Promise<Ended> {
  const closed = once(child, 'close');
  const [code, killedBy] = await once(child, 'exit');
  atExit();
  killGroup(child);
  // The last output can arrive after the exit.
  await Promise.race([closed, sleep(END_TIMEOUT_MS, undefined, { ref: false })]);
  return { code, killedBy };
}
