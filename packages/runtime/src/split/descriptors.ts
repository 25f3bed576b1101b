import { closeSync, openSync, readFileSync } from 'node:fs';
import { OperatorError } from '@ringfence/base';
import { records, SOCK } from '@ringfence/wire';
import koffi from 'koffi';

const { AF_UNIX } = records.AddressFamily;
const SOCK_CLOEXEC = 0o2000000;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const RLIMIT_CORE = 4;
const TIOCNOTTY = 0x5422;

type Native<A extends unknown[]> = (...args: A) => number;
const libc = koffi.load('libc.so.6');
const socketpair: Native<[number, number, number, Buffer]> = libc.func(
  'int socketpair(int domain, int type, int protocol, _Out_ void *descriptors)',
);
const fcntl: Native<[number, number, string, number]> = libc.func('int fcntl(int fd, int command, ...)');

const ioctl: Native<[number, number]> = libc.func('int ioctl(int fd, unsigned long request, ...)');
const setrlimit: Native<[number, Buffer]> = libc.func('int setrlimit(int resource, const void *limits)');

/** Forbids core dumps of this process and of all that it executes or starts: their memory holds keys and events. */
export function forbidCoreDumps(): void {
  // The soft and the hard limit.
  if (setrlimit(RLIMIT_CORE, Buffer.alloc(16)) !== 0)
    throw new OperatorError(`setrlimit failed: errno ${koffi.errno()}`);
}

/**
 * Gives up the controlling terminal, for this process and all that it starts. Whoever has one can type into it
 * (TIOCSTI), and so run commands in the shell that started this process. Ctrl-C still reaches the process group. A
 * leader of a session keeps its terminal: no shell waits there, and the kernel would hang up on the session.
 */
export function leaveTerminal(): void {
  // Fields of proc_pid_stat(5) after the name: state, ppid, pgrp, session, tty_nr.
  const [, , , session, terminal] = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  if (terminal === '0' || session === String(process.pid)) return;
  const fd = openSync('/dev/tty', 'r+');
  if (ioctl(fd, TIOCNOTTY) !== 0) throw new OperatorError(`leaving the terminal failed: errno ${koffi.errno()}`);
  closeSync(fd);
}

/** Returns both ends of a connection without a name, so that no third process can open it. Both close on exec. */
export function socketPair(): readonly [number, number] {
  const descriptors = Buffer.alloc(8);
  if (socketpair(AF_UNIX, SOCK.STREAM | SOCK_CLOEXEC, 0, descriptors) !== 0)
    throw new OperatorError(`socketpair failed: errno ${koffi.errno()}`);
  return [descriptors.readInt32LE(0), descriptors.readInt32LE(4)];
}

/** Sets whether the descriptor stays open when this process executes a program. */
export function setInherited(fd: number, inherited: boolean): void {
  if (fcntl(fd, F_SETFD, 'int', inherited ? 0 : FD_CLOEXEC) !== 0)
    throw new OperatorError(`fcntl of descriptor ${fd} failed: errno ${koffi.errno()}`);
}
