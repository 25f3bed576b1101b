import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { cpuOfLastEndedMs, cpuOfMs } from './cpu.ts';
import { describeEnd, type FileReport, Tally } from './file-report.ts';
import { ALL_IMPORTED, END_OF, type Importing, type Printed } from './many-files.ts';
import { removePins } from './remove-pins.ts';
import type { TestMessage } from './reporter.ts';
import { END_TIMEOUT_MS, endOf, interruptible, killGroup, Output, startTests } from './test-process.ts';

export interface RunFilesOptions {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  /** Time limit of each file. */
  readonly timeoutMs: number;
  readonly onReport: (report: FileReport) => void;
  /** Ends the current file and the run. */
  readonly signal?: AbortSignal;
}

const program = join(import.meta.dirname, 'many-files.ts');

/** The output of each file. */
class OutputByFile {
  readonly #child: ChildProcess;
  readonly #current: Output;
  readonly #texts = new Map<string, string>();

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#current = new Output(child);
  }

  /** Output and messages use different pipes: wait two turns of the event loop until pending output is read. */
  async take(path: string): Promise<void> {
    await nextTurn();
    await nextTurn();
    this.#texts.set(path, this.of(path, this.#current.text));
    this.#current.text = '';
    if (this.#child.connected) this.#child.send('taken');
  }

  /** @param rest output that take() has not attributed yet */
  of(path: string, rest: string): string {
    return (this.#texts.get(path) ?? '') + rest;
  }

  get rest(): string {
    return this.#current.text;
  }
}

/** Runs files until one hangs or ends the process. Returns the files that have no report yet. */
async function runSome(paths: readonly string[], options: RunFilesOptions): Promise<readonly string[]> {
  const child = startTests([program, ...paths], { cwd: options.root, env: options.env });
  using _interruptible = interruptible(child, options.signal);
  const output = new OutputByFile(child);
  const remaining = [...paths];
  let [tally, isLate, done, cpuMs] = [new Tally(), false, false, 0];
  /** File that is being imported, and after all imports, the file that is running. */
  let current = remaining[0] ?? '';
  const deadline = setTimeout(() => {
    isLate = true;
    killGroup(child);
  }, options.timeoutMs);
  /** @param spentMs CPU time of the process and its reaped children */
  const reportCurrent = (spentMs: number, rest = ''): void => {
    options.onReport(tally.report(current, output.of(current, rest), spentMs - cpuMs));
    remaining.splice(remaining.indexOf(current), 1);
    [tally, current, cpuMs] = [new Tally(), remaining[0] ?? '', spentMs];
  };
  child.on('message', (message: TestMessage | Importing | Printed) => {
    if (message.type === 'importing') current = message.path ?? remaining[0] ?? '';
    else if (message.type === 'printed') void output.take(message.path);
    else if (message.type === 'pass' && message.title === `${END_OF}${current}`) {
      tally.failIfEmpty();
      // The report of the last file waits for the end, because hooks can still fail after the last test.
      done = remaining.length === 1;
      if (done) return;
      reportCurrent(cpuOfMs(child.pid ?? 0) ?? cpuMs);
      deadline.refresh();
    } else if (message.type === 'end') setTimeout(() => killGroup(child), END_TIMEOUT_MS).unref();
    else if (message.type !== 'pass' || message.title !== ALL_IMPORTED) tally.take(message);
  });
  let spentMs = 0;
  const ended = await endOf(child, () => {
    spentMs = cpuOfLastEndedMs();
    clearTimeout(deadline);
  });
  if (child.pid !== undefined) removePins(child.pid);
  if (!done) tally.fail(describeEnd(ended, isLate ? options.timeoutMs / 1000 : null));
  reportCurrent(spentMs, output.rest);
  return remaining;
}

/**
 * Runs many files in one process, so that shared modules and programs are loaded once. Each file runs once, in the
 * given order. After a file that ended the process during its import or its tests, the others continue in a new
 * process.
 */
export async function runFiles(paths: readonly string[], options: RunFilesOptions): Promise<void> {
  for (let remaining = paths; remaining.length > 0 && !options.signal?.aborted; )
    remaining = await runSome(remaining, options);
}
