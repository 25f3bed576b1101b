import { lstatSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ifExists, ifReadable } from '@ringfence/host-kit';
import { type FileIdentity, idOf, MIN_ANCHOR, Tail, type TailPosition } from './tail.ts';

const MAX_SIBLINGS = 4096;
const COMPRESSED = ['.gz', '.xz', '.zst', '.bz2', '.lz4'];

/** null: there is no such file, or we may not see it, or it is no regular one. */
export function identify(path: string): FileIdentity | null {
  const stat = ifReadable(() => lstatSync(path, { bigint: true, throwIfNoEntry: false }));
  return stat?.isFile() === true ? { device: String(stat.dev), inode: String(stat.ino) } : null;
}

/** Why a path that is there can't be a log; '': it can, or is not there. */
export function whyUnfit(path: string): string {
  try {
    const stat = ifExists(() => lstatSync(path, { throwIfNoEntry: false })) ?? null;
    return stat === null || stat.isFile() ? '' : 'it is no regular file; links are not followed';
  } catch (error) {
    return (error as Error).message;
  }
}

/** Where a rotated file may be: `auth.log.1`, `auth.log-20261125`, never a compressed one. */
function siblings(path: string): string[] {
  const base = basename(path);
  const names = ifReadable(() => readdirSync(dirname(path))) ?? [];
  const rotated = names.filter(
    (name) => name.startsWith(base) && name !== base && !COMPRESSED.some((end) => name.endsWith(end)),
  );
  return rotated.slice(0, MAX_SIBLINGS).map((name) => join(dirname(path), name));
}

/** The same file, whatever it is called by now, at the place where reading stopped; null: it is not there, or no longer what it was. */
export function findAgain(position: TailPosition): Tail | null {
  const id = idOf(position);
  const found = [position.path, ...siblings(position.path)].find((path) => {
    const identity = identify(path);
    return identity !== null && idOf(identity) === id;
  });
  return found === undefined ? null : openAt(found, position);
}

export interface Sibling extends FileIdentity {
  readonly path: string;
}

/** Rotated files of a log that were written to since then (ms since the epoch), the oldest first. */
export function writtenSince(path: string, sinceMs: number): Sibling[] {
  const found = siblings(path).flatMap((sibling) => {
    const stat = ifReadable(() => lstatSync(sibling, { bigint: true }));
    if (stat === null || !stat.isFile() || Number(stat.mtimeMs) < sinceMs) return [];
    return [{ path: sibling, device: String(stat.dev), inode: String(stat.ino), mtime: stat.mtimeNs }];
  });
  return found.sort((a, b) => (a.mtime < b.mtime ? -1 : 1));
}

/**
 * A copy that was made before the file was emptied (logrotate's copytruncate) has the same bytes before the place where reading stopped, and goes on
 * there. null: it is none.
 */
export const openCopy = (path: string, position: TailPosition): Tail | null =>
  position.anchor.length < MIN_ANCHOR * 2 ? null : openAt(path, position);

/** At a place that is known; null: it is not what it was. */
export function openAt(path: string, { offset, anchor, path: label }: TailPosition): Tail | null {
  const tail = ifReadable(() => Tail.open(path, label));
  if (tail === null) return null;
  if (tail.size >= offset && tail.seek(offset, Buffer.from(anchor, 'hex'))) return tail;
  tail.close();
  return null;
}
