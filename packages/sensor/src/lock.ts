import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { tryLock } from '@ringfence/host-kit';
import { SecondAgentError } from './errors.ts';

/**
 * Holds a directory for this process: the kernel lets go of the lock when the process ends, however it ends. Works on a bpf file system too.
 * Throws SecondAgentError naming the holder.
 */
export function lockDirectory(path: string): Disposable {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const fd = openSync(path, 'r');
  if (tryLock(fd)) return { [Symbol.dispose]: () => closeSync(fd) };
  const pid = holder(fstatSync(fd, { bigint: true }).ino);
  closeSync(fd);
  throw new SecondAgentError(path, pid);
}

/** `1: FLOCK  ADVISORY  WRITE 4242 00:2a:1234 0 EOF`. The device is left out: a stat doesn't always tell the kernel's number. */
function holder(inode: bigint): number {
  const lines = readFileSync('/proc/locks', 'utf8').split('\n');
  const lock = lines
    .map((line) => / FLOCK .* WRITE (\d+) [\da-f]+:[\da-f]+:(\d+) /.exec(line))
    .find((match) => match?.[2] === String(inode));
  return Number(lock?.[1] ?? 0);
}
