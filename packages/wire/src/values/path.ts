import { posix } from 'node:path';
import type { TextSpan } from './text.ts';

/** `.`, `..` or nothing between two slashes, or at the end */
const IRREGULAR = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The path as it is without `.`, `..` and empty components, as far as its text tells: links aren't followed. A relative one keeps the `..` it
 * begins with.
 */
export function normalPath(path: string): string {
  if (path === '' || path === '/' || !IRREGULAR.test(path.startsWith('/') ? path.slice(1) : path)) return path;
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

const SLASH = 47;
const DOT = 46;

/** Whether a path in bytes is absolute and surely what `normalPath` makes of it: of hidden files that is not said. */
export function isNormalPath({ bytes, start, end }: TextSpan): boolean {
  if (bytes[start] !== SLASH || bytes[end - 1] === SLASH) return false;
  for (let at = start + 1; at < end; at++)
    if (bytes[at - 1] === SLASH && (bytes[at] === SLASH || bytes[at] === DOT)) return false;
  return true;
}

/** What a process is called by its executable: the path's last component. A kernel thread's is no path but its name, whole: `kworker/u8:2`. */
export function executableName(executable: string): string {
  return executable.startsWith('/') ? executable.slice(executable.lastIndexOf('/') + 1) : executable;
}
