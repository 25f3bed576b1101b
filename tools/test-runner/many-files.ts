/**
 * Started by run-files.ts: `node many-files.ts FILE…` runs test files one after the other in one process. Reports which
 * file is being imported, and reports the end of each file with an additional test.
 */
import { test } from 'node:test';
import { loadTests } from './rule-file.ts';

export const ALL_IMPORTED = 'every file is imported';
export const END_OF = 'the end of ';

/** Announces the import of a file, or null after the last import. */
export interface Importing {
  readonly type: 'importing';
  readonly path: string | null;
}

/** All output until now belongs to this file. The process prints nothing until the runner answers. */
export interface Printed {
  readonly type: 'printed';
  readonly path: string;
}

async function attributeOutput(path: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.channel?.ref();
  process.once('message', () => resolve());
  process.send?.({ type: 'printed', path } satisfies Printed);
  await promise;
  process.channel?.unref();
}

/** Waits until the message is sent, because the file may exit the process during the import. */
const announce = (message: Importing): Promise<void> =>
  new Promise((resolve) => process.send?.(message, undefined, undefined, () => resolve()));

if (import.meta.main) {
  const imported = Promise.withResolvers<void>();
  // Tests start after all imports: side effects of an import could change the results of other files.
  test(ALL_IMPORTED, () => imported.promise);
  for (const path of process.argv.slice(2)) {
    await announce({ type: 'importing', path });
    try {
      await loadTests(path);
    } catch (error) {
      test('the file itself', () => Promise.reject(error));
    }
    await attributeOutput(path);
    test(`${END_OF}${path}`, () => attributeOutput(path));
  }
  await announce({ type: 'importing', path: null });
  imported.resolve();
}
