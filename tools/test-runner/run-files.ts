/** Many test files in one process: what they share is loaded once. */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type FileReport, howItEnded, Tally } from '../../../tools/test-runner/file-report.ts';
import { removePins } from '../../../tools/test-runner/remove-pins.ts';
import type { TestMessage } from '../../../tools/test-runner/reporter.ts';
import { END_TIMEOUT_MS, endOf, killGroup, Output, startTests } from '../../../tools/test-runner/test-process.ts';
import { END_OF, type Printed, READ, type Reading } from './many-files.ts';

export interface RunFilesOptions {
  readonly root: string;
  /** for each file */
  readonly timeoutMs: number;
  readonly env: NodeJS.ProcessEnv;
  readonly onReport: (report: FileReport) => void;
}

const program = join(import.meta.dirname, 'many-files.ts');

/** Runs files until one doesn't end, or takes the process with it. Returns those that have not been told of. */
async function runSome(paths: readonly string[], options: RunFilesOptions): Promise<readonly string[]> {
  const child = startTests([program, ...paths], { cwd: options.root, env: options.env });
  const output = new Output(child);
  /** by file */
  const printed = new Map<string, string>();
  const left = [...paths];
  let [tally, late, done] = [new Tally(), false, false];
  /** whose turn it is: to be read, and once all are, to be run */
  let turn = left[0] ?? '';
  const deadline = setTimeout(() => {
    late = true;
    killGroup(child);
  }, options.timeoutMs);
  const tell = (lastWords = ''): void => {
    options.onReport(tally.report(turn, (printed.get(turn) ?? '') + lastWords));
    left.splice(left.indexOf(turn), 1);
    [tally, turn] = [new Tally(), left[0] ?? ''];
  };
  /** It comes by another way than what is told of the tests, and is there, but may not have been read yet. */
  const takePrinted = async (path: string): Promise<void> => {
    await nextTurn();
    await nextTurn();
    printed.set(path, (printed.get(path) ?? '') + output.text);
    output.text = '';
    if (child.connected) child.send('taken');
  };
  child.on('message', (message: TestMessage | Reading | Printed) => {
    if (message.type === 'reading') turn = message.path ?? left[0] ?? '';
    else if (message.type === 'printed') void takePrinted(message.path);
    else if (message.type === 'pass' && message.title === `${END_OF}${turn}`) {
      tally.failIfEmpty();
      // What fails once all are run, such as what is cleaned up then, is told with the last one.
      done = left.length === 1;
      if (done) return;
      tell();
      deadline.refresh();
    } else if (message.type === 'end') setTimeout(() => killGroup(child), END_TIMEOUT_MS).unref();
    else if (message.type !== 'pass' || message.title !== READ) tally.take(message);
  });
  const ended = await endOf(child, () => clearTimeout(deadline));
  if (child.pid !== undefined) removePins(child.pid);
  if (!done) tally.fail(howItEnded(ended, late ? options.timeoutMs / 1000 : null));
  tell(output.text);
  return left;
}

/** Runs each file once, in the order given; after one that took the process with it, as it was read or run, the others go on in another. */
export async function runFiles(paths: readonly string[], options: RunFilesOptions): Promise<void> {
  for (let left = paths; left.length > 0; ) left = await runSome(left, options);
}
