import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { RuleSource } from '@ringfence/rules';
import { RuleFilesError } from './errors.ts';

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
