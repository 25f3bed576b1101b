import { constants } from 'node:os';
import koffi from 'koffi';
import { SystemCallError } from './system-error.ts';

/** The few system calls that node:fs and node:process don't have. Numbers are the same on every architecture that has them. */
const SYS_pidfd_send_signal = 424;
const SYS_pidfd_open = 434;
const SYS_openat2 = 437;
/** openat2(2): RESOLVE_NO_MAGICLINKS, _NO_SYMLINKS, _IN_ROOT */
const RESOLVE_PLAINLY = 0x16;
export const CLOCK = { realtime: 0, boottime: 7 } as const;
const LOCK_EX = 2;
const LOCK_NB = 4;
const SEEK_HOLE = 4;
const AF_NETLINK = 16;
/** SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK */
const RAW_PLAINLY = 0o2004003;
const NETLINK_ROUTE = 0;
/** RTMGRP_LINK, _IPV4_IFADDR, _IPV6_IFADDR */
const LINKS_AND_ADDRESSES = 0x111;
/** POLLPRI | POLLERR: how the kernel says that a list of mounts is another one */
const POLL_CHANGED = 0xa;
const FILEID_KERNFS = 0xfe;

const libc = koffi.load('libc.so.6');
koffi.struct('rf_kernfs_handle', { bytes: 'uint32_t', type: 'int32_t', id: 'uint64_t' });

const { ENOENT, ENODATA, ENOTSUP, ENOBUFS, EWOULDBLOCK } = constants.errno;
/** sizeof(struct vfs_ns_cap_data), include/uapi/linux/capability.h */
const CAPABILITY_BYTES = 24;

type Native<A extends unknown[], R> = (...args: A) => R;
const pidfdOpenCall: Native<[number, string, number, string, number], number> = libc.func(
  'long syscall(long number, ...)',
);
const openat2Call: Native<unknown[], number> = libc.func('long syscall(long number, ...)');
const pidfdSignalCall: Native<unknown[], number> = libc.func('long syscall(long number, ...)');
const clockGettime: Native<[number, BigInt64Array], number> = libc.func(
  'int clock_gettime(int clock, _Out_ int64_t *time)',
);
const getAttribute: Native<[Buffer, string, Buffer, number], number> = libc.func(
  'long lgetxattr(const void *path, const char *name, _Out_ void *value, size_t size)',
);
const flockCall: Native<[number, number], number> = libc.func('int flock(int fd, int operation)');
const lseekCall: Native<[number, number, number], number> = libc.func('long lseek(int fd, long offset, int whence)');
const socketCall: Native<[number, number, number], number> = libc.func(
  'int socket(int family, int type, int protocol)',
);
const bindCall: Native<[number, Buffer, number], number> = libc.func('int bind(int fd, const void *address, int size)');
const recvCall: Native<[number, Buffer, number, number], number> = libc.func(
  'long recv(int fd, _Out_ void *into, size_t size, int flags)',
);
const pollCall: Native<[Buffer, number, number], number> = libc.func(
  'int poll(_Inout_ void *descriptors, unsigned long count, int timeout)',
);
const mallocTrim: Native<[number], number> = libc.func('int malloc_trim(size_t pad)');
const openByHandle: Native<[number, { bytes: number; type: number; id: bigint }, number], number> = libc.func(
  'int open_by_handle_at(int mount, rf_kernfs_handle *handle, int flags)',
);

function checked(call: string, result: number): number {
  if (result < 0) throw new SystemCallError(call, koffi.errno());
  return result;
}

/** The attribute security.capability of a file, no link followed; null: it has none, or there can be none. Throws SystemCallError. */
export function fileCapabilities(path: Uint8Array): Buffer | null {
  const value = Buffer.alloc(CAPABILITY_BYTES);
  const length = getAttribute(Buffer.concat([path, Buffer.alloc(1)]), 'security.capability', value, value.length);
  if (length >= 0) return value.subarray(0, length);
  const errno = koffi.errno();
  if (errno === ENODATA || errno === ENOTSUP || errno === ENOENT) return null;
  throw new SystemCallError('lgetxattr', errno);
}

