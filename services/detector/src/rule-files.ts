import { type FSWatcher, watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuleSource } from '@ringfence/rules';
import { RuleFilesError } from './errors.ts';

/** Editors write a file in several steps: wait until they are done, ms. */
const SETTLE_MS = 150;

/** The rule files of each path, by name: a file is itself, a directory all .yaml and .yml below it but for tests of rules (.test.yaml). Throws RuleFilesError. */
export async function readRuleFiles(paths: readonly string[]): Promise<RuleSource[]> {
  const sources = new Map<string, string>();
  for (const path of paths) {
    try {
      for (const name of await filesOf(path)) sources.set(name, await readFile(name, 'utf8'));
    } catch (cause) {
      throw new RuleFilesError(path, cause);
    }
  }
  return [...sources].map(([name, text]) => ({ name, text }));
}

async function filesOf(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const found = await readdir(path, { recursive: true, withFileTypes: true });
  const files = found.filter((one) => one.isFile() && /(?<!\.test)\.ya?ml$/.test(one.name));
  return files.map((one) => join(one.parentPath, one.name)).sort();
}

/** Calls `changed` some time after anything below the paths has changed. */
export class RuleWatch implements Disposable {
  readonly #watchers: FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(paths: readonly string[], changed: () => void, failed: (error: Error) => void) {
    const settle = (): void => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(changed, SETTLE_MS);
    };
    for (const path of paths) {
      const watcher = watch(path, { recursive: true, persistent: false }, settle);
      watcher.on('error', failed);
      this.#watchers.push(watcher);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }
}
