import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestFile } from './files.ts';
import type { TestMessage } from './reporter.ts';

export interface Failure {
  readonly title: string;
  /** for people: the error with its stack and causes */
  readonly error: string;
}

export interface RunOptions {
  /** keeps the tests whose title matches */
  readonly only: string | undefined;
  /** One test that hangs must not hold the whole run: a file's process is killed after this time. */
  readonly timeoutMs: number;
}

export interface FileReport {
  readonly path: string;
  readonly passed: number;
  readonly failures: readonly Failure[];
  readonly skipped: readonly { readonly title: string; readonly reason: string }[];
  /** what the file printed, the last 64 KiB */
  readonly output: string;
  readonly durationMs: number;
}

/** From the last test to the end of the process. Node 24 may spin for ever there, freeing a socket whose peer was killed. */
const END_TIMEOUT_MS = 5_000;
const KEPT_OUTPUT = 64 * 1024;

function start(root: string, path: string, only: string | undefined): ChildProcess {
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const reporter = join(import.meta.dirname, 'reporter.ts');
  const named = only === undefined ? [] : [`--test-name-pattern=${only}`];
  const reported = [`--test-reporter=${reporter}`, '--test-reporter-destination=stderr'];
  // A group of its own: at the end nothing of it is left.
  return spawn(process.execPath, [...process.execArgv, ...reported, ...named, path], {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Runs one file in a process of its own. A file that registers no test, leaves before it does or doesn't end in time has failed. */
export async function runFile(
  root: string,
  file: TestFile,
  { only, timeoutMs }: RunOptions,
  signal: AbortSignal,
): Promise<FileReport> {
  const started = performance.now();
  const child = start(root, join(root, file.path), only);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT_OUTPUT);
    });
  const failures: Failure[] = [];
  const skipped: { title: string; reason: string }[] = [];
  let passed = 0;
  let testsDone = false;
  const kill = () => killGroup(child);
  const timer = setTimeout(kill, timeoutMs);
  // Ctrl-C reaches only the runner's own group.
  const interrupt = () => child.kill('SIGTERM') && setTimeout(kill, END_TIMEOUT_MS).unref();
  signal.addEventListener('abort', interrupt);
  child.on('message', (message: TestMessage) => {
    if (message.type === 'pass') passed += 1;
    else if (message.type === 'skip') skipped.push(message);
    else if (message.type === 'fail') failures.push(message);
    else {
      testsDone = true;
      setTimeout(kill, END_TIMEOUT_MS).unref();
    }
  });
  const [code, killedBy] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  const whatIsWrong = (): string | undefined => {
    if (killedBy !== null && !testsDone) {
      const late = performance.now() - started >= timeoutMs;
      return `killed by ${killedBy}${late ? ` after ${timeoutMs / 1000} s: something in it doesn't end` : ''}`;
    }
    if (killedBy === null && code !== 0) return `exited with code ${code}`;
    return passed + skipped.length === 0 && only === undefined ? 'it registered no test' : undefined;
  };
  signal.removeEventListener('abort', interrupt);
  kill();
  const wrong = failures.length > 0 ? undefined : whatIsWrong();
  if (wrong !== undefined) failures.push({ title: 'the file itself', error: wrong });
  return { path: file.path, passed, failures, skipped, output, durationMs: performance.now() - started };
}
