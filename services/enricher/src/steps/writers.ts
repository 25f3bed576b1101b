import { type EventCursor, leafIndex } from '@ringfence/wire';
import type { Boot } from '../state/boot.ts';
import type { ProcessEntry } from '../state/process.ts';

const open = {
  inode: leafIndex('Open', 'inode'),
  device: leafIndex('Open', 'device'),
  flags: leafIndex('Open', 'flags'),
  result: leafIndex('Open', 'result'),
  mode: leafIndex('Open', 'mode'),
};
const exec = {
  inode: leafIndex('Exec', 'inode'),
  device: leafIndex('Exec', 'device'),
  snapshot: leafIndex('Exec', 'snapshot'),
};
const hash = { inode: leafIndex('Hash', 'inode'), device: leafIndex('Hash', 'device') };
const O_ACCMODE = 3;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/** Remembers who opened a regular file for writing. */
export function noteWrite(boot: Boot, process: ProcessEntry | null, cursor: EventCursor): void {
  const access = cursor.leafLong(open.flags) & O_ACCMODE;
  if (access === 0 || process === null || cursor.leafLong(open.result) < 0) return;
  if ((cursor.leafLong(open.mode) & S_IFMT) !== S_IFREG) return;
  boot.writes.note(cursor.leafLong(open.device), cursor.buffer, cursor.leafAt(open.inode), process, cursor.ktime);
}

export interface Origin {
  /** who last wrote the executable; null: unknown */
  readonly writer: ProcessEntry | null;
  /** µs between that write and the exec; -1: unknown */
  readonly writtenAgo: number;
}

export const NO_ORIGIN: Origin = { writer: null, writtenAgo: -1 };

/** Where the executable of an exec comes from. */
export function originOf(boot: Boot, cursor: EventCursor): Origin {
  if (cursor.leafBoolean(exec.snapshot)) return NO_ORIGIN;
  const write = boot.writes.find(cursor.leafLong(exec.device), cursor.buffer, cursor.leafAt(exec.inode));
  if (write === undefined || write.ktime > cursor.ktime) return NO_ORIGIN;
  const writer = boot.processes.findBy(write.tgid, write.startLow, write.startHigh);
  return { writer, writtenAgo: cursor.ktime - write.ktime };
}

/** The same of a hash that has come for a process: who wrote what was hashed. */
export function originOfHashed(boot: Boot, cursor: EventCursor): Origin {
  const write = boot.writes.find(cursor.leafLong(hash.device), cursor.buffer, cursor.leafAt(hash.inode));
  if (write === undefined) return NO_ORIGIN;
  return { writer: boot.processes.findBy(write.tgid, write.startLow, write.startHigh), writtenAgo: -1 };
}
