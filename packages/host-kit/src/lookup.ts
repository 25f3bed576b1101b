/** Look-ups of files on the host, some of whose file systems may be served by a process that never answers. */
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { SystemCallError } from './errors.ts';
import { O_PATH } from './files.ts';
import { type AsyncNative, checked, lastErrno, libc, type Native } from './native.ts';

const SYS_openat2 = 437;
/** openat2(2): RESOLVE_NO_MAGICLINKS, _NO_SYMLINKS, _IN_ROOT */
const RESOLVE_IN_ROOT = 0x16;
/** RESOLVE_NO_MAGICLINKS, _IN_ROOT */
const RESOLVE_LINKS_IN_ROOT = 0x12;
const RESOLVE_NO_XDEV = 0x01;
/** The kernel fails with EAGAIN instead of asking a file system (5.12). */
const RESOLVE_CACHED = 0x20;
/** statx(2): AT_EMPTY_PATH, AT_STATX_DONT_SYNC */
const EMPTY_PATH_CACHED = 0x5000;
const STATX_BASIC_STATS = 0x7ff;
/** Linux 5.8 */
const STATX_MNT_ID = 0x1000;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const { EAGAIN, EXDEV } = constants.errno;
/** Not among Node's constants */
const EREMOTE = 66;

/** On every architecture, a system call takes its arguments like a function without variable arguments. */
const openat2: AsyncNative<[number, number, Buffer, Buffer, number], number> = libc.func(
  'long syscall(long number, int directory, const void *path, const void *how, size_t size)',
);
const statx: Native<[number, string, number, number, Buffer], number> = libc.func(
  'int statx(int directory, const char *path, int flags, unsigned int mask, _Out_ void *into)',
);

type MayEnter = (fd: number) => boolean;

/**
 * Opens `path` with O_PATH and with the directory `root` as /, without following links. Asks `mayEnter` about each
 * mount on the way before anything is looked up in it, with a descriptor of its root: a file system in user space may
 * never answer. Returns null if there is no such file, no permission, or a mount that may not be entered.
 */
export function openBeneath(root: number, path: Uint8Array, mayEnter: MayEnter): number | null {
  const fd = lookUp(root, path, mayEnter);
  return fd < 0 ? null : fd;
}

/**
 * Like `openBeneath`, but throws SystemCallError: ENOENT and ENOTDIR if there is no such file, ELOOP if a part of the
 * path is a link, EREMOTE at a mount that may not be entered.
 */
export function openBeneathOrThrow(root: number, path: Uint8Array, mayEnter: MayEnter): number {
  const fd = lookUp(root, path, mayEnter);
  if (fd < 0) throw new SystemCallError('openat2', -fd);
  return fd;
}

/**
 * Opens `path` with O_PATH and with the directory `root` as /, which links cannot leave. Throws SystemCallError.
 */
export function openFollowingLinks(root: number, path: Uint8Array): number {
  const fd = openAt(root, path, RESOLVE_LINKS_IN_ROOT);
  if (fd < 0) throw new SystemCallError('openat2', -fd);
  return fd;
}

/** Returns a descriptor, or a negative error number. */
function lookUp(root: number, path: Uint8Array, mayEnter: MayEnter): number {
  const direct = openAt(root, path, RESOLVE_IN_ROOT | RESOLVE_NO_XDEV);
  if (direct !== -EXDEV) return direct;
  let directory = root;
  for (const part of partsOf(path)) {
    const next = openPart(directory, part, mayEnter);
    if (directory !== root) closeSync(directory);
    if (next < 0) return next;
    directory = next;
  }
  return directory === root ? -EXDEV : directory;
}

function openPart(directory: number, name: Uint8Array, mayEnter: MayEnter): number {
  const inside = openAt(directory, name, RESOLVE_IN_ROOT | RESOLVE_NO_XDEV);
  if (inside !== -EXDEV) return inside;
  const fd = openAt(directory, name, RESOLVE_IN_ROOT);
  return fd < 0 ? fd : (ifEntered(fd, mayEnter) ?? -EREMOTE);
}

/**
 * Opens `path` likewise from the kernel's cache alone, so that it asks no file system and never waits. Asks `mayEnter`
 * about the file's own mount only. Returns 'uncached' if the kernel would have to ask a file system.
 */
