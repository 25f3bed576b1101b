import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { OperatorError } from '@ringfence/base';

/** A file that the user's process needs, or a folder that it is given: there only the way to the folder counts. */
export interface Needed {
  readonly path: string;
  readonly right: 'execute' | 'read' | 'given';
}

interface Test {
  readonly path: string;
  readonly right: 'execute' | 'read' | 'enter';
  /** what is needed in the end */
  readonly target: string;
}

const FLAG = { execute: '-x', read: '-r', enter: '-x' } as const;
/** Prints the number of the first test that fails. */
const SCRIPT = 'n=0; while [ $# -gt 0 ]; do [ "$1" "$2" ] || { echo $n; exit; }; n=$((n + 1)); shift 2; done';

/** Every folder on the way to the path, from / on. */
function foldersAbove(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...foldersAbove(parent), parent];
}

function testsOf({ path, right }: Needed): Test[] {
  const way = foldersAbove(path).map((folder): Test => ({ path: folder, right: 'enter', target: path }));
  const tests = right === 'given' ? way : [...way, { path, right, target: path }];
  // A folder that is not there yet is made for the user.
  return tests.filter((test) => existsSync(test.path));
}

/**
 * Throws OperatorError with the first folder that the user can't enter, if the user can't reach a path that it needs.
 * The kernel decides: `asUser` is the command that becomes the user and runs the rest of its arguments.
 */
export function assertReachable(user: string, asUser: readonly string[], needed: readonly Needed[]): void {
  const tests = needed.flatMap(testsOf);
  const [command = '', ...args] = asUser;
  const words = tests.flatMap(({ path, right }) => [FLAG[right], path]);
  const { stdout } = spawnSync(command, [...args, '/bin/sh', '-c', SCRIPT, 'sh', ...words], { encoding: 'utf8' });
  const failed = stdout ? tests[Number(stdout)] : undefined;
  if (failed === undefined) return;
  const { path, right, target } = failed;
  throw new OperatorError(
    right === 'enter'
      ? `user: ${user} can't enter ${path}, on the way to ${target}: put that into a folder that every user can enter ` +
          `(deploy/README.md), or let the user through: chmod o+x ${path}`
      : `user: ${user} can't ${right} ${path}: give that user the right to it: chmod -R o+rX ${dirname(path)}`,
  );
}
