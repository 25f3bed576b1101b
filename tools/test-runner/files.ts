import { testPaths } from '../bootstrap/test-files.mjs';

export type Turn = 'sensor' | 'kernel' | 'guest' | 'program' | 'engine';

export interface TestFile {
  /** relative to the repository */
  readonly path: string;
  /** Of the files with the same one runs at a time: they share more of the machine than others bear. */
  readonly turn: Turn | undefined;
}

const TURNS: readonly (readonly [Turn, RegExp])[] = [
  // all in one process, which loads the sensor once for most of them
  ['sensor', /^test\/kernel\/sensor\//],
  ['kernel', /^test\/kernel\//],
  // minutes of an emulated machine, of which this one sees nothing but the CPU
  ['guest', /^test\/kernels\/kernels\.test/],
  // Each has an agent that watches the machine, and may kill what another one's demo plays. Not fleets of simulated hosts, which watch nothing.
  ['program', /^test\/(e2e\/|scenarios\/played|(chaos|security)\/(?!fleet|responders))/],
  // container engines of their own, which are half a machine
  ['engine', /^test\/deploy\/(?!fleet)/],
];
/** What takes minutes begins first, so that in the end nobody waits for it alone. */
const LONG = /\/(sink|kernels|fleet)\/|\/(fleet|sensor|integrity|silence|outage)\.test/;

/** Returns the test files that the filters select: first what takes turns, then the long ones, each in the order of their paths. */
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