export function openCached(root: number, path: Uint8Array, mayEnter: MayEnter): number | null | 'uncached' {
  const fd = openAt(root, path, RESOLVE_IN_ROOT | RESOLVE_CACHED);
  if (fd === -EAGAIN) return 'uncached';
  return fd < 0 ? null : ifEntered(fd, mayEnter);
}

function ifEntered(fd: number, mayEnter: MayEnter): number | null {
  if (mayEnter(fd)) return fd;
  closeSync(fd);
  return null;
}

/**
 * Opens `path` on Node's thread pool, where a file system may let it wait for ever. Asks `mayEnter` about each mount on
 * the way, as `openBeneath` does. Resolves with null if there is no such file, no permission, or a mount that may not
 * be entered.
 */
export async function openWaiting(root: number, path: Uint8Array, mayEnter: MayEnter): Promise<number | null> {
  const direct = await openOnPool(root, path);
  if (direct !== null) return direct;
  const cached = openCached(root, path, mayEnter);
  if (cached !== 'uncached') return cached;
  let directory = root;
  for (const part of partsOf(path)) {
    const next = (await openOnPool(directory, part)) ?? openMount(directory, part, mayEnter);
    if (directory !== root) closeSync(directory);
    if (next === null) return null;
    directory = next;
  }
  return directory === root ? null : directory;
}

/** Opens a file without leaving the mount of the directory. */
function openOnPool(directory: number, path: Uint8Array): Promise<number | null> {
  const [name, how] = [terminated(path), openHow(RESOLVE_IN_ROOT | RESOLVE_NO_XDEV)];
  return new Promise((resolve, reject) => {
    openat2.async(SYS_openat2, directory, name, how, how.length, (error, fd) => {
      if (error !== null) reject(error);
      else resolve(fd < 0 ? null : fd);
    });
  });
}

/** Opens the root of a mount, which the kernel knows without asking its file system. */
function openMount(directory: number, name: Uint8Array, mayEnter: MayEnter): number | null {
  const fd = openAt(directory, name, RESOLVE_IN_ROOT | RESOLVE_CACHED);
  return fd < 0 ? null : ifEntered(fd, mayEnter);
}

const partsOf = (path: Uint8Array): Buffer[] =>
  Buffer.from(path)
    .toString('latin1')
    .split('/')
    .filter(Boolean)
    .map((part) => Buffer.from(part, 'latin1'));

/** Returns a descriptor, or a negative error number. */
function openAt(directory: number, path: Uint8Array, resolve: number): number {
  const how = openHow(resolve);
  const fd = openat2(SYS_openat2, directory, terminated(path), how, how.length);
  return fd < 0 ? -lastErrno() : fd;
}

const terminated = (path: Uint8Array): Buffer => Buffer.concat([path, Buffer.alloc(1)]);

/** Encodes struct open_how: flags, mode, resolve. */
function openHow(resolve: number): Buffer {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(O_PATH), 0);
  how.writeBigUInt64LE(BigInt(resolve), 16);
  return how;
}

export interface CachedStat {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  /** Bytes */
  readonly size: number;
  /** Device, inode and ctime */
  readonly stamp: string;
}

/** struct statx, include/uapi/linux/stat.h */
const STAT = Buffer.alloc(256);

/** Returns what the kernel knows of an open file, without asking its file system. Throws SystemCallError. */
export function statCached(fd: number): CachedStat {
  checked('statx', statx(fd, '', EMPTY_PATH_CACHED, STATX_BASIC_STATS, STAT));
  const type = STAT.readUInt16LE(28) & S_IFMT;
  const device = `${STAT.readUInt32LE(136)}:${STAT.readUInt32LE(140)}`;
  const ctime = `${STAT.readBigInt64LE(96)}.${STAT.readUInt32LE(104)}`;
  return {
    isFile: type === S_IFREG,
    isDirectory: type === S_IFDIR,
    size: Number(STAT.readBigUInt64LE(40)),
    stamp: `${device}/${STAT.readBigUInt64LE(32)}/${ctime}`,
  };
}

/** Returns the id of the mount of an open file, as in mountinfo. Throws SystemCallError. */
export function mountOf(fd: number): bigint {
  checked('statx', statx(fd, '', EMPTY_PATH_CACHED, STATX_MNT_ID, STAT));
  return STAT.readBigUInt64LE(144);
}
