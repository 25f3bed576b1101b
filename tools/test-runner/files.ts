import { glob } from 'node:fs/promises';
import { join } from 'node:path';

export interface TestFile {
  /** relative to the repository */
  readonly path: string;
  /** shares the kernel or the whole machine with nothing else */
  readonly alone: boolean;
}

const PATTERNS = [
  'packages/*/test/**/*.test.ts',
  'services/*/test/**/*.test.ts',
  'cli/test/**/*.test.ts',
  'rules/**/*.test.ts',
  'policies/**/*.test.ts',
  'test/**/*.test.ts',
];
/** Guests in test/kernels/ have a kernel of their own. */
const ALONE = /^test\/(kernel|e2e|chaos|security|scenarios|deploy)\//;
const LEFT_OUT = /(^|\/)(node_modules|dist)\/|^test\/bench\//;

/** Every test file, in a stable order; with `filters`, those whose path contains one of them. */
export async function findTestFiles(root: string, filters: readonly string[]): Promise<TestFile[]> {
  const paths: string[] = [];
  for await (const path of glob(PATTERNS, { cwd: root, exclude: (name) => name === 'node_modules' })) paths.push(path);
  return paths
    .filter((path) => !LEFT_OUT.test(path))
    .filter((path) => filters.length === 0 || filters.some((filter) => join(root, path).includes(filter)))
    .sort()
    .map((path) => ({ path, alone: ALONE.test(path) }));
}
