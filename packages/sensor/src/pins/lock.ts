import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { tryLock } from '@ringfence/host-kit';
import { SecondAgentError } from '../errors.ts';

/**
 * Locks a directory, which may be in a bpf file system, for this process. The kernel releases the lock when the process
 * ends, even if it is killed. Throws SecondAgentError, which names the process that holds the lock.
 */
export function lockDirectory(path: string): Disposable {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const fd = openSync(path, 'r');
  if (tryLock(fd)) return { [Symbol.dispose]: () => closeSync(fd) };
  const pid = lockHolder(fstatSync(fd, { bigint: true }).ino);
  closeSync(fd);
  throw new SecondAgentError(path, pid);
}

/**
 * Returns the pid of the process that locks an inode, or 0. Parses lines such as
 * `1: FLOCK  ADVISORY  WRITE 4242 00:2a:1234 0 EOF`. Compares the inode only: stat(2) may report another device number
 * than the kernel uses.
 */
function lockHolder(inode: bigint): number {
  const lines = readFileSync('/proc/locks', 'utf8').split('\n');
  const lock = lines
    .map((line) => / FLOCK .* WRITE (\d+) [\da-f]+:[\da-f]+:(\d+) /.exec(line))
    .find((match) => match?.[2] === String(inode));
  return Number(lock?.[1] ?? 0);
}
