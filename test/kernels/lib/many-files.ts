/** Run by run-files.ts: `node many-files.ts FILE…` runs test files one after the other in one process, and tells of the end of each by a test. */
import { resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

export const READ = 'every file is read';
export const END_OF = 'the end of ';

if (import.meta.main) {
  const read = Promise.withResolvers<void>();
  // what a file does when it is read would be seen by the tests of another
  test(READ, () => read.promise);
  for (const path of process.argv.slice(2)) {
    try {
      await import(pathToFileURL(resolve(path)).href);
    } catch (error) {
      test('the file itself', () => Promise.reject(error));
    }
    test(`${END_OF}${path}`, () => {});
  }
  read.resolve();
}
