import { closeSync, constants, openSync, readSync } from 'node:fs';
import { type EntryStat, nextData, openBeneath } from '@ringfence/host-kit';
import type { ParametersOf } from '../parameters.ts';
import { pathBytes } from '../path-text.ts';
import { BUFFER, Content, type ItemFacts, type Reading } from './content.ts';
import { Refusal } from './refusal.ts';
import { statFd, statTexts, targetPath } from './target.ts';

/** A file of size 0 may still have content, as most files of /proc have. */
const UNSIZED_MAX = 32 << 20;
const TYPES: ReadonlyMap<number, string> = new Map([
  [0o010000, 'a FIFO'],
  [0o020000, 'a character device'],
  [0o040000, 'a directory'],
  [0o060000, 'a block device'],
  [0o100000, 'a regular file'],
  [0o120000, 'a link'],
  [0o140000, 'a socket'],
]);
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

export const typeOf = (mode: number): string => TYPES.get(mode & S_IFMT) ?? 'a file of an unknown type';
export const isRegular = ({ mode }: EntryStat): boolean => (mode & S_IFMT) === S_IFREG;

/** Opens the root of the host, or of the process. */
export const openRoot = (isOfTarget: boolean): number =>
  openSync(isOfTarget ? targetPath('root') : '/', constants.O_RDONLY | constants.O_DIRECTORY);

/**
 * Opens a path without following links, so that no link can lead the reading to another file. Throws Refusal if it
 * can't be opened, or is of another type.
 */
export function openPath(path: string, isOfTarget: boolean, type: 'a regular file' | 'a directory'): number {
  const root = openRoot(isOfTarget);
  const found = openBeneath(root, pathBytes(path) ?? Buffer.from(path), () => true);
  closeSync(root);
  if (found === null)
    throw new Refusal('not-possible', `${path}: no such file, or a link lies on its way: give the path without links`);
  try {
    const actual = typeOf(statFd(found).mode);
    if (actual !== type) throw new Refusal('not-possible', `${path} is ${actual}, not ${type}`);
    return reopen(found);
  } finally {
    closeSync(found);
  }
}

/** Opens what an O_PATH descriptor names for reading, and leaves its time of access as it is where that is allowed. */
export function reopen(fd: number): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  try {
    return openSync(`/proc/self/fd/${fd}`, flags | constants.O_NOATIME);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    return openSync(`/proc/self/fd/${fd}`, flags);
  }
}

type Identity = Pick<ParametersOf<'file'>, 'device' | 'inode'>;

/** Throws Refusal if the file is not the one that the command names. */
export function checkIdentity(fd: number, { device, inode }: Identity): EntryStat {
  const stat = statFd(fd);
  if ((device !== undefined && device !== stat.device) || (inode !== undefined && inode !== String(stat.inode)))
    throw new Refusal('not-the-target', `the file is ${stat.device}, inode ${stat.inode}, not the one of the command`);
  return stat;
}

export function readFile(reading: Reading, fd: number, path: string): void {
  copyFile(reading, fd, { kind: 'file', name: path, source: { path, ...statTexts(statFd(fd)) } });
}

/**
 * Collects a regular file as long as it was when it was opened. Of a file with holes, its data alone is the content,
 * and a second item says where each part belongs.
 */
export function copyFile(reading: Reading, fd: number, facts: ItemFacts): void {
  const before = statFd(fd);
  const first = before.allocated < before.size ? nextData(fd, 0) : { start: 0, end: before.size };
  const isSparse = first === null || first.start > 0 || first.end < before.size;
  const content = new Content(reading, { ...facts, kind: isSparse ? `${facts.kind}-data` : facts.kind });
  if (isSparse) {
    const map = new Content(reading, { ...facts, kind: `${facts.kind}-map` });
    copyData(fd, before.size, content, map);
    map.finish();
  } else if (before.size === 0) copyRange(fd, 0, UNSIZED_MAX, content);
  else if (copyRange(fd, 0, before.size, content) < 0) content.note('the file became shorter while it was read');
  const after = statFd(fd);
  if (after.size > before.size)
    content.note(`the file grew from ${before.size} to ${after.size} bytes while it was read`);
  if (after.modified !== before.modified || after.changed !== before.changed)
    content.note('the file was changed while it was read');
  content.finish();
}

function copyData(fd: number, size: number, content: Content, map: Content): void {
  content.note(`the file has ${size} bytes with holes: the content is its data, as the map says`);
  for (let range = nextData(fd, 0); range !== null && range.start < size; range = nextData(fd, range.end)) {
    const end = Math.min(range.end, size);
    const offset = content.size;
    const isAll = copyRange(fd, range.start, end, content) === 1;
    map.writeLine({ start: range.start, end: range.start + content.size - offset, offset });
    if (!isAll) return;
  }
}

/** Returns 1: all was copied; 0: a limit ended it; -1: the file ended before. */
function copyRange(fd: number, start: number, end: number, content: Content): number {
  for (let at = start; at < end; ) {
    const length = readSync(fd, BUFFER, 0, Math.min(BUFFER.length, end - at), at);
    if (length === 0) return -1;
    if (!content.write(BUFFER.subarray(0, length))) return 0;
    at += length;
  }
  return 1;
}
