/** The process that is read, through its folder in /proc, where every path fails after its end, whoever has its pid. */
import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { messageOf } from '@ringfence/base';
import { type EntryStat, SystemCallError, statAt } from '@ringfence/host-kit';
import { pathText } from '../path-text.ts';
import { TARGET_FD } from '../protocol.ts';
import { note } from './report.ts';

export const targetPath = (name: string): string => `/proc/self/fd/${TARGET_FD}/${name}`;

/** Returns what `read` returns; null, with a note, if the file can't be read. */
export function attempt<T>(what: string, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    note(`${what}: ${error instanceof SystemCallError ? error.message : reasonOf(code, error)}`);
    return null;
  }
}

function reasonOf(code: string, error: unknown): string {
  if (code === 'ESRCH' || code === 'ENOENT') return 'is gone';
  if (code === 'EACCES' || code === 'EPERM') return `must not be read (${code}): CAP_SYS_PTRACE is needed`;
  // The message of node:fs would name the path of a descriptor.
  return code.startsWith('E') ? `can't be read (${code})` : messageOf(error);
}

export const linkOf = (name: string): string => pathText(readlinkSync(targetPath(name), { encoding: 'buffer' }));

/** Reads at most `max` bytes of a small file of the process. */
export function headOf(name: string, max: number): Buffer {
  const fd = openSync(targetPath(name), 'r');
  try {
    const bytes = Buffer.alloc(max);
    let length = 0;
    for (let read = -1; read !== 0 && length < max; length += read)
      read = readSync(fd, bytes, length, max - length, null);
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

export function namesOf(folder: string, max: number): string[] {
  const names = readdirSync(targetPath(folder));
  if (names.length > max) note(`${folder}: ${names.length - max} of ${names.length} are not listed`);
  return names.slice(0, max);
}

/** What a file is, as texts of a manifest. */
export function statTexts(stat: EntryStat): Record<string, string> {
  return {
    device: stat.device,
    inode: String(stat.inode),
    mode: stat.mode.toString(8),
    uid: String(stat.uid),
    gid: String(stat.gid),
    links: String(stat.links),
    size: String(stat.size),
    modified: String(stat.modified),
    changed: String(stat.changed),
    accessed: String(stat.accessed),
    ...(stat.born === 0n ? {} : { born: String(stat.born) }),
  };
}

export const statFd = (fd: number): EntryStat => statAt(fd, Buffer.alloc(0));
