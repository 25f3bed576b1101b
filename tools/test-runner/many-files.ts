/** Run by run-files.ts: `node many-files.ts FILE…` runs test files one after the other in one process, and tells which it reads and, by a test, of the end of each. */
import { test } from 'node:test';
import { loadTests } from './rule-file.ts';

export const READ = 'every file is read';
export const END_OF = 'the end of ';

/** Which file is read from now on; null: all are. */
export interface Reading {
  readonly type: 'reading';
  readonly path: string | null;
}

/** What was printed until now is of this file; there is no more before the runner answers. */
export interface Printed {
  readonly type: 'printed';
  readonly path: string;
}

async function printed(path: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.channel?.ref();
  process.once('message', () => resolve());
  process.send?.({ type: 'printed', path } satisfies Printed);
  await promise;
  process.channel?.unref();
}

/** Resolves when it is said: a file that is read may end the process. */
const say = (message: Reading): Promise<void> =>
  new Promise((resolve) => process.send?.(message, undefined, undefined, () => resolve()));

if (import.meta.main) {
  const read = Promise.withResolvers<void>();
  // what a file does when it is read would be seen by the tests of another
  test(READ, () => read.promise);
  for (const path of process.argv.slice(2)) {
    await say({ type: 'reading', path });
    try {
      await loadTests(path);
    } catch (error) {
      test('the file itself', () => Promise.reject(error));
    }
    await printed(path);
    test(`${END_OF}${path}`, () => printed(path));
  }
  await say({ type: 'reading', path: null });
  read.resolve();
}
