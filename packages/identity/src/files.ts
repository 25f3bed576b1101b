import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '@ringfence/base';
import { IdentityError } from './errors.ts';

const MAX_BYTES = 1 << 20;

/**
 * Writes a file with mode 0600 and syncs it. The file is replaced atomically: readers and crashes see the old text or
 * the new text.
 */
export function writeSecret(path: string, text: string | Uint8Array): void {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.new`;
  writeNew(temporary, text);
  renameSync(temporary, path);
  syncDirectory(dirname(path));
}

/** Throws EEXIST when the file is there. */
export function writeNew(path: string, text: string | Uint8Array): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    writeSync(fd, Buffer.from(text as Uint8Array));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Syncs a directory, so that renamed, created and unlinked entries survive a power loss. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Throws IdentityError when the file cannot be read or is larger than 1 MiB. With `secret`, also when users other than
 * the owner may read it.
 */
export function readText(path: string, secret = false): string {
  try {
    const fd = openSync(path, 'r');
    try {
      const { size, mode } = fstatSync(fd);
      if (size > MAX_BYTES) throw new Error(`the file has ${size} bytes, the limit is ${MAX_BYTES}`);
      if (secret && (mode & 0o077) !== 0) throw new Error('users other than the owner may read it: chmod 600');
      const bytes = Buffer.alloc(size);
      return bytes.toString('utf8', 0, readSync(fd, bytes));
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new IdentityError('ERR_IDENTITY_FILES', `${path}: ${messageOf(cause)}`, { cause });
  }
}