/** Opens `path` with the directory `root` as /, following no link; null: there is no such file, or we may not. */
export function openBeneath(root: number, path: Uint8Array, flags: number): number | null {
  const how = Buffer.alloc(24); // struct open_how: flags, mode, resolve
  how.writeBigUInt64LE(BigInt(flags), 0);
  how.writeBigUInt64LE(BigInt(RESOLVE_PLAINLY), 16);
  const name = Buffer.concat([path, Buffer.alloc(1)]);
  const fd = openat2Call(SYS_openat2, 'int', root, 'void *', name, 'void *', how, 'size_t', how.length);
  return fd < 0 ? null : fd;
}

/** A descriptor that means this process for ever, whatever its number is used for later. Throws SystemCallError (ESRCH: no such process). */
export function pidfdOpen(pid: number): number {
  return checked('pidfd_open', pidfdOpenCall(SYS_pidfd_open, 'int', pid, 'int', 0));
}

/** Throws SystemCallError (ESRCH: it has ended). */
export function pidfdSignal(pidfd: number, signal: number): void {
  const result = pidfdSignalCall(SYS_pidfd_send_signal, 'int', pidfd, 'int', signal, 'void *', null, 'int', 0);
  checked('pidfd_send_signal', result);
}

/** struct timespec */
const TIME = new BigInt64Array(2);

/** ns */
export function clockNanos(clock: number): bigint {
  checked('clock_gettime', clockGettime(clock, TIME));
  return (TIME[0] as bigint) * 1_000_000_000n + (TIME[1] as bigint);
}

/** Takes the lock that ends with this process, on a file or a directory; false when another process has it. */
export function tryLock(fd: number): boolean {
  if (flockCall(fd, LOCK_EX | LOCK_NB) === 0) return true;
  if (koffi.errno() === EWOULDBLOCK) return false;
  throw new SystemCallError('flock', koffi.errno());
}

/**
 * Returns when nobody is in the middle of truncating the file: size and ctime are of one moment then. File systems change the first before the second, with
 * the inode locked, and a search for a hole takes the same lock.
 */
export function awaitTruncation(fd: number): void {
  lseekCall(fd, 0, SEEK_HOLE);
}

/** Opens a cgroup (or another kernfs node) by its id: no walk through the tree. null when there is none, or we may not. */
export function openKernfsNode(mountFd: number, id: bigint): number | null {
  const fd = openByHandle(mountFd, { bytes: 8, type: FILEID_KERNFS, id }, 0);
  return fd < 0 ? null : fd;
}

/** A socket on which the kernel tells each change of the interfaces and addresses of this network namespace. Throws SystemCallError. */
export function openAddressChanges(): number {
  const fd = checked('socket', socketCall(AF_NETLINK, RAW_PLAINLY, NETLINK_ROUTE));
  const address = Buffer.alloc(12); // struct sockaddr_nl: family, padding, port, groups
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(LINKS_AND_ADDRESSES, 8);
  checked('bind', bindCall(fd, address, address.length));
  return fd;
}

const MESSAGE = Buffer.alloc(8);
const MESSAGES_MAX = 10_000;

/** Takes what has been told on such a socket; whether it was anything, what had no room there included. What is left, after very much, is for the next time. */
export function tookChanges(fd: number): boolean {
  for (let taken = 0; taken < MESSAGES_MAX; taken++) {
    if (recvCall(fd, MESSAGE, MESSAGE.length, 0) >= 0) continue;
    const errno = koffi.errno();
    if (errno === EWOULDBLOCK) return taken > 0;
    if (errno !== ENOBUFS) throw new SystemCallError('recv', errno);
  }
  return true;
}

/** Whether this list of mounts (an open /proc/PID/mountinfo) has become another one since it was opened, or asked about. */
export function mountsChanged(fd: number): boolean {
  const descriptor = Buffer.alloc(8); // struct pollfd: fd, events, revents
  descriptor.writeInt32LE(fd, 0);
  descriptor.writeInt16LE(POLL_CHANGED, 4);
  return checked('poll', pollCall(descriptor, 1, 0)) > 0 && (descriptor.readInt16LE(6) & POLL_CHANGED) !== 0;
}

/** Gives back to the kernel what malloc holds and nobody uses: megabytes, when a sensor has been loaded (its object, the kernel's types). */
export function releaseFreeMemory(): void {
  mallocTrim(0);
}
