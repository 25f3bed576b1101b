import { type EventCursor, leaf, records } from '@ringfence/wire';
import type { Boot } from '../state/boot.ts';
import { type FileIdentity, fileOf, hashedFileOf } from '../state/file-identity.ts';
import type { ProcessEntry } from '../state/process.ts';

const { O_ACCMODE } = records.OpenFlag;
const { S_IFMT, S_IFREG } = records.FileMode;

/** Stores the process that opened a regular file for writing. */
export function noteWrite(boot: Boot, process: ProcessEntry | null, cursor: EventCursor): void {
  const access = cursor.leafLong(leaf.Open.flags) & O_ACCMODE;
  if (access === 0 || process === null || cursor.leafLong(leaf.Open.result) < 0) return;
  if ((cursor.leafLong(leaf.Open.mode) & S_IFMT) !== S_IFREG) return;
  boot.writes.note(fileOf(cursor, leaf.Open), process, cursor.ktime);
}

export interface Origin {
  /** last process that opened the executable for writing; null: unknown */
  readonly writer: ProcessEntry | null;
  /** µs between that open and the exec; -1: unknown */
  readonly writtenAgo: number;
}

export const NO_ORIGIN: Origin = { writer: null, writtenAgo: -1 };

/** Returns the origin of an exec's executable. */
export function originOf(boot: Boot, cursor: EventCursor): Origin {
  if (cursor.leafBoolean(leaf.Exec.snapshot)) return NO_ORIGIN;
  const write = boot.writes.find(fileOf(cursor, leaf.Exec));
  if (write === undefined || write.ktime > cursor.ktime) return NO_ORIGIN;
  const writer = boot.processes.findBy(write.tgid, write.startLow, write.startHigh);
  return { writer, writtenAgo: cursor.ktime - write.ktime };
}

/** A hash event has the numbers of stat(2) alone; the process that runs the file has its identity. */
function hashedFile(process: ProcessEntry | null, cursor: EventCursor): FileIdentity {
  const { file, device, inode } = process?.image ?? {};
  const at = cursor.leafAt(leaf.Hash.inode);
  const isExecutable =
    device === cursor.leafLong(leaf.Hash.device) && inode?.equals(cursor.buffer.subarray(at, at + 8));
  return isExecutable && file ? file : hashedFileOf(cursor);
}

/** Returns the origin of a hashed file. */
export function originOfHashed(boot: Boot, process: ProcessEntry | null, cursor: EventCursor): Origin {
  const write = boot.writes.find(hashedFile(process, cursor));
  if (write === undefined) return NO_ORIGIN;
  return { writer: boot.processes.findBy(write.tgid, write.startLow, write.startHigh), writtenAgo: -1 };
}
