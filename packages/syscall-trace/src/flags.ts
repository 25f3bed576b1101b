/** Names for numeric arguments of common calls. x86-64 and arm64 have the same values except where `isArm` is used. */
import { constants } from 'node:os';
import { records, SOCK } from '@ringfence/wire';

type BitNames = readonly (readonly [name: string, bit: number])[];

const isArm = process.arch === 'arm64';

const OPEN: BitNames = [
  ['O_CREAT', 0o100],
  ['O_EXCL', 0o200],
  ['O_NOCTTY', 0o400],
  ['O_TRUNC', 0o1000],
  ['O_APPEND', 0o2000],
  ['O_NONBLOCK', 0o4000],
  ['O_SYNC', 0o4010000],
  ['O_DSYNC', 0o10000],
  ['O_TMPFILE', isArm ? 0o20040000 : 0o20200000],
  ['O_DIRECTORY', isArm ? 0o40000 : 0o200000],
  ['O_NOFOLLOW', isArm ? 0o100000 : 0o400000],
  ['O_DIRECT', isArm ? 0o200000 : 0o40000],
  ['O_LARGEFILE', isArm ? 0o400000 : 0o100000],
  ['O_NOATIME', 0o1000000],
  ['O_CLOEXEC', 0o2000000],
  ['O_PATH', 0o10000000],
];
const ACCESS = ['O_RDONLY', 'O_WRONLY', 'O_RDWR'];
const AT: BitNames = [
  ['AT_SYMLINK_NOFOLLOW', 0x100],
  ['AT_REMOVEDIR', 0x200],
  ['AT_SYMLINK_FOLLOW', 0x400],
  ['AT_NO_AUTOMOUNT', 0x800],
  ['AT_EMPTY_PATH', 0x1000],
];
const PROTECTION: BitNames = [
  ['PROT_READ', 1],
  ['PROT_WRITE', 2],
  ['PROT_EXEC', 4],
  ['PROT_GROWSDOWN', 0x0100_0000],
];
const MAP: BitNames = [
  ['MAP_SHARED_VALIDATE', 3],
  ['MAP_SHARED', 1],
  ['MAP_PRIVATE', 2],
  ['MAP_FIXED', 0x10],
  ['MAP_ANONYMOUS', 0x20],
  ['MAP_GROWSDOWN', 0x100],
  ['MAP_DENYWRITE', 0x800],
  ['MAP_LOCKED', 0x2000],
  ['MAP_NORESERVE', 0x4000],
  ['MAP_POPULATE', 0x8000],
  ['MAP_STACK', 0x20000],
  ['MAP_HUGETLB', 0x40000],
  ['MAP_FIXED_NOREPLACE', 0x100000],
];
const CLONE: BitNames = [
  ['CLONE_NEWTIME', 0x80],
  ['CLONE_VM', 0x100],
  ['CLONE_FS', 0x200],
  ['CLONE_FILES', 0x400],
  ['CLONE_SIGHAND', 0x800],
  ['CLONE_PIDFD', 0x1000],
  ['CLONE_PTRACE', 0x2000],
  ['CLONE_VFORK', 0x4000],
  ['CLONE_PARENT', 0x8000],
  ['CLONE_THREAD', 0x10000],
  ['CLONE_NEWNS', 0x20000],
  ['CLONE_SYSVSEM', 0x40000],
  ['CLONE_SETTLS', 0x80000],
  ['CLONE_PARENT_SETTID', 0x100000],
  ['CLONE_CHILD_CLEARTID', 0x200000],
  ['CLONE_CHILD_SETTID', 0x1000000],
  ['CLONE_NEWCGROUP', 0x2000000],
  ['CLONE_NEWUTS', 0x4000000],
  ['CLONE_NEWIPC', 0x8000000],
  ['CLONE_NEWUSER', 0x10000000],
  ['CLONE_NEWPID', 0x20000000],
  ['CLONE_NEWNET', 0x40000000],
];
const ACCESSIBLE: BitNames = [
  ['R_OK', 4],
  ['W_OK', 2],
  ['X_OK', 1],
];
const SOCKET_BITS: BitNames = [
  ['SOCK_NONBLOCK', 0o4000],
  ['SOCK_CLOEXEC', 0o2000000],
];
const SOCKET_TYPES: Readonly<Record<number, string>> = {
  [SOCK.STREAM]: 'SOCK_STREAM',
  [SOCK.DGRAM]: 'SOCK_DGRAM',
  [SOCK.RAW]: 'SOCK_RAW',
  [SOCK.SEQPACKET]: 'SOCK_SEQPACKET',
  [SOCK.PACKET]: 'SOCK_PACKET',
};
export const FAMILIES: Readonly<Record<number, string>> = {
  0: 'AF_UNSPEC',
  ...Object.fromEntries(Object.entries(records.AddressFamily).map(([name, number]) => [number, name])),
};
const WHENCE: Readonly<Record<number, string>> = {
  0: 'SEEK_SET',
  1: 'SEEK_CUR',
  2: 'SEEK_END',
  3: 'SEEK_DATA',
  4: 'SEEK_HOLE',
};
const SIGMASK: Readonly<Record<number, string>> = { 0: 'SIG_BLOCK', 1: 'SIG_UNBLOCK', 2: 'SIG_SETMASK' };
const FCNTL: Readonly<Record<number, string>> = {
  0: 'F_DUPFD',
  1: 'F_GETFD',
  2: 'F_SETFD',
  3: 'F_GETFL',
  4: 'F_SETFL',
  5: 'F_GETLK',
  6: 'F_SETLK',
  7: 'F_SETLKW',
  1030: 'F_DUPFD_CLOEXEC',
  1033: 'F_ADD_SEALS',
};
const FUTEX = ['FUTEX_WAIT', 'FUTEX_WAKE', 'FUTEX_FD', 'FUTEX_REQUEUE', 'FUTEX_CMP_REQUEUE', 'FUTEX_WAKE_OP'].concat([
  'FUTEX_LOCK_PI',
  'FUTEX_UNLOCK_PI',
  'FUTEX_TRYLOCK_PI',
  'FUTEX_WAIT_BITSET',
  'FUTEX_WAKE_BITSET',
]);

