import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { OperatorError } from './errors.ts';

/**
 * Opens an empty file for writing that only its owner may read, from its first byte on, and returns its descriptor. A
 * file that others may read is replaced: a process that has it open reads nothing of the new one. Throws OperatorError.
 */
export function openOutput(path: string): number {
  try {
    const existing = statSync(path, { throwIfNoEntry: false });
    // A device or a pipe stays as it is.
    if (existing?.isFile() && (existing.mode & 0o077) !== 0) rmSync(path);
    return openSync(path, 'w', 0o600);
  } catch (cause) {
    throw new OperatorError(`can't write ${path}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Creates the file of an SQLite database, which must exist before SQLite opens it, so that only its owner can ever read
 * it: SQLite gives its write-ahead log and index the mode that the file has when they are created. Also corrects the
 * modes of existing files.
 */
export function makePrivateDatabase(path: string): void {
  const fd = openSync(path, 'a', 0o600);
  fchmodSync(fd, 0o600);
  closeSync(fd);
  for (const suffix of ['-wal', '-shm', '-journal']) if (existsSync(path + suffix)) chmodSync(path + suffix, 0o600);
}

/** Writes a whole file, opened by `openOutput`. Throws OperatorError. */
export function writeOutput(path: string, text: string): void {
  const fd = openOutput(path);
  try {
    writeFileSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes a folder and its missing parents. Throws OperatorError. Not `recursive` of Node: below /proc mkdir fails with
 * ENOENT although the parent exists, and `recursive` then retries for ever.
 */
export function makeFolder(path: string, mode = 0o777): void {
  if (existsSync(path)) return;
  makeFolder(dirname(resolve(path)), mode);
  try {
    mkdirSync(path, { mode });
  } catch (cause) {
    // Another process may have made it in between.
    if (!existsSync(path)) throw new OperatorError(`can't create ${path}: ${(cause as Error).message}`, { cause });
  }
}
