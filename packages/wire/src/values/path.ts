import { posix } from 'node:path';
import type { TextSpan } from './text.ts';

/** A component `.` or `..`, or an empty one. */
const IRREGULAR = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * Returns the path without `.`, `..` and empty components. Links are not followed. A relative path keeps its leading
 * `..` components.
 */
export function normalPath(path: string): string {
  if (path === '' || path === '/' || !IRREGULAR.test(path.startsWith('/') ? path.slice(1) : path)) return path;
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

const SLASH = 47;
const DOT = 46;

/**
 * Returns true only for an absolute path that `normalPath` would not change. May return false for such a path too, for
 * example when a component begins with a dot.
 */
export function isNormalPath({ bytes, start, end }: TextSpan): boolean {
  if (bytes[start] !== SLASH || bytes[end - 1] === SLASH) return false;
  for (let at = start + 1; at < end; at++)
    if (bytes[at - 1] === SLASH && (bytes[at] === SLASH || bytes[at] === DOT)) return false;
  return true;
}

/** Returns the last component of an executable's path, or the whole name of a kernel thread, such as `kworker/u8:2`. */
export function executableName(executable: string): string {
  return executable.startsWith('/') ? executable.slice(executable.lastIndexOf('/') + 1) : executable;
}
