import { testPaths } from '../bootstrap/test-files.mjs';

export type Turn = 'sensor' | 'kernel' | 'guest' | 'program' | 'engine' | 'rules';

export interface TestFile {
  /** Path relative to the repository. */
  readonly path: string;
  /** Files of the same turn run one at a time, because they use the same part of the machine. */
  readonly turn: Turn | undefined;
}

const TURNS: readonly (readonly [Turn, RegExp])[] = [
  // All run in one process, which loads the sensor once for most of the files.
  ['sensor', /^test\/kernel\/sensor\//],
  ['kernel', /^test\/kernel\//],
  // Runs for minutes in an emulated machine and uses only the CPU of this machine.
  ['guest', /^test\/kernels\/kernels\.test/],
  // Each starts an agent that watches the machine and could kill the processes of another file. Fleets of simulated
  // hosts watch nothing, so they are excluded.
  ['program', /^test\/(e2e\/|scenarios\/played|(chaos|security)\/(?!fleet|responders))/],
  // All run in one process, which compiles the built-in rules once.
  ['rules', /^rules\//],
  // Each starts a container engine, which needs many resources.
  ['engine', /^test\/deploy\/(?!fleet)/],
];
/** Files that take minutes start early, so that the run does not end with a single slow file. */
const LONG = /\/(sink|kernels|fleet)\/|\/(fleet|sensor|integrity|silence|outage)\.test/;

/** Returns the test files that the filters select: files with a turn, then long files, then the rest, each by path. */
export function findTestFiles(root: string, filters: readonly string[]): TestFile[] {
  return testPaths(root, filters)
    .map((path) => ({ path, turn: turnOf(path) }))
    .sort((a, b) => rankOf(a) - rankOf(b));
}

function turnOf(path: string): Turn | undefined {
  return TURNS.find(([, pattern]) => pattern.test(path))?.[0];
}

function rankOf({ path, turn }: TestFile): number {
  if (turn !== undefined) return 0;
  return LONG.test(path) ? 1 : 2;
}
