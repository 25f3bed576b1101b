import { failure } from '../errors.ts';
import { c, lastErrno } from './library.ts';

const fcntl: (fd: number, command: number, type: 'int', argument: number) => number = c(
  'int fcntl(int fd, int command, ...)',
);

const F_DUPFD_CLOEXEC = 1030;

/** Duplicates a descriptor, with close-on-exec. The caller closes the copy. */
export function duplicate(fd: number, label: string): number {
  const copy = fcntl(fd, F_DUPFD_CLOEXEC, 'int', 0);
  if (copy < 0) throw failure('ERR_BPF_MMAP', `duplicating the descriptor of ${label}`, 'fcntl', lastErrno());
  return copy;
}