const signals = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));
export const signalName = (number: number): string => signals.get(number) ?? `SIG${number}`;

/** `A|B|0x80`: bits without a name are shown as one number. */
function bitNames(value: bigint, table: BitNames): string {
  const names: string[] = [];
  let remaining = value;
  for (const [name, bit] of table) {
    if ((remaining & BigInt(bit)) !== BigInt(bit)) continue;
    names.push(name);
    remaining &= ~BigInt(bit);
  }
  if (remaining !== 0n || names.length === 0) names.push(remaining === 0n ? '0' : `0x${remaining.toString(16)}`);
  return names.join('|');
}

function openFlags(value: bigint): string {
  const access = ACCESS[Number(value & 3n)] ?? '0x3';
  const rest = value & ~3n;
  return rest === 0n ? access : `${access}|${bitNames(rest, OPEN)}`;
}

function socketType(value: bigint): string {
  const type = SOCKET_TYPES[Number(value & 15n)] ?? String(value & 15n);
  const rest = value & ~15n;
  return rest === 0n ? type : `${type}|${bitNames(rest, SOCKET_BITS)}`;
}

function cloneFlags(value: bigint): string {
  const signal = Number(value & 0x7fn);
  const rest = value & ~0x7fn;
  const names = rest === 0n ? [] : [bitNames(rest, CLONE)];
  return [...names, ...(signal === 0 && rest !== 0n ? [] : [signal === 0 ? '0' : signalName(signal)])].join('|');
}

const futexOperation = (value: bigint): string => {
  const name = FUTEX[Number(value & 0x7fn)] ?? String(value & 0x7fn);
  const flags = `${value & 0x80n ? '|FUTEX_PRIVATE_FLAG' : ''}${value & 0x100n ? '|FUTEX_CLOCK_REALTIME' : ''}`;
  return `${name}${flags}`;
};

type Namer = (value: bigint) => string;
const enumOf =
  (table: Readonly<Record<number, string>>): Namer =>
  (value) =>
    table[Number(value)] ?? String(value);
const bitsOf =
  (table: BitNames): Namer =>
  (value) =>
    bitNames(value, table);

/** By `call.argument`. */
const NAMERS: Readonly<Record<string, Namer>> = {
  'open.flags': openFlags,
  'openat.flags': openFlags,
  'pipe2.flags': bitsOf(OPEN),
  'dup3.flags': bitsOf(OPEN),
  'access.mode': bitsOf(ACCESSIBLE),
  'faccessat.mode': bitsOf(ACCESSIBLE),
  'faccessat2.mode': bitsOf(ACCESSIBLE),
  'faccessat2.flags': bitsOf(AT),
  'newfstatat.flag': bitsOf(AT),
  'statx.flags': bitsOf(AT),
  'unlinkat.flag': bitsOf(AT),
  'linkat.flags': bitsOf(AT),
  'fchownat.flag': bitsOf(AT),
  'execveat.flags': bitsOf(AT),
  'mmap.prot': bitsOf(PROTECTION),
  'mmap.flags': bitsOf(MAP),
  'mprotect.prot': bitsOf(PROTECTION),
  'pkey_mprotect.prot': bitsOf(PROTECTION),
  'clone.clone_flags': cloneFlags,
  'unshare.unshare_flags': bitsOf(CLONE),
  'setns.flags': bitsOf(CLONE),
  'socket.family': enumOf(FAMILIES),
  'socket.type': socketType,
  'socketpair.family': enumOf(FAMILIES),
  'socketpair.type': socketType,
  'accept4.flags': bitsOf(SOCKET_BITS),
  'lseek.whence': enumOf(WHENCE),
  'rt_sigprocmask.how': enumOf(SIGMASK),
  'fcntl.cmd': enumOf(FCNTL),
  'futex.op': futexOperation,
};

const SIGNAL_CALLS: ReadonlySet<string> = new Set(['kill', 'tkill', 'tgkill', 'rt_sigaction', 'rt_sigqueueinfo']);

/**
 * Returns the name of an argument's value, or null when it has none.
 *
 * @param value a 32-bit argument as an unsigned number
 */
export function nameOfValue(call: string, argument: string, value: bigint): string | null {
  const namer = NAMERS[`${call}.${argument}`];
  if (namer !== undefined) return namer(value);
  return argument === 'sig' && value !== 0n && SIGNAL_CALLS.has(call) ? signalName(Number(value)) : null;
}
