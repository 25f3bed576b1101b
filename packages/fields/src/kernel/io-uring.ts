import { addressText, type EventView, KIND, leaf, records } from '@ringfence/wire';
import { bodyBoolean, bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';

const opcode = bodyLong(leaf.IoUring.opcode);
const flags = bodyLong(leaf.IoUring.flags);
const family = bodyLong(leaf.IoUring.family);
const port = bodyLong(leaf.IoUring.port);
const path = bodyText(leaf.IoUring.pathBytes);
const target = bodyText(leaf.IoUring.targetBytes);
const reached = bodyText(leaf.IoUring.reachedBytes);

const { IoOperation: OPERATION } = records;
const { AF_UNIX } = records.AddressFamily;
const { AT_REMOVEDIR } = records.AtFlag;

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(OPERATION).map(([name, value]) => [value, name.slice('IO_'.length).toLowerCase()]),
);

/** `event.action` by operation: the action of the equivalent system call. */
const ACTIONS: Readonly<Record<string, string>> = {
  openat: 'open',
  openat2: 'open',
  unlinkat: 'unlink',
  renameat: 'rename',
  mkdirat: 'mkdir',
  symlinkat: 'symlink',
  linkat: 'link',
  fsetxattr: 'setxattr',
  setxattr: 'setxattr',
  socket: 'socket',
  bind: 'bind',
  listen: 'listen',
  connect: 'connect',
  accept: 'accept',
  send: 'datagram',
  sendmsg: 'datagram',
  send_zc: 'datagram',
  sendmsg_zc: 'datagram',
};
const NETWORK: ReadonlySet<string> = new Set(['socket', 'bind', 'listen', 'connect', 'accept', 'datagram']);

const isIoUring = ({ cursor }: EventView): boolean => cursor.kind === KIND.IoUring;
const nameOf = (event: EventView): string => names.get(opcode(event)) ?? String(opcode(event));
const actionOf = (event: EventView): string => ACTIONS[nameOf(event)] ?? 'io_uring';

function action(event: EventView): string {
  const called = actionOf(event);
  return called === 'unlink' && (flags(event) & AT_REMOVEDIR) !== 0 ? 'rmdir' : called;
}

/** All values of `action`. */
const actions: readonly string[] = [...new Set([...Object.values(ACTIONS), 'rmdir', 'io_uring'])];

function category(event: EventView): string {
  const called = actionOf(event);
  if (called === 'io_uring') return 'process';
  return NETWORK.has(called) ? 'network' : 'file';
}

function addressOf({ cursor }: EventView): string | undefined {
  return addressText(cursor.buffer, cursor.leafAt(leaf.IoUring.address), cursor.leafLength(leaf.IoUring.address));
}

/** Returns the end of the connection that the address belongs to. */
function endOf(event: EventView): 'source' | 'destination' | undefined {
  const called = actionOf(event);
  if (called === 'connect' || called === 'datagram') return 'destination';
  return called === 'accept' ? 'source' : undefined;
}

/** Values of operations through io_uring, for fields that events of system calls have too. Call `is` first. */
interface IoUring {
  is(event: EventView): boolean;
  action(event: EventView): string;
  readonly actions: readonly string[];
  category(event: EventView): string;
  /** Name of the equivalent system call. */
  syscall(event: EventView): string;
  path(event: EventView): string;
  /** Path by which the file was opened, if that is not `path`; otherwise empty. */
  reached(event: EventView): string;
  /** O_*; undefined when the operation is not an open. */
  openFlags(event: EventView): number | undefined;
  inodeAt(event: EventView): number;
  family(event: EventView): number;
  /** Address of one end, `source` or `destination`. */
  address(event: EventView, end: string): string | undefined;
  port(event: EventView, end: string): number | undefined;
}

export const ioUring: IoUring = {
  is: isIoUring,
  action,
  actions,
  category,
  syscall: nameOf,
  path: (event) => (family(event) === AF_UNIX ? '' : path(event)),
  reached,
  openFlags: (event) => (actionOf(event) === 'open' ? flags(event) : undefined),
  inodeAt: ({ cursor }) => cursor.leafAt(leaf.IoUring.inode),
  family,
  address: (event, end) => (endOf(event) === end ? addressOf(event) : undefined),
  port: (event, end) => (endOf(event) === end && family(event) !== AF_UNIX ? port(event) : undefined),
};

const kinds = ['io_uring'];

export const ioUringFields: readonly Field[] = [
  {
    name: 'io_uring.operation',
    type: 'string',
    doc: 'Operation through io_uring: openat, openat2, connect, accept, bind, listen, socket, send, sendmsg, unlinkat, renameat, mkdirat, symlinkat, linkat, setxattr, fsetxattr, uring_cmd. `event.action` has the action of the equivalent system call.',
    kinds,
    get: nameOf,
  },
  {
    name: 'io_uring.target',
    type: 'string',
    doc: 'New path (rename, link), target of the link (symlink), or name of the attribute (setxattr).',
    kinds,
    get: (event) => nonEmpty(target(event)),
  },
  {
    name: 'io_uring.socket_path',
    type: 'string',
    doc: 'Path of the unix socket (connect, bind).',
    kinds,
    get: (event) => (family(event) === AF_UNIX ? nonEmpty(path(event)) : undefined),
  },
  {
    name: 'io_uring.address',
    type: 'ip',
    doc: 'Address of connect, send, bind, listen or accept.',
    kinds,
    get: addressOf,
  },
  {
    name: 'io_uring.port',
    type: 'number',
    doc: 'Port of connect, send, bind, listen or accept.',
    kinds,
    get: (event) => port(event) || undefined,
  },
  {
    name: 'io_uring.flags',
    type: 'number',
    doc: 'O_* (open), mode (mkdir), backlog (listen), type (socket), command (uring_cmd), else the flags of the operation.',
    kinds,
    get: flags,
  },
  {
    name: 'io_uring.submission_thread',
    type: 'bool',
    doc: "The ring's kernel thread submitted the operation (SQPOLL): the process made no system call for it.",
    kinds,
    get: bodyBoolean(leaf.IoUring.submissionThread),
  },
  {
    name: 'io_uring.result_unknown',
    type: 'bool',
    doc: 'The caller suppressed the completion (IOSQE_CQE_SKIP_SUCCESS), so the result is unknown.',
    kinds,
    get: bodyBoolean(leaf.IoUring.resultUnknown),
  },
];
