/** Many test files in one process: what they share is loaded once. */
import { join } from 'node:path';
import { removePins } from '../../../tools/test-runner/remove-pins.ts';
import type { TestMessage } from '../../../tools/test-runner/reporter.ts';
import type { Failure, FileReport } from '../../../tools/test-runner/run-file.ts';
import { END_TIMEOUT_MS, endOf, killGroup, Output, startTests } from '../../../tools/test-runner/test-process.ts';
import { END_OF, READ } from './many-files.ts';

export interface RunFilesOptions {
  readonly root: string;
  /** for each file */
  readonly timeoutMs: number;
  readonly env: NodeJS.ProcessEnv;
  readonly onReport: (report: FileReport) => void;
}

const program = join(import.meta.dirname, 'many-files.ts');

/** What is known of the file whose turn it is. */
class Turn {
  #begun = performance.now();
  #passed = 0;
  readonly #failures: Failure[] = [];
  readonly #skipped: { readonly title: string; readonly reason: string }[] = [];

  take(message: TestMessage): void {
    if (message.type === 'pass' && message.title !== READ) this.#passed += 1;
    else if (message.type === 'skip') this.#skipped.push(message);
    else if (message.type === 'fail') this.#failures.push(message);
  }

  end(path: string, output: string, wrong?: string): FileReport {
    if (wrong !== undefined) this.#failures.push({ title: 'the file itself', error: wrong });
    else if (this.#passed + this.#skipped.length + this.#failures.length === 0)
      this.#failures.push({ title: 'the file itself', error: 'it registered no test' });
    const durationMs = performance.now() - this.#begun;
    return {
      path,
      passed: this.#passed,
      failures: this.#failures,
      skipped: this.#skipped,
      output,
      durationMs,
      cpuMs: 0,
    };
  }
}

/** Runs files until one doesn't end, or takes the process with it. Returns how many have been told of. */
async function runSome(paths: readonly string[], options: RunFilesOptions): Promise<number> {
  const child = startTests([program, ...paths], { cwd: options.root, env: options.env });
  const output = new Output(child);
  let [turn, told, late] = [new Turn(), 0, false];
  const deadline = setTimeout(() => {
    late = true;
    killGroup(child);
  }, options.timeoutMs);
  const next = (wrong?: string): void => {
    options.onReport(turn.end(paths[told] ?? '', output.text, wrong));
    [turn, output.text, told] = [new Turn(), '', told + 1];
    deadline.refresh();
  };
  child.on('message', (message: TestMessage) => {
    if (message.type === 'pass' && message.title === `${END_OF}${paths[told]}`) next();
    else if (message.type === 'end') setTimeout(() => killGroup(child), END_TIMEOUT_MS).unref();
    else turn.take(message);
  });
  const { code, killedBy } = await endOf(child, () => clearTimeout(deadline));
  if (child.pid !== undefined) removePins(child.pid);
  const seconds = options.timeoutMs / 1000;
  if (told < paths.length)
    next(late ? `killed after ${seconds} s: something in it doesn't end` : `the process ended by ${killedBy ?? code}`);
  return told;
}

/** Runs each file once, in the order given; after one that took the process with it the others go on in another. */
export async function runFiles(paths: readonly string[], options: RunFilesOptions): Promise<void> {
  for (let done = 0; done < paths.length; ) done += await runSome(paths.slice(done), options);
}
