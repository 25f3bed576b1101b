import {
  accessSync,
  constants,
  lstatSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OperatorError } from './errors.ts';

/** The kernel's limit of links in a path. */
const LINKS_MAX = 40;
const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_ALL = 0o002;
const STICKY = 0o1000;
const ROOT = 0;

/** The folder that this program runs from. A user who can write to it can change the program itself. */
const PROGRAM = realpathSync(fileURLToPath(new URL('../../../', import.meta.url)));

/** Paths of devices, and of descriptors that whoever started the program has opened, such as those of `<(…)`. */
const UNNAMED = /^\/(dev\/(null|zero|stdin|fd\/\d+)|proc\/(self|\d+)\/fd\/\d+)$/;

/** Why a file is not trusted, and the command that makes it trusted. */
export interface Distrust {
  readonly message: string;
  readonly command: string;
}

interface Entry {
  readonly path: string;
  readonly stats: Stats;
}

/**
 * Returns why a user other than root and `reader` could change the file or folder, or replace it through a folder or a
 * link on the way to it; null if no such user could. Trusted without a check are files that are named in the program's
 * own tree, and pipes and devices without a name of their own. Throws the error of the file system when the path can't
 * be read.
 *
 * @param reader user id. @default the user of this process; root if it has capabilities
 */
export function distrustOf(path: string, reader: number = currentReader()): Distrust | null {
  const final = statSync(path);
  if (!final.isFile() && !final.isDirectory() && UNNAMED.test(resolve(path))) return null;
  // A link into the program's tree is checked like any file, because its owner can point it elsewhere after the check.
  if ([resolve(path), realpathSync(path)].every(isOfProgram)) return null;
  const entries = entriesOf(path);
  for (const [index, entry] of entries.entries()) {
    const distrust = distrustOfEntry(entry, reader, index === entries.length - 1);
    if (distrust !== null) return distrust;
  }
  return null;
}

const isOfProgram = (path: string): boolean => `${path}${sep}`.startsWith(`${PROGRAM}${sep}`);

/** Throws OperatorError, with the command that helps, when `distrustOf` the path is not null. */
export function assertTrusted(path: string, reader?: number): void {
  const distrust = distrustOf(path, reader);
  if (distrust !== null) throw new OperatorError(`not trusted: ${distrust.message}; ${distrust.command}`);
}

/** Other processes of the same user lack the capabilities of this process, so that user could raise its rights. */
function currentReader(): number {
  const [, effective = '0'] = /^CapEff:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
  return BigInt(`0x${effective}`) === 0n ? (process.geteuid?.() ?? ROOT) : ROOT;
}

function distrustOfEntry({ path, stats }: Entry, reader: number, isFinal: boolean): Distrust | null {
  const { uid, gid, mode } = stats;
  if (uid !== ROOT && uid !== reader) {
    const owner = reader === ROOT ? 'root' : `root or user ${reader}`;
    return { message: `${path} belongs to user ${uid}, not to ${owner}`, command: `chown -h root ${path}` };
  }
  if (stats.isSymbolicLink()) return null;
  // Other users can add entries to a sticky folder, but can't replace an entry of a trusted owner.
  if (stats.isDirectory() && !isFinal && (mode & STICKY) !== 0) return null;
  const byAll = (mode & WRITABLE_BY_ALL) !== 0;
  const byGroup = (mode & WRITABLE_BY_GROUP) !== 0 && gid !== ROOT;
  if ((!byAll && !byGroup) || isReadOnly(path)) return null;
  const writers = byAll ? 'every user' : `group ${gid}`;
  return { message: `${path} is writable by ${writers}`, command: `chmod ${byAll ? 'go-w' : 'g-w'} ${path}` };
}

/** Whether the mount is read-only, as mounted ConfigMaps are, whose folders have mode 0777. */
function isReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}

/** Returns every folder and link on the way to the path, and its end, as the kernel resolves them. */
function entriesOf(path: string): Entry[] {
  const entries: Entry[] = [{ path: sep, stats: lstatSync(sep) }];
  const rest = resolve(path).split(sep);
  let at: string = sep;
  for (let links = 0; links <= LINKS_MAX; ) {
    const name = rest.shift();
    if (name === undefined) return entries;
    if (name === '' || name === '.') continue;
    const next = join(at, name);
    const stats = lstatSync(next);
    entries.push({ path: next, stats });
    if (!stats.isSymbolicLink()) {
      at = next;
      continue;
    }
    links++;
    const target = readlinkSync(next);
    if (isAbsolute(target)) at = sep;
    rest.unshift(...target.split(sep));
  }
  throw new Error(`too many links: ${path}`);
}
