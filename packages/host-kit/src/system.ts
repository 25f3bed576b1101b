import { constants } from 'node:os';
import koffi from 'koffi';
import { SystemCallError } from './errors.ts';
import { checked, lastErrno, libc, type Native } from './native.ts';

/** System calls that node:fs and node:process lack. Their numbers are the same on every architecture. */
const SYS_pidfd_send_signal = 424;
const SYS_pidfd_open = 434;
const SYS_pidfd_getfd = 438;
export const CLOCK = { realtime: 0, boottime: 7 } as const;
const LOCK_EX = 2;
const LOCK_NB = 4;
const SEEK_HOLE = 4;
const SOL_SOCKET = 1;
const SO_COOKIE = 57;
const AF_NETLINK = 16;
/** SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK */
const RAW_NONBLOCKING = 0o2004003;
const NETLINK_ROUTE = 0;
/** RTMGRP_LINK, _IPV4_IFADDR, _IPV6_IFADDR */
const LINKS_AND_ADDRESSES = 0x111;
/** POLLPRI | POLLERR: set when a mount list has changed */
const POLL_CHANGED = 0xa;
const FILEID_KERNFS = 0xfe;
const { ENOENT, ENODATA, ENOTSUP, ENOBUFS, EWOULDBLOCK } = constants.errno;
/** sizeof(struct vfs_ns_cap_data), include/uapi/linux/capability.h */
const CAPABILITY_BYTES = 24;
const MESSAGES_MAX = 10_000;

koffi.struct('rf_kernfs_handle', { bytes: 'uint32_t', type: 'int32_t', id: 'uint64_t' });

const pidfdOpenCall: Native<[number, string, number, string, number], number> = libc.func(
  'long syscall(long number, ...)',
);
const pidfdSignalCall: Native<unknown[], number> = libc.func('long syscall(long number, ...)');
const pidfdGetfdCall: Native<unknown[], number> = libc.func('long syscall(long number, ...)');
const getOption: Native<[number, number, number, Buffer, Uint32Array], number> = libc.func(
  'int getsockopt(int fd, int level, int option, _Out_ void *value, _Inout_ uint32_t *size)',
);
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
const exitCall: Native<[number], void> = libc.func('void _exit(int code)');
const mallocTrim: Native<[number], number> = libc.func('int malloc_trim(size_t pad)');
const openByHandle: Native<[number, { bytes: number; type: number; id: bigint }, number], number> = libc.func(
  'int open_by_handle_at(int mount, rf_kernfs_handle *handle, int flags)',
);

/**
 * Returns the attribute security.capability of a file without following links, or null if it has none. Throws
 * SystemCallError.
 */
export function fileCapabilities(path: Uint8Array): Buffer | null {
  const value = Buffer.alloc(CAPABILITY_BYTES);
  const length = getAttribute(Buffer.concat([path, Buffer.alloc(1)]), 'security.capability', value, value.length);
  if (length >= 0) return value.subarray(0, length);
  const errno = lastErrno();
  if (errno === ENODATA || errno === ENOTSUP || errno === ENOENT) return null;
  throw new SystemCallError('lgetxattr', errno);
}

/** Ends the process without waiting for its threads, one of which may never return from a system call. */
export function exitNow(code: number): void {
  exitCall(code);
}

/**
 * Returns a descriptor that stays bound to the process even if its pid is reused. Throws SystemCallError (ESRCH: no
 * such process).
 */
export function pidfdOpen(pid: number): number {
  return checked('pidfd_open', pidfdOpenCall(SYS_pidfd_open, 'int', pid, 'int', 0));
}

/** Throws SystemCallError (ESRCH: the process has ended). */
export function pidfdSignal(pidfd: number, signal: number): void {
  const result = pidfdSignalCall(SYS_pidfd_send_signal, 'int', pidfd, 'int', signal, 'void *', null, 'int', 0);
  checked('pidfd_send_signal', result);
}

