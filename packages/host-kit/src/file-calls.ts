/** System calls on files that node:fs lacks: attributes, flags, handles and exact renames. */
import { constants } from 'node:os';
import { SystemCallError } from './errors.ts';
import { checked, lastErrno, libc, type Native } from './native.ts';

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_SYMLINK_FOLLOW = 0x400;
/** Numbers of x86-64 and arm64, include/uapi/linux/fs.h */
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_IOC_GETVERSION = 0x80087601;
export const FS_IMMUTABLE_FL = 0x10;
export const FS_APPEND_FL = 0x20;
const F_OFD_SETLK = 37;
const F_WRLCK = 1;
const MAX_HANDLE_SZ = 128;
const HANDLE_HEADER = 8;
const ATTRIBUTES_BYTES = 65_536;
const { EAGAIN, EACCES, ENODATA, ENOTSUP, ENOTTY, EOPNOTSUPP, EINVAL, ENOSYS, ESTALE } = constants.errno;

const listAttributesCall: Native<[string, Buffer, number], number> = libc.func(
  'long listxattr(const char *path, _Out_ void *list, size_t size)',
);
const getAttributeCall: Native<[string, string, Buffer, number], number> = libc.func(
  'long getxattr(const char *path, const char *name, _Out_ void *value, size_t size)',
);
const setAttributeCall: Native<[string, string, Buffer, number, number], number> = libc.func(
  'int setxattr(const char *path, const char *name, const void *value, size_t size, int flags)',
);
const removeAttributeCall: Native<[string, string], number> = libc.func(
  'int removexattr(const char *path, const char *name)',
);
const utimensatCall: Native<[number, string, BigInt64Array, number], number> = libc.func(
  'int utimensat(int directory, const char *path, const int64_t *times, int flags)',
);
const ioctlCall: Native<[number, number, Int32Array], number> = libc.func(
  'int ioctl(int fd, unsigned long request, _Inout_ int32_t *value)',
);
const fcntlCall: Native<[number, number, Buffer], number> = libc.func(
  'int fcntl(int fd, int command, const void *lock)',
);
const renameCall: Native<[number, Buffer, number, Buffer, number], number> = libc.func(
  'int renameat2(int from, const void *name, int to, const void *newName, unsigned int flags)',
);
const linkCall: Native<[number, string, number, Buffer, number], number> = libc.func(
  'int linkat(int from, const char *path, int to, const void *name, int flags)',
);
const toHandle: Native<[number, string, Buffer, Int32Array, number], number> = libc.func(
  'int name_to_handle_at(int directory, const char *path, _Inout_ void *handle, _Out_ int *mount, int flags)',
);
const openHandle: Native<[number, Buffer, number], number> = libc.func(
  'int open_by_handle_at(int mount, const void *handle, int flags)',
);

/** The path of an open file, which also names one that was opened with O_PATH, renamed or unlinked. */
export const descriptorPath = (fd: number): string => `/proc/self/fd/${fd}`;

/**
 * Returns the extended attributes of an open file by name, those that this process may see. Empty where the file
 * system has none. Throws SystemCallError.
 */
export function readAttributes(fd: number): ReadonlyMap<string, Buffer> {
  const path = descriptorPath(fd);
  const list = Buffer.alloc(ATTRIBUTES_BYTES);
  const length = listAttributesCall(path, list, list.length);
  if (length < 0 && lastErrno() === ENOTSUP) return new Map();
  checked('listxattr', length);
  const names = list.toString('latin1', 0, length).split('\0').filter(Boolean);
  const found = new Map<string, Buffer>();
  for (const name of names) {
    const value = Buffer.alloc(ATTRIBUTES_BYTES);
    const size = getAttributeCall(path, name, value, value.length);
    if (size < 0 && lastErrno() === ENODATA) continue;
    found.set(name, Buffer.from(value.subarray(0, checked('getxattr', size))));
  }
  return found;
}

/** Throws SystemCallError. */
export function setAttribute(fd: number, name: string, value: Buffer): void {
  checked('setxattr', setAttributeCall(descriptorPath(fd), name, value, value.length, 0));
}

/** Throws SystemCallError. */
export function removeAttribute(fd: number, name: string): void {
  checked('removexattr', removeAttributeCall(descriptorPath(fd), name));
}

