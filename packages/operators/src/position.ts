import { closeSync, constants, existsSync, readSync } from 'node:fs';
import { openFile } from './open-file.ts';

/** How far the operator log was forwarded. */
export interface Position {
  /** Of the file that `offset` is in: after a rotation the log is another file */
  readonly inode: number;
  /** Bytes */
  readonly offset: number;
  /** Number and hash of the last forwarded line */
  readonly seq: number;
  readonly hash: string;
}

const MAX_BYTES = 1024;

/** Returns null when there is none, or it can't be read: then every line is forwarded again, under the same id. */
export function readPosition(path: string): Position | null {
  try {
    if (!existsSync(path)) return null;
    const { inode, offset, seq, hash } = JSON.parse(textOf(path)) as Position;
    const isValid = [inode, offset, seq].every((value) => Number.isSafeInteger(value) && value >= 0);
    return isValid && /^[0-9a-f]{64}$/.test(hash) ? { inode, offset, seq, hash } : null;
  } catch {
    return null;
  }
}

function textOf(path: string): string {
  const fd = openFile(path, constants.O_RDONLY);
  try {
    const bytes = Buffer.alloc(MAX_BYTES);
    return bytes.toString('utf8', 0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}
