import { posix } from 'node:path';

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
