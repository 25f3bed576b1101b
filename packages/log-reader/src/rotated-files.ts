import { lstatSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ifExists, ifReadable } from '@ringfence/host-kit';
import { type FileIdentity, idOf, MIN_ANCHOR, Tail, type TailPosition } from './tail.ts';

const MAX_FILES = 4096;
const COMPRESSED = ['.gz', '.xz', '.zst', '.bz2', '.lz4'];

/** Returns null if the path does not exist, can't be read, or is not a regular file. */
export function identify(path: string): FileIdentity | null {
  const stat = ifReadable(() => lstatSync(path, { bigint: true, throwIfNoEntry: false }));
  return stat?.isFile() === true ? { device: String(stat.dev), inode: String(stat.ino) } : null;
}

/** Returns why an existing path can't be a log, or ''. */
export function whyUnreadable(path: string): string {
  try {
    const stat = ifExists(() => lstatSync(path, { throwIfNoEntry: false })) ?? null;
    return stat === null || stat.isFile() ? '' : 'it is not a regular file; links are not followed';
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Returns the paths that rotated files of a log may have: `auth.log.1`, `auth.log-20261125`, without compressed ones.
 */
function rotatedPaths(path: string): string[] {
  const base = basename(path);
  const names = ifReadable(() => readdirSync(dirname(path))) ?? [];
  const rotated = names.filter(
    (name) => name.startsWith(base) && name !== base && !COMPRESSED.some((suffix) => name.endsWith(suffix)),
  );
  return rotated.slice(0, MAX_FILES).map((name) => join(dirname(path), name));
}

/**
 * Opens a file again at the position where reading stopped, whatever its name is now. Returns null if it is gone, or if
 * its contents have changed.
 */
export function reopen(position: TailPosition): Tail | null {
  const id = idOf(position);
  const path = [position.path, ...rotatedPaths(position.path)].find((candidate) => {
    const identity = identify(candidate);
    return identity !== null && idOf(identity) === id;
  });
  return path === undefined ? null : openAt(path, position);
}

export interface RotatedFile extends FileIdentity {
  readonly path: string;
}

/** Returns the rotated files of a log that were written since a time (ms since the epoch), oldest first. */
export function rotatedSince(path: string, sinceMs: number): RotatedFile[] {
  const files = rotatedPaths(path).flatMap((rotated) => {
    const stat = ifReadable(() => lstatSync(rotated, { bigint: true }));
    if (stat === null || !stat.isFile() || Number(stat.mtimeMs) < sinceMs) return [];
    return [{ path: rotated, device: String(stat.dev), inode: String(stat.ino), mtime: stat.mtimeNs }];
  });
  return files.sort((a, b) => (a.mtime < b.mtime ? -1 : 1));
}

/**
 * Opens a copy that was made before the log was truncated (copytruncate of logrotate). It has the same bytes before the
 * position where reading stopped, so reading continues there. Returns null if the file is not such a copy.
 */
export const openCopy = (path: string, position: TailPosition): Tail | null =>
  position.anchor.length < MIN_ANCHOR * 2 ? null : openAt(path, position);

/** Opens a file at a position. Returns null if the bytes before it are different. */
export function openAt(path: string, { offset, anchor, path: label }: TailPosition): Tail | null {
  const tail = ifReadable(() => Tail.open(path, label));
  if (tail === null) return null;
  if (tail.size >= offset && tail.seek(offset, Buffer.from(anchor, 'hex'))) return tail;
  tail.close();
  return null;
}
