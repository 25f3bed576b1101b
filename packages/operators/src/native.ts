import koffi from 'koffi';

const LOCK_EX_NB = 2 | 4;
const EAGAIN = 11;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** struct ucred: pid, uid and gid, 32 bits each */
const UCRED_BYTES = 12;

type Native<A extends unknown[]> = (...args: A) => number;
const libc = koffi.load('libc.so.6');
const flockCall: Native<[number, number]> = libc.func('int flock(int fd, int operation)');
const getsockopt: Native<[number, number, number, Buffer, Buffer]> = libc.func(
  'int getsockopt(int fd, int level, int name, _Inout_ void *value, _Inout_ void *length)',
);

/** Locks an open file without waiting; the kernel unlocks it when it is closed. Returns false when it is locked. */
export function tryLock(fd: number): boolean {
  if (flockCall(fd, LOCK_EX_NB) === 0) return true;
  const errno = koffi.errno();
  if (errno === EAGAIN) return false;
  throw new Error(`flock failed: errno ${errno}`);
}

/** The process at the other end of a unix socket when it connected. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
}

/** Returns what the kernel knows of the peer of a unix socket, or null when that is unknown. */
export function peerOf(fd: number): PeerCredentials | null {
  const value = Buffer.alloc(UCRED_BYTES);
  const length = Buffer.from(Uint32Array.of(UCRED_BYTES).buffer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, length) !== 0) return null;
  const [pid = 0, uid = 0] = new Uint32Array(value.buffer, value.byteOffset, 2);
  return { pid, uid };
}
