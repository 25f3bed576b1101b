import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OperatorError } from '@ringfence/base';
import type { RuleSource } from '@ringfence/rules';
import { shortName } from './sources.ts';

const IS_TEST = /\.test\.ya?ml$/;

/** Reads test files: each path is a file, or a folder with `.test.yaml` and `.test.yml` files at any depth. */
export async function readTestSources(paths: readonly string[]): Promise<RuleSource[]> {
  const names = new Set<string>();
  for (const path of paths) for (const name of await testsOf(path)) names.add(name);
  return await Promise.all(
    [...names].map(async (name) => ({ name: shortName(name), text: await readFile(name, 'utf8') })),
  );
}

async function testsOf(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return IS_TEST.test(path) ? [path] : [];
    const found = await readdir(path, { recursive: true, withFileTypes: true });
    return found
      .filter((entry) => entry.isFile() && IS_TEST.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch (cause) {
    throw new OperatorError(`can't read ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Returns the rule files in the folders of test files, without subfolders: tests can be about these rules. */
export async function rulesBeside(tests: readonly RuleSource[]): Promise<string[]> {
  const folders = [...new Set(tests.map(({ name }) => dirname(name)))];
  const found = await Promise.all(
    folders.map(async (folder) => (await readdir(folder)).filter(isRuleFile).map((name) => join(folder, name))),
  );
  return found.flat();
}

const isRuleFile = (name: string): boolean => /\.ya?ml$/.test(name) && !IS_TEST.test(name);
