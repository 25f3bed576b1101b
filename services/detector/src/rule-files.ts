import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { assertTrusted } from '@ringfence/base';
import type { RuleSource } from '@ringfence/rules';
import { RuleFilesError } from './errors.ts';

/**
 * Reads the rule files of each path, a file or a directory with .yaml and .yml files below it; tests of rules
 * (.test.yaml) and attacks that measure them (.procedures.yaml) are skipped. Throws RuleFilesError.
 *
 * @param trustedOnly whether to refuse files that a user with fewer rights than this process could change
 */
export async function readRuleFiles(paths: readonly string[], trustedOnly = false): Promise<RuleSource[]> {
  const sources = new Map<string, string>();
  for (const path of paths) {
    try {
      const names = await filesOf(path);
      if (trustedOnly) for (const name of [path, ...names]) assertTrusted(name);
      for (const name of names) sources.set(name, await readFile(name, 'utf8'));
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
    .filter(
      ({ name, parentPath }) =>
        /(?<!\.(?:test|procedures))\.ya?ml$/.test(name) && !isInternal(relative(path, parentPath)),
    )
    .map((entry) => ({ name: join(entry.parentPath, entry.name), link: entry.isSymbolicLink(), file: entry.isFile() }))
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

/** Returns the file that a link leads to; undefined if there is none, as for the lock files of some editors. */
async function targetOf(link: string): Promise<string | undefined> {
  try {
    const target = await realpath(link);
    return (await stat(target)).isFile() ? target : undefined;
  } catch (error) {
    if (['ENOENT', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/**
 * Kubernetes keeps the versions of a mounted ConfigMap in folders such as `..2026_01_01`, and links lead to the current
 * one.
 */
const isInternal = (folder: string): boolean => folder.split(sep).some((part) => part.startsWith('..'));
