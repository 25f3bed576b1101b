import { failure } from '../errors.ts';
import { c, lastErrno } from './library.ts';

const fcntl: (fd: number, command: number, type: 'int', argument: number) => number = c(
  'int fcntl(int fd, int command, ...)',
);

const F_DUPFD_CLOEXEC = 1030;

/** A second descriptor of the same thing, closed in children; the caller closes it. */
export function duplicate(fd: number, what: string): number {
  const copy = fcntl(fd, F_DUPFD_CLOEXEC, 'int', 0);
  if (copy < 0) throw failure('ERR_BPF_MMAP', `duplicating the descriptor of ${what}`, 'fcntl', lastErrno());
  return copy;
}