/**
 * Returns a descriptor of the file that the process has open as `fd`, which needs CAP_SYS_PTRACE. Throws
 * SystemCallError.
 */
export function pidfdGetfd(pidfd: number, fd: number): number {
  return checked('pidfd_getfd', pidfdGetfdCall(SYS_pidfd_getfd, 'int', pidfd, 'int', fd, 'uint', 0));
}

/** Returns the cookie of a socket. The kernel gives it one if it has none yet. Throws SystemCallError. */
export function socketCookie(fd: number): bigint {
  const value = Buffer.alloc(8);
  checked('getsockopt', getOption(fd, SOL_SOCKET, SO_COOKIE, value, Uint32Array.of(value.length)));
  return value.readBigUInt64LE();
}

/** struct timespec */
const TIME = new BigInt64Array(2);

/** Returns ns. */
export function clockNanos(clock: number): bigint {
  checked('clock_gettime', clockGettime(clock, TIME));
  return (TIME[0] as bigint) * 1_000_000_000n + (TIME[1] as bigint);
}

/** Locks a file or directory until this process ends. Returns false if another process holds the lock. */
export function tryLock(fd: number): boolean {
  if (flockCall(fd, LOCK_EX | LOCK_NB) === 0) return true;
  if (lastErrno() === EWOULDBLOCK) return false;
  throw new SystemCallError('flock', lastErrno());
}

/**
 * Waits until no truncation of the file is in progress, so that its size and ctime are consistent. File systems change
 * the size before the ctime, with the inode locked; seeking a hole takes the same lock.
 */
export function awaitTruncation(fd: number): void {
  lseekCall(fd, 0, SEEK_HOLE);
}

/**
 * Opens a cgroup (or another kernfs node) by its id, without walking the tree. Returns null if it does not exist, or
 * without permission.
 */
export function openKernfsNode(mountFd: number, id: bigint): number | null {
  const fd = openByHandle(mountFd, { bytes: 8, type: FILEID_KERNFS, id }, 0);
  return fd < 0 ? null : fd;
}

/**
 * Opens a socket that receives each change of interfaces and addresses in this network namespace. Throws
 * SystemCallError.
 */
export function openAddressChanges(): number {
  const fd = checked('socket', socketCall(AF_NETLINK, RAW_NONBLOCKING, NETLINK_ROUTE));
  const address = Buffer.alloc(12); // struct sockaddr_nl: family, padding, port, groups
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(LINKS_AND_ADDRESSES, 8);
  checked('bind', bindCall(fd, address, address.length));
  return fd;
}

const MESSAGE = Buffer.alloc(8);

/**
 * Discards the messages on such a socket. Returns whether there were any, including messages that the kernel dropped
 * for lack of space. Leaves the rest for the next call after 10,000 messages.
 */
export function drainAddressChanges(fd: number): boolean {
  for (let taken = 0; taken < MESSAGES_MAX; taken++) {
    if (recvCall(fd, MESSAGE, MESSAGE.length, 0) >= 0) continue;
    const errno = lastErrno();
    if (errno === EWOULDBLOCK) return taken > 0;
    if (errno !== ENOBUFS) throw new SystemCallError('recv', errno);
  }
  return true;
}

/** Whether a mount list (an open /proc/PID/mountinfo) has changed since it was opened, or since the last call. */
export function haveMountsChanged(fd: number): boolean {
  const descriptor = Buffer.alloc(8); // struct pollfd: fd, events, revents
  descriptor.writeInt32LE(fd, 0);
  descriptor.writeInt16LE(POLL_CHANGED, 4);
  return checked('poll', pollCall(descriptor, 1, 0)) > 0 && (descriptor.readInt16LE(6) & POLL_CHANGED) !== 0;
}

/**
 * Returns memory that malloc holds without using it to the kernel: megabytes after a sensor was loaded, whose object
 * and kernel types are large.
 */
export function releaseFreeMemory(): void {
  mallocTrim(0);
}