/** Sets both times of an open file, in ns since the epoch. Throws SystemCallError. */
export function setFileTimes(fd: number, atimeNs: bigint, mtimeNs: bigint): void {
  const times = new BigInt64Array(4);
  for (const [index, time] of [atimeNs, mtimeNs].entries()) {
    const nanos = ((time % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
    times.set([(time - nanos) / 1_000_000_000n, nanos], index * 2);
  }
  checked('utimensat', utimensatCall(AT_FDCWD, descriptorPath(fd), times, 0));
}

/** Returns the inode flags (FS_*_FL) of a file that is open for reading; null where the file system has none. */
export function readFileFlags(fd: number): number | null {
  const value = new Int32Array(1);
  if (ioctlCall(fd, FS_IOC_GETFLAGS, value) === 0) return value[0] as number;
  if (hasNoSuchCall(lastErrno())) return null;
  throw new SystemCallError('FS_IOC_GETFLAGS', lastErrno());
}

/** Sets the inode flags. Returns false where the file system has none. Throws SystemCallError. */
export function setFileFlags(fd: number, flags: number): boolean {
  if (ioctlCall(fd, FS_IOC_SETFLAGS, new Int32Array([flags])) === 0) return true;
  if (hasNoSuchCall(lastErrno())) return false;
  throw new SystemCallError('FS_IOC_SETFLAGS', lastErrno());
}

/** Returns the generation of the inode of a file that is open for reading; null where the file system has none. */
export function readGeneration(fd: number): number | null {
  const value = new Int32Array(1);
  if (ioctlCall(fd, FS_IOC_GETVERSION, value) === 0) return (value[0] as number) >>> 0;
  if (hasNoSuchCall(lastErrno())) return null;
  throw new SystemCallError('FS_IOC_GETVERSION', lastErrno());
}

const hasNoSuchCall = (errno: number): boolean => [ENOTTY, EOPNOTSUPP, EINVAL, ENOSYS].includes(errno);

/** Locks the whole file against other openings of it that lock it with fcntl. Returns false if one holds the lock. */
export function tryRecordLock(fd: number): boolean {
  const lock = Buffer.alloc(32); // struct flock: type, whence, start, length, pid
  lock.writeInt16LE(F_WRLCK, 0);
  if (fcntlCall(fd, F_OFD_SETLK, lock) === 0) return true;
  const errno = lastErrno();
  if (errno === EAGAIN || errno === EACCES) return false;
  throw new SystemCallError('fcntl', errno);
}

/** A name in an open directory. */
export interface DirectoryEntry {
  readonly directory: number;
  readonly name: Uint8Array;
}

/** `noReplace`: fails with EEXIST rather than replace the target. `exchange`: both names keep a file. */
export const RENAME = { noReplace: 1, exchange: 2 } as const;

/** renameat2(2). Throws SystemCallError. */
export function renameEntry(from: DirectoryEntry, to: DirectoryEntry, flags: number): void {
  checked('renameat2', renameCall(from.directory, asText(from.name), to.directory, asText(to.name), flags));
}

/** Gives an open file, also one without a name, a further name. Throws SystemCallError (EEXIST: the name is taken). */
export function linkDescriptor(fd: number, to: DirectoryEntry): void {
  const result = linkCall(AT_FDCWD, descriptorPath(fd), to.directory, asText(to.name), AT_SYMLINK_FOLLOW);
  checked('linkat', result);
}

const asText = (name: Uint8Array): Buffer => Buffer.concat([name, Buffer.alloc(1)]);

/** Returns a handle by which the inode is found as long as it exists; null where the file system has none. */
export function fileHandle(fd: number): Buffer | null {
  const handle = Buffer.alloc(HANDLE_HEADER + MAX_HANDLE_SZ);
  handle.writeUInt32LE(MAX_HANDLE_SZ, 0);
  if (toHandle(fd, '', handle, new Int32Array(1), AT_EMPTY_PATH) < 0) {
    if (lastErrno() === EOPNOTSUPP) return null;
    throw new SystemCallError('name_to_handle_at', lastErrno());
  }
  return Buffer.from(handle.subarray(0, HANDLE_HEADER + handle.readUInt32LE(0)));
}

/**
 * Opens an inode by its handle. `inFileSystem` is any file of its file system, open for reading. Returns null if the
 * inode no longer exists. Throws SystemCallError (EPERM: CAP_DAC_READ_SEARCH is missing).
 */
export function openFileHandle(inFileSystem: number, handle: Buffer, flags: number): number | null {
  if (handle.length < HANDLE_HEADER || handle.readUInt32LE(0) !== handle.length - HANDLE_HEADER) return null;
  const fd = openHandle(inFileSystem, handle, flags);
  if (fd >= 0) return fd;
  if (lastErrno() === ESTALE) return null;
  throw new SystemCallError('open_by_handle_at', lastErrno());
}
