/**
 * Makes files of this checkout readable for users without privileges: tests run some of them as another user, who may
 * not be allowed to enter the checkout's folder.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { TestServerError } from '@ringfence/dev-servers/in-process';

const ROOT = join(import.meta.dirname, '../../..');
const NOBODY = '65534';
/** Prefix of a tree's name. The pid of its process follows. */
const PREFIX = 'ringfence-readable-';
/** Folders that are not in a tree, except for those in INCLUDED. */
const EXCLUDED = new Set(['.git', 'dist', 'node_modules']);
const INCLUDED = ['node_modules', 'dist/sensor'];
const READABLE = 0o444;
const PRIVATE_FOLDER = 'for d; do [ -x "$d" ] || { printf %s "$d"; exit; }; done';

/** Returns the first folder on the way to the path that a user without privileges can't enter, or undefined. */
export function closedFolder(path: string): string | undefined {
  const folders = [path];
  for (let folder = dirname(path); folder !== folders[0]; folder = dirname(folder)) folders.unshift(folder);
  const identity = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'];
  const { stdout } = spawnSync('setpriv', [...identity, '/bin/sh', '-c', PRIVATE_FOLDER, 'sh', ...folders], {
    encoding: 'utf8',
  });
  return stdout ? stdout : undefined;
}

function placeFile(from: string, to: string, mode: number): void {
  if ((mode & READABLE) === READABLE)
    try {
      linkSync(from, to);
      return;
    } catch (error) {
      // The file is on another file system, or links are not allowed: copy it.
      if (!['EXDEV', 'EPERM', 'EMLINK'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  chmodSync(to, mode | READABLE | ((mode & 0o100) === 0 ? 0 : 0o111));
}

/** Links the files of a folder, or copies those that can't be linked or read. */
function placeFolder(from: string, to: string, excluded: ReadonlySet<string> = new Set()): void {
  mkdirSync(to, { recursive: true, mode: 0o755 });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (excluded.has(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) placeFolder(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (entry.isFile()) placeFile(source, target, lstatSync(source).mode);
  }
}

/** Removes the trees of test processes that were killed. */
function removeTreesOfDead(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? name.slice(PREFIX.length).split('-')[0] : undefined;
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/**
 * Returns a folder in which users without privileges can read the checkout: the checkout itself, or a tree of links and
 * copies, which is removed when this process ends. Throws TestServerError (ERR_TESTKIT_CLOSED) if they can't enter the
 * temporary folder either.
 */
export function readableTree(root: string): string {
  if (closedFolder(root) === undefined) return root;
  removeTreesOfDead();
  const tree = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  // Remove the tree in another process: the runner allows a test process only a few seconds to end.
  process.once('exit', () => spawn('rm', ['-rf', tree], { detached: true, stdio: 'ignore' }).unref());
  chmodSync(tree, 0o755);
  const closed = closedFolder(tree);
  if (closed !== undefined)
    throw new TestServerError(
      'ERR_TESTKIT_CLOSED',
      `users without privileges can't enter ${closed}: set TMPDIR to a folder that they can enter`,
    );
  placeFolder(root, tree, EXCLUDED);
  // node_modules may be a link to a folder outside of the checkout.
  for (const folder of INCLUDED)
    if (existsSync(join(root, folder))) placeFolder(realpathSync(join(root, folder)), join(tree, folder));
  return tree;
}

let tree: string | undefined;

/**
 * Returns a path under which users without privileges can read a file or folder of this checkout (see readableTree).
 * Returns a path outside of the checkout unchanged. Needs root.
 */
export function readable(path: string): string {
  const below = relative(ROOT, path);
  if (below.startsWith('..')) return path;
  tree ??= readableTree(ROOT);
  return join(tree, below);
}
