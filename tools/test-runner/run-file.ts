import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { cpuOfLastEndedMs } from './cpu.ts';
import { removePins } from './remove-pins.ts';
import type { TestMessage } from './reporter.ts';
import { END_TIMEOUT_MS, type Ended, endOf, killGroup, Output, startTests } from './test-process.ts';

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
  /** of its process and of all it started and waited for; 0: not known */
  readonly cpuMs: number;
}

/** Of sources stripped of their types: half of what the start of a file's processes costs. */
const COMPILE_CACHE = join(import.meta.dirname, '../../dist/compile-cache');

function start(root: string, path: string, only: string | undefined): ChildProcess {
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const named = only === undefined ? [] : [`--test-name-pattern=${only}`];
  return startTests([...named, path], { cwd: root, env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...env } });
}

/** What the tests of a file have come to. */
interface Tally {
  passed: number;
  readonly failures: Failure[];
  readonly skipped: { readonly title: string; readonly reason: string }[];
  /** all have been told */
  done: boolean;
}

/** Takes what the process tells until it has ended. Kills it when it is late, too slow to end, or `signal` aborts. */
async function follow(
  child: ChildProcess,
  tally: Tally,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Ended & { readonly cpuMs: number }> {
  const kill = (): void => killGroup(child);
  const late = setTimeout(kill, timeoutMs);
  const soon = (): void => void setTimeout(kill, END_TIMEOUT_MS).unref();
  // Ctrl-C reaches only the runner's own group.
  const interrupt = (): void => {
    child.kill('SIGTERM');
    soon();
  };
  signal.addEventListener('abort', interrupt);
  child.on('message', (message: TestMessage) => {
    if (message.type === 'pass') tally.passed += 1;
    else if (message.type === 'skip') tally.skipped.push(message);
    else if (message.type === 'fail') tally.failures.push(message);
    else {
      tally.done = true;
      soon();
    }
  });
  let cpuMs = 0;
  const ended = await endOf(child, () => {
    cpuMs = cpuOfLastEndedMs();
    clearTimeout(late);
  });
  signal.removeEventListener('abort', interrupt);
  return { ...ended, cpuMs };
}

/** Of a file in which no test failed; undefined: nothing. */
function whatIsWrong(
  { code, killedBy }: Ended,
  { passed, skipped, done }: Tally,
  { lateS, all }: { readonly lateS: number | null; readonly all: boolean },
): string | undefined {
  if (killedBy !== null && !done)
    return `killed by ${killedBy}${lateS === null ? '' : ` after ${lateS} s: something in it doesn't end`}`;
  if (killedBy === null && code !== 0) return `exited with code ${code}`;
  return all && passed + skipped.length === 0 ? 'it registered no test' : undefined;
}

/** Runs one file, relative to `root`, in a process of its own. A file that registers no test, leaves before it does or doesn't end in time has failed. */
export async function runFile(
  root: string,
  path: string,
  { only, timeoutMs }: RunOptions,
  signal: AbortSignal,
): Promise<FileReport> {
  const started = performance.now();
  const child = start(root, join(root, path), only);
  const output = new Output(child);
  const tally: Tally = { passed: 0, failures: [], skipped: [], done: false };
  const ended = await follow(child, tally, timeoutMs, signal);
  if (ended.killedBy !== null && child.pid !== undefined) removePins(child.pid);
  const durationMs = performance.now() - started;
  const { passed, failures, skipped } = tally;
  const lateS = durationMs >= timeoutMs ? timeoutMs / 1000 : null;
  const wrong = whatIsWrong(ended, tally, { lateS, all: only === undefined });
  if (wrong !== undefined && failures.length === 0) failures.push({ title: 'the file itself', error: wrong });
  return { path, passed, failures, skipped, output: output.text, durationMs, cpuMs: ended.cpuMs };
}
