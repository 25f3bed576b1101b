import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { cpuOfLastEndedMs } from './cpu.ts';
import { type FileReport, howItEnded, Tally } from './file-report.ts';
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
  ownEnvironment,
  startTests,
} from './test-process.ts';

export interface RunOptions {
  /** keeps the tests whose title matches */
  readonly only: string | undefined;
  /** One test that hangs must not hold the whole run: a file's process is killed after this time. */
  readonly timeoutMs: number;
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
  using _interruptible = interruptible(child, signal);
  child.on('message', (message: TestMessage) => {
    tally.take(message);
    if (tally.done) setTimeout(kill, END_TIMEOUT_MS).unref();
  });
  let cpuMs = 0;
  const ended = await endOf(child, () => {
    cpuMs = cpuOfLastEndedMs();
    clearTimeout(late);
  });
  return { ...ended, cpuMs };
}

/** Runs one file, relative to `root`, in a process of its own. A file that registers no test, leaves before it does or doesn't end in time has failed. */
export async function runFile(
  root: string,
  path: string,
  { only, timeoutMs }: RunOptions,
  signal: AbortSignal,
): Promise<FileReport> {
  const started = performance.now();
  const named = only === undefined ? [] : [`--test-name-pattern=${only}`];
  const child = startTests([...named, ...programOf(join(root, path))], { cwd: root, env: ownEnvironment() });
  const output = new Output(child);
  const tally = new Tally();
  const ended = await follow(child, tally, timeoutMs, signal);
  if (ended.killedBy !== null && child.pid !== undefined) removePins(child.pid);
  const lateS = performance.now() - started >= timeoutMs ? timeoutMs / 1000 : null;
  // Once its tests are told it may be killed; when one has failed it leaves with a code, too.
  const endedWell = ended.killedBy === null ? ended.code === 0 : tally.done;
  if (!endedWell && !tally.hasFailed) tally.fail(howItEnded(ended, lateS));
  if (only === undefined) tally.failIfEmpty();
  return tally.report(path, output.text, ended.cpuMs);
}
