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
/** Not guests, which have a kernel of their own, nor fleets of simulated hosts, which have none. */
const ALONE = /^test\/(kernel|e2e|chaos|security|scenarios|deploy)\/(?!fleet|responders)/;
/** What takes minutes begins first, so that in the end nobody waits for it alone. */
const LONG = /\/(sink|kernels|fleet)\/|\/fleet\.test|\/sensor\.test|\/integrity\.test/;
const LEFT_OUT = /(^|\/)(node_modules|dist)\/|^test\/bench\//;

/** Every test file, in a stable order, the long ones first; with `filters`, those whose path contains one of them. */
export async function findTestFiles(root: string, filters: readonly string[]): Promise<TestFile[]> {
  const paths: string[] = [];
  for await (const path of glob(PATTERNS, { cwd: root, exclude: (name) => name === 'node_modules' })) paths.push(path);
  return paths
    .filter((path) => !LEFT_OUT.test(path))
    .filter((path) => filters.length === 0 || filters.some((filter) => join(root, path).includes(filter)))
    .sort((a, b) => Number(LONG.test(b)) - Number(LONG.test(a)) || (a < b ? -1 : 1))
    .map((path) => ({ path, alone: ALONE.test(path) }));
}
