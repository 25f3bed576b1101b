import { type FSWatcher, watch } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
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
  const named = found
    .filter((one) => /(?<!\.test)\.ya?ml$/.test(one.name) && !isInternal(relative(path, one.parentPath)))
    .map((one) => ({ name: join(one.parentPath, one.name), link: one.isSymbolicLink(), file: one.isFile() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const files = named.filter(({ file }) => file).map(({ name }) => name);
  const known = new Set(await Promise.all(files.map(async (name) => await realpath(name))));
  for (const { name } of named.filter(({ link }) => link)) {
    const target = await targetOf(name);
    if (target === undefined || known.has(target)) continue;
    files.push(name);
    known.add(target);
  }
  return files.sort();
}

/** The file that a link leads to; undefined: to none. So are the locks of some editors, which lead nowhere. */
async function targetOf(link: string): Promise<string | undefined> {
  try {
    const target = await realpath(link);
    return (await stat(target)).isFile() ? target : undefined;
  } catch (error) {
    if (['ENOENT', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Where Kubernetes keeps the versions of a mounted ConfigMap (`..2026_01_01`): its files are links to them, whose names stay when one takes the place of another. */
const isInternal = (folder: string): boolean => folder.split(sep).some((part) => part.startsWith('..'));

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
