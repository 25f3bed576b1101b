import { chmodSync, chownSync } from 'node:fs';
import { constants } from 'node:os';
import {
  descriptorPath,
  FS_APPEND_FL,
  FS_IMMUTABLE_FL,
  readAttributes,
  readFileFlags,
  removeAttribute,
  SystemCallError,
  setAttribute,
  setFileFlags,
  setFileTimes,
} from '@ringfence/host-kit';
import { z } from 'zod';
import { statOf } from './place.ts';

const PERMISSIONS = 0o7777;
/** Flags that keep even root from changing or renaming a file. */
export const FIXED_FLAGS: number = FS_IMMUTABLE_FL | FS_APPEND_FL;
const nanos = z.string().regex(/^-?\d{1,20}$/);

/** What a file has besides its content and its names. */
export interface FileAttributes {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  /** ns since the epoch */
  readonly atime: string;
  readonly mtime: string;
  /** The immutable and append-only flags; null where the file system has none. */
  readonly flags: number | null;
  /** Extended attributes, access lists included, in base64 by name. */
  readonly extended: Readonly<Record<string, string>>;
}

export const fileAttributes: z.ZodType<FileAttributes> = z.strictObject({
  uid: z.int().min(0).max(0xffffffff),
  gid: z.int().min(0).max(0xffffffff),
  mode: z.int().min(0).max(PERMISSIONS),
  atime: nanos,
  mtime: nanos,
  flags: z.int().min(0).max(FIXED_FLAGS).nullable(),
  extended: z.record(z.string().max(255), z.base64()),
});

/** Reads them from a file that is open for reading. */
export function attributesOf(fd: number): FileAttributes {
  const { uid, gid, mode, atimeNs, mtimeNs } = statOf(fd);
  const extended = [...readAttributes(fd)].map(([name, value]): [string, string] => [name, value.toString('base64')]);
  const flags = readFileFlags(fd);
  return {
    uid: Number(uid),
    gid: Number(gid),
    mode: Number(mode) & PERMISSIONS,
    atime: String(atimeNs),
    mtime: String(mtimeNs),
    flags: flags === null ? null : flags & FIXED_FLAGS,
    extended: Object.fromEntries(extended.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/**
 * Sets the immutable and append-only flags of an open file, and no others. Returns whether they are set so now: some
 * file systems have none, and CAP_LINUX_IMMUTABLE may be missing.
 */
export function setFixedFlags(fd: number, wanted: number): boolean {
  const flags = readFileFlags(fd);
  if (flags === null) return wanted === 0;
  if ((flags & FIXED_FLAGS) === wanted) return true;
  try {
    return setFileFlags(fd, (flags & ~FIXED_FLAGS) | wanted);
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === constants.errno.EPERM) return false;
    throw error;
  }
}

/** Takes every permission from an open file, and freezes it where the file system can. Returns whether it is frozen. */
export function denyAccess(fd: number): boolean {
  setFixedFlags(fd, 0);
  chmodSync(descriptorPath(fd), 0);
  return setFixedFlags(fd, FS_IMMUTABLE_FL);
}

/**
 * Sets all attributes of an open file. The order matters: a new owner costs the file its capabilities and its set-id
 * bits, and access lists change the mode. Throws SystemCallError or the error of node:fs.
 */
export function restoreAttributes(fd: number, attributes: FileAttributes): void {
  const path = descriptorPath(fd);
  setFixedFlags(fd, 0);
  const { uid, gid } = statOf(fd);
  if (Number(uid) !== attributes.uid || Number(gid) !== attributes.gid) chownSync(path, attributes.uid, attributes.gid);
  const present = readAttributes(fd);
  for (const name of present.keys()) if (attributes.extended[name] === undefined) removeAttribute(fd, name);
  for (const [name, text] of Object.entries(attributes.extended)) {
    const value = Buffer.from(text, 'base64');
    if (!present.get(name)?.equals(value)) setAttribute(fd, name, value);
  }
  chmodSync(path, attributes.mode);
  setFileTimes(fd, BigInt(attributes.atime), BigInt(attributes.mtime));
  setFixedFlags(fd, attributes.flags ?? 0);
}

/** Sets all but the times, which others may have changed rightly. */
export function restoreAccess(fd: number, attributes: FileAttributes): void {
  const { atime, mtime } = attributesOf(fd);
  restoreAttributes(fd, { ...attributes, atime, mtime });
}
