import { closeSync, fstatSync, openSync, readSync, realpathSync, renameSync, writeFileSync } from 'node:fs';

/**
 * Errors of a path that leads to no file. The last three come from impossible names, which containers' settings and
 * programs' arguments may contain.
 */
const GONE: readonly (string | undefined)[] = [
  'ENOENT',
  'ENOTDIR',
  'ESRCH',
  'ENODEV',
  'ENAMETOOLONG',
  'ELOOP',
  'ERR_INVALID_ARG_VALUE',
];

/** open(2): only resolves the name. It does not contact a remote file system, open a device, or block on a pipe. */
export const O_PATH = 0o10000000;

const REMOTE = /^(?:autofs|fuse|nfs|cifs|smb|9p$|ceph|afs|coda|lustre|gfs2|ocfs2)/;

/** Shared by all reads. A buffer for each read would add 64 KiB of garbage many times a second. */
const CHUNK = Buffer.allocUnsafeSlow(64 * 1024);

const LABELS_MAX = 64;
const LABELS_BYTES = 32 * 1024;

export type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a whole file. Returns null if it does not exist, is not a regular file, or is longer than `maxBytes`. Reads
 * until the end of file, because files in /proc have size 0.
 */
export function readBounded(path: string, maxBytes: number): Buffer | null {
  const fd = ifExists(() => openRegularFile(path));
  if (fd === null) return null;
  try {
    const parts: Buffer[] = [];
    let total = 0;
    for (;;) {
      const length = readSync(fd, CHUNK);
      if (length === 0) return Buffer.concat(parts, total);
      total += length;
      if (total > maxBytes) return null;
      parts.push(Buffer.from(CHUNK.subarray(0, length)));
    }
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens a file for reading, or returns null if it is not a regular file. Checks before opening, because containers
 * control the content of many paths: a pipe would block forever, and opening a device may have side effects.
 */
export function openRegularFile(path: string): number | null {
  const fd = openSync(path, O_PATH);
  try {
    return fstatSync(fd).isFile() ? openSync(`/proc/self/fd/${fd}`, 'r') : null;
  } finally {
    closeSync(fd);
  }
}

/** Resolves links. Returns null if the path does not exist, can't be read, or leads out of `root`. */
export function realPathWithin(path: string, root: string): string | null {
  const real = ifReadable(() => realpathSync(path));
  return real?.startsWith(root) ? real : null;
}

/** Replaces a file so that readers, and the next start after a crash, see either the old text or the new one. */
export function writeAtomically(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Calls `read`. Returns null if the file that it accesses does not exist. */
export function ifExists<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (GONE.includes((error as NodeJS.ErrnoException).code)) return null;
    throw error;
  }
}

/** Like `ifExists`, but also returns null without permission: even root may not read everything of some processes. */
export function ifReadable<T>(read: () => T): T | null {
  try {
    return ifExists(read);
  } catch (error) {
    if (['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

/** Whether another machine or process serves a file system: it could block a call forever, or return any content. */
export const isRemoteFilesystem = (type: string): boolean => REMOTE.test(type);

/** Converts a device number of stat(2) to the kernel's encoding: major << 20 | minor. */
export function kernelDevice(device: bigint): number {
  const major = Number((device >> 8n) & 0xfffn);
  const minor = Number((device & 0xffn) | ((device >> 12n) & 0xfff00n));
  return ((major << 20) | minor) >>> 0;
}

/**
 * Reads a JSON file. Returns null if it does not exist, can't be read, is too large, or is not JSON, for example
 * because another program is writing it at this moment.
 */
export function readJson(path: string, maxBytes: number = 4 << 20): unknown {
  const text = ifReadable(() => readBounded(path, maxBytes));
  return text === null ? null : parseJson(text.toString('utf8'));
}

/** Returns null if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Returns {} for a value that is not an object. */
export function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** Returns the first `maxLength` characters of a string, or '' for any other value. */
export function asText(value: unknown, maxLength = 1024): string {
  return typeof value === 'string' ? value.slice(0, maxLength) : '';
}

/** Returns the strings of an object by name: at most 64, and 32 KiB. */
export function asLabels(value: unknown): Record<string, string> {
  const pairs = Object.entries(asObject(value)).filter(([key, text]) => key !== '' && typeof text === 'string');
  const cut = pairs.slice(0, LABELS_MAX).map(([key, text]): [string, string] => [asText(key, 256), asText(text, 512)]);
  return Object.fromEntries(takeWithin(cut, LABELS_BYTES, (pair) => pair));
}

/** Returns as many of the first items as have at most `maxBytes` of text together. */
export function takeWithin<T>(items: readonly T[], maxBytes: number, textsOf: (item: T) => readonly string[]): T[] {
  let bytes = 0;
  const end = items.findIndex((item) => {
    for (const text of textsOf(item)) bytes += Buffer.byteLength(text);
    return bytes > maxBytes;
  });
  return end < 0 ? [...items] : items.slice(0, end);
}
