import { type BigIntStats, closeSync, constants, fstatSync, openSync } from 'node:fs';
import { type DirectoryEntry, descriptorPath, ifExists, O_PATH } from '@ringfence/host-kit';
import { escapeText } from '@ringfence/wire';
import { z } from 'zod';
import { byteText, decimal } from '../parameter-types.ts';
import type { FileTree } from './mounts.ts';

export const inodeId: z.ZodType<InodeId> = z.strictObject({ device: decimal, inode: decimal });

/** Device and inode as stat(2) returns them. */
export interface InodeId {
  readonly device: string;
  readonly inode: string;
}

/** A name of a file, with the directory that it stands in. Its texts have one character a byte. */
export interface Place {
  readonly directory: string;
  readonly name: string;
  readonly directoryId: InodeId;
}

export const place: z.ZodType<Place> = z.strictObject({ directory: byteText, name: byteText, directoryId: inodeId });

export const idOf = ({ dev, ino }: BigIntStats): InodeId => ({ device: String(dev), inode: String(ino) });
export const isSameInode = (a: InodeId, b: InodeId): boolean => a.device === b.device && a.inode === b.inode;
export const statOf = (fd: number): BigIntStats => fstatSync(fd, { bigint: true });

/** The path for people. */
export const textOf = ({ directory, name }: Place): string =>
  escapeText(Buffer.from(`${directory}/${name}`, 'latin1').toString('utf8'));

/** For open(2): a file without a name, in the directory that is opened. */
export const TEMPORARY_FILE: number = 0o20000000 | constants.O_DIRECTORY | constants.O_RDWR;

/** Path of an entry by the descriptor of its directory, which no rename of a parent can lead elsewhere. */
export const entryPath = ({ directory, name }: DirectoryEntry): Buffer =>
  Buffer.concat([Buffer.from(`${descriptorPath(directory)}/`), name]);

/** Opens what stands at the name with O_PATH, without following a link. Returns null if nothing does. */
export const openEntry = (entry: DirectoryEntry): number | null =>
  ifExists(() => openSync(entryPath(entry), O_PATH | constants.O_NOFOLLOW));

/** The inode at a name; null: none. */
export function idAt(entry: DirectoryEntry): InodeId | null {
  const fd = openEntry(entry);
  if (fd === null) return null;
  try {
    return idOf(statOf(fd));
  } finally {
    closeSync(fd);
  }
}

/** An open directory with one name in it, which need not exist. */
export class OpenPlace implements Disposable, DirectoryEntry {
  readonly directory: number;
  readonly name: Buffer;
  readonly place: Place;

  private constructor(directory: number, place: Place) {
    this.directory = directory;
    this.name = Buffer.from(place.name, 'latin1');
    this.place = place;
  }

  /** Throws SystemCallError if the directory does not exist, or a part of its path is a link. */
  static open(tree: FileTree, path: Uint8Array): OpenPlace {
    const text = Buffer.from(path).toString('latin1');
    const [directory, name] = [text.slice(0, text.lastIndexOf('/')), text.slice(text.lastIndexOf('/') + 1)];
    const fd = tree.lookUp(Buffer.from(directory === '' ? '/.' : directory, 'latin1'));
    return new OpenPlace(fd, { directory, name, directoryId: idOf(statOf(fd)) });
  }

  /** Opens the place again. Returns null if its directory is another one now. Throws SystemCallError. */
  static openAgain(tree: FileTree, place: Place): OpenPlace | null {
    const opened = OpenPlace.open(tree, Buffer.from(`${place.directory}/${place.name}`, 'latin1'));
    if (isSameInode(opened.place.directoryId, place.directoryId)) return opened;
    opened[Symbol.dispose]();
    return null;
  }

  /** Calls `use` with the directory opened for reading: for fsync, for temporary files and as a mount of handles. */
  withDirectory<T>(use: (fd: number) => T): T {
    const fd = openSync(descriptorPath(this.directory), constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      return use(fd);
    } finally {
      closeSync(fd);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.directory);
  }
}
