import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { cpuOfLastEndedMs } from './cpu.ts';
import { describeEnd, type FileReport, Tally } from './file-report.ts';
import { removePins } from './remove-pins.ts';
import type { TestMessage } from './reporter.ts';
import { programOf } from './rule-file.ts';
import {
  END_TIMEOUT_MS,
  type Ended,
  endOf,
  interruptible,
  killGroup,
  Output,
  startTests,
  testEnvironment,
} from './test-process.ts';

export interface RunOptions {
  /** Pattern of the titles of the tests to run; undefined for all tests. */
  readonly only: string | undefined;
  /** The process of a file is killed after this time, so that a hanging test cannot block the run. */
  readonly timeoutMs: number;
}

/**
 * Collects messages until the process ends. Kills it at the timeout, if it does not exit after its tests, or on abort.
 */
async function follow(
  child: ChildProcess,
  tally: Tally,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Ended & { readonly cpuMs: number }> {
  const kill = (): void => killGroup(child);
  const timer = setTimeout(kill, timeoutMs);
  using _interruptible = interruptible(child, signal);
  child.on('message', (message: TestMessage) => {
    tally.take(message);
    if (tally.done) setTimeout(kill, END_TIMEOUT_MS).unref();
  });
  let cpuMs = 0;
  const ended = await endOf(child, () => {
    cpuMs = cpuOfLastEndedMs();
    clearTimeout(timer);
  });
  return { ...ended, cpuMs };
}

/**
 * Runs one file, relative to `root`, in a separate process. A file fails if it registers no test, exits early or
 * exceeds its timeout.
 */
export async function runFile(
  root: string,
  path: string,
  { only, timeoutMs }: RunOptions,
  signal: AbortSignal,
): Promise<FileReport> {
  const started = performance.now();
  const filter = only === undefined ? [] : [`--test-name-pattern=${only}`];
  const child = startTests([...filter, ...programOf(join(root, path))], { cwd: root, env: testEnvironment() });
  const output = new Output(child);
  const tally = new Tally();
  const ended = await follow(child, tally, timeoutMs, signal);
  if (ended.killedBy !== null && child.pid !== undefined) removePins(child.pid);
  const timeoutS = performance.now() - started >= timeoutMs ? timeoutMs / 1000 : null;
  // A kill after the last test is no failure. A failed test explains a nonzero exit code, so the code is not reported.
  const endedWell = ended.killedBy === null ? ended.code === 0 : tally.done;
  if (!endedWell && !tally.hasFailed) tally.fail(describeEnd(ended, timeoutS));
  if (only === undefined) tally.failIfEmpty();
  return tally.report(path, output.text, ended.cpuMs);
}
