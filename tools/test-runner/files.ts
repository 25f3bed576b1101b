import { glob } from 'node:fs/promises';
import { join } from 'node:path';

export type Turn = 'sensor' | 'kernel' | 'guest' | 'program' | 'engine' | 'rules';

export interface TestFile {
  /** relative to the repository */
  readonly path: string;
  /** Of the files with the same one runs at a time: they share more of the machine than others bear. */
  readonly turn: Turn | undefined;
}

const PATTERNS = [
  'packages/*/test/**/*.test.ts',
  'services/*/test/**/*.test.ts',
  'cli/test/**/*.test.ts',
  'rules/*.test.yaml',
  'policies/**/*.test.ts',
  'test/**/*.test.ts',
];
const TURNS: readonly (readonly [Turn, RegExp])[] = [
  // all in one process, which loads the sensor once for most of them
  ['sensor', /^test\/kernel\/sensor\//],
  ['kernel', /^test\/kernel\//],
  // minutes of an emulated machine, of which this one sees nothing but the CPU
  ['guest', /^test\/kernels\/kernels\.test/],
  // Each has an agent that watches the machine, and may kill what another one's demo plays. Not fleets of simulated hosts, which watch nothing.
  ['program', /^test\/(e2e\/|scenarios\/played|(chaos|security)\/(?!fleet|responders))/],
  // all in one process, which compiles the built-in rules once
  ['rules', /^rules\//],
  // container engines of their own, which are half a machine
  ['engine', /^test\/deploy\/(?!fleet)/],
];
/** What takes minutes begins first, so that in the end nobody waits for it alone. */
const LONG = /\/(sink|kernels|fleet)\/|\/(fleet|sensor|integrity|silence|outage)\.test/;
const LEFT_OUT = /(^|\/)(node_modules|dist)\/|^test\/bench\//;

/** Every test file, in a stable order: first what takes turns, then the long ones; with `filters`, those whose path contains one of them. */
export async function findTestFiles(root: string, filters: readonly string[]): Promise<TestFile[]> {
  const paths: string[] = [];
  for await (const path of glob(PATTERNS, { cwd: root, exclude: (name) => name === 'node_modules' })) paths.push(path);
  return paths
    .filter((path) => !LEFT_OUT.test(path))
    .filter((path) => filters.length === 0 || filters.some((filter) => join(root, path).includes(filter)))
    .map((path) => ({ path, turn: turnOf(path) }))
    .sort((a, b) => rankOf(a) - rankOf(b) || (a.path < b.path ? -1 : 1));
}

function turnOf(path: string): Turn | undefined {
  return TURNS.find(([, pattern]) => pattern.test(path))?.[0];
}

function rankOf({ path, turn }: TestFile): number {
  if (turn !== undefined) return 0;
  return LONG.test(path) ? 1 : 2;
}
