import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { cpuOfLastEndedMs, cpuOfMs } from './cpu.ts';
import { type FileReport, howItEnded, Tally } from './file-report.ts';
import { END_OF, type Printed, READ, type Reading } from './many-files.ts';
import { removePins } from './remove-pins.ts';
import type { TestMessage } from './reporter.ts';
import { END_TIMEOUT_MS, endOf, interruptible, killGroup, Output, startTests } from './test-process.ts';

export interface RunFilesOptions {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  /** for each file */
  readonly timeoutMs: number;
  readonly onReport: (report: FileReport) => void;
  /** ends the file at hand, and all */
  readonly signal?: AbortSignal;
}

const program = join(import.meta.dirname, 'many-files.ts');

/** What each file has printed. */
class OutputByFile {
  readonly #child: ChildProcess;
  readonly #last: Output;
  readonly #texts = new Map<string, string>();

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#last = new Output(child);
  }

  /** It comes by another way than what is told of the tests, and is there, but may not have been read yet. */
  async take(path: string): Promise<void> {
    await nextTurn();
    await nextTurn();
    this.#texts.set(path, this.of(path, this.#last.text));
    this.#last.text = '';
    if (this.#child.connected) this.#child.send('taken');
  }

  /** @param lastWords what it printed since */
  of(path: string, lastWords: string): string {
    return (this.#texts.get(path) ?? '') + lastWords;
  }

  get lastWords(): string {
    return this.#last.text;
  }
}

/** Runs files until one doesn't end, or takes the process with it. Returns those that have not been told of. */
async function runSome(paths: readonly string[], options: RunFilesOptions): Promise<readonly string[]> {
  const child = startTests([program, ...paths], { cwd: options.root, env: options.env });
  using _interruptible = interruptible(child, options.signal);
  const output = new OutputByFile(child);
  const left = [...paths];
  let [tally, late, done, cpuMs] = [new Tally(), false, false, 0];
  /** whose turn it is: to be read, and once all are, to be run */
  let turn = left[0] ?? '';
  const deadline = setTimeout(() => {
    late = true;
    killGroup(child);
  }, options.timeoutMs);
  /** @param spentMs CPU time of the process and of all it has waited for */
  const tell = (spentMs: number, lastWords = ''): void => {
    options.onReport(tally.report(turn, output.of(turn, lastWords), spentMs - cpuMs));
    left.splice(left.indexOf(turn), 1);
    [tally, turn, cpuMs] = [new Tally(), left[0] ?? '', spentMs];
  };
  child.on('message', (message: TestMessage | Reading | Printed) => {
    if (message.type === 'reading') turn = message.path ?? left[0] ?? '';
    else if (message.type === 'printed') void output.take(message.path);
    else if (message.type === 'pass' && message.title === `${END_OF}${turn}`) {
      tally.failIfEmpty();
      // What fails once all are run, such as what is cleaned up then, is told with the last one.
      done = left.length === 1;
      if (done) return;
      tell(cpuOfMs(child.pid ?? 0) ?? cpuMs);
      deadline.refresh();
    } else if (message.type === 'end') setTimeout(() => killGroup(child), END_TIMEOUT_MS).unref();
    else if (message.type !== 'pass' || message.title !== READ) tally.take(message);
  });
  let spentMs = 0;
  const ended = await endOf(child, () => {
    spentMs = cpuOfLastEndedMs();
    clearTimeout(deadline);
  });
  if (child.pid !== undefined) removePins(child.pid);
  if (!done) tally.fail(howItEnded(ended, late ? options.timeoutMs / 1000 : null));
  tell(spentMs, output.lastWords);
  return left;
}

/**
 * Runs many files in one process, so that what they share is loaded once: each runs once, in the order given; after one that took the process with it, as it
 * was read or run, the others go on in another.
 */
export async function runFiles(paths: readonly string[], options: RunFilesOptions): Promise<void> {
  for (let left = paths; left.length > 0 && !options.signal?.aborted; ) left = await runSome(left, options);
}
