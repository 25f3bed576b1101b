import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { IdentityError, messageOf } from './errors.ts';

const MAX_BYTES = 1 << 20;

/** For root alone, and on the disk when it returns; a reader, and a crash, sees the old text or the new one. */
export function writeSecret(path: string, text: string): void {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.new`;
  writeNew(temporary, text);
  renameSync(temporary, path);
  syncDirectory(dirname(path));
}

/** Throws EEXIST when the file is there. */
export function writeNew(path: string, text: string): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What was renamed, made or unlinked in it survives a power cut. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Throws IdentityError when it can't be read or has more than 1 MiB. `secret`: refuses what others than the owner may read. */
export function readText(path: string, secret = false): string {
  try {
    const fd = openSync(path, 'r');
    try {
      const { size, mode } = fstatSync(fd);
      if (size > MAX_BYTES) throw new Error(`it has ${size} bytes, at most ${MAX_BYTES} are read`);
      if (secret && (mode & 0o077) !== 0) throw new Error('others than its owner may read it: chmod 600');
      const bytes = Buffer.alloc(size);
      return bytes.toString('utf8', 0, readSync(fd, bytes));
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new IdentityError('ERR_IDENTITY_FILES', `${path}: ${messageOf(cause)}`, { cause });
  }
}
