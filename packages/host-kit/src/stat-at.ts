/** What a directory's entry is, and where a file has data: calls that node:fs lacks. */
import { constants } from 'node:os';
import { SystemCallError } from './errors.ts';
import { checked, lastErrno, libc, type Native } from './native.ts';

/** statx(2): AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_DONT_SYNC */
const ENTRY_ITSELF = 0x100 | 0x800 | 0x1000 | 0x4000;
/** STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID */
const WANTED = 0x7ff | 0x800 | 0x1000;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const { ENXIO } = constants.errno;

const statx: Native<[number, Buffer, number, number, Buffer], number> = libc.func(
  'int statx(int directory, const void *path, int flags, unsigned int mask, _Out_ void *into)',
);
const lseek: Native<[number, number, number], number> = libc.func('long lseek(int fd, long offset, int whence)');

export interface EntryStat {
  /** Type and permissions, as st_mode */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly inode: bigint;
  /** `major:minor` */
  readonly device: string;
  /** Id of the mount, as in mountinfo; 0 before Linux 5.8 */
  readonly mount: bigint;
  /** Bytes; 0 for most files of /proc */
  readonly size: number;
  /** Bytes that are allocated */
  readonly allocated: number;
  /** ns since the epoch */
  readonly modified: bigint;
  readonly changed: bigint;
  readonly accessed: bigint;
  /** 0: the file system does not keep it */
  readonly born: bigint;
}

/** struct statx, include/uapi/linux/stat.h */
const STAT = Buffer.alloc(256);

const timeAt = (offset: number): bigint =>
  STAT.readBigInt64LE(offset) * 1_000_000_000n + BigInt(STAT.readUInt32LE(offset + 8));

/**
 * Returns what an entry of a directory is, without following a link; with an empty name, what the open file is. A
 * remote file system is asked only for what the kernel does not know. Throws SystemCallError.
 */
export function statAt(directory: number, name: Uint8Array): EntryStat {
  const path = Buffer.concat([name, Buffer.alloc(1)]);
  checked('statx', statx(directory, path, ENTRY_ITSELF, WANTED, STAT));
  return {
    mode: STAT.readUInt16LE(28),
    links: STAT.readUInt32LE(16),
    uid: STAT.readUInt32LE(20),
    gid: STAT.readUInt32LE(24),
    inode: STAT.readBigUInt64LE(32),
    device: `${STAT.readUInt32LE(136)}:${STAT.readUInt32LE(140)}`,
    mount: STAT.readBigUInt64LE(144),
    size: Number(STAT.readBigUInt64LE(40)),
    allocated: Number(STAT.readBigUInt64LE(48)) * 512,
    accessed: timeAt(64),
    born: timeAt(80),
    changed: timeAt(96),
    modified: timeAt(112),
  };
}

/**
 * Returns the next range of a file that holds data, from `offset` on; null: only a hole follows, or nothing. Throws
 * SystemCallError.
 */
export function nextData(fd: number, offset: number): { readonly start: number; readonly end: number } | null {
  const start = lseek(fd, offset, SEEK_DATA);
  if (start < 0) {
    if (lastErrno() === ENXIO) return null;
    throw new SystemCallError('lseek', lastErrno());
  }
  return { start, end: checked('lseek', lseek(fd, start, SEEK_HOLE)) };
}
