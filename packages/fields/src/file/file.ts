import {
  type EventView,
  isNormalPath,
  KIND,
  leaf,
  normalPath,
  records,
  type TextSpan,
  u64ToBigInt,
} from '@ringfence/wire';
import { baseName, bodyBoolean, bodyLong, bodyText, directory, extension, type Field, nonEmpty } from '../field.ts';
import { ioUring } from '../kernel/io-uring.ts';
import { changedMode, changedPath } from './file-change.ts';

const openPath = bodyText(leaf.Open.pathBytes);
const openReached = bodyText(leaf.Open.reachedBytes);
const openFlags = bodyLong(leaf.Open.flags);
const openMode = bodyLong(leaf.Open.mode);

const { FileMode: MODE, OpenFlag: FLAG } = records;
const FILE_TYPES: Readonly<Record<number, string>> = {
  [MODE.S_IFREG]: 'file',
  [MODE.S_IFDIR]: 'dir',
  [MODE.S_IFLNK]: 'symlink',
  [MODE.S_IFCHR]: 'character',
  [MODE.S_IFBLK]: 'block',
  [MODE.S_IFIFO]: 'fifo',
  [MODE.S_IFSOCK]: 'socket',
};

const openKinds = ['open'];
const kinds = [...openKinds, 'io_uring'];
const changeKinds = [...openKinds, 'file_change'];
const allKinds = [...kinds, 'file_change'];
const isChange = (event: EventView): boolean => event.cursor.kind === KIND.FileChange;

/** A path from the kernel is already normalized. */
function path(event: EventView): string {
  if (isChange(event)) return changedPath(event);
  if (ioUring.is(event)) return ioUring.path(event);
  return event.cursor.leafBoolean(leaf.Open.sourceCaller) ? normalPath(openPath(event)) : openPath(event);
}

/** Locates the path of an open, if it is already normalized. Most paths are. */
function locatePath({ cursor }: EventView, place: TextSpan): boolean {
  if (cursor.kind !== KIND.Open) return false;
  place.bytes = cursor.buffer;
  place.start = cursor.leafAt(leaf.Open.pathBytes);
  place.end = place.start + cursor.leafLength(leaf.Open.pathBytes);
  return place.start < place.end && (!cursor.leafBoolean(leaf.Open.sourceCaller) || isNormalPath(place));
}

const flags = (event: EventView): number | undefined =>
  ioUring.is(event) ? ioUring.openFlags(event) : openFlags(event);

/** A flag of the open; undefined on other operations. */
const opened = (test: (flags: number) => boolean) => (event: EventView) => {
  const given = flags(event);
  return given === undefined ? undefined : test(given);
};
const flag = (bit: number) => opened((given) => (given & bit) !== 0);

function mode(event: EventView): number | undefined {
  if (isChange(event)) return changedMode(event);
  return openMode(event) === 0 ? undefined : openMode(event);
}

function inodeAt(event: EventView): number {
  if (ioUring.is(event)) return ioUring.inodeAt(event);
  return event.cursor.leafAt(isChange(event) ? leaf.FileChange.inode : leaf.Open.inode);
}

function inode(event: EventView): string | undefined {
  const number = u64ToBigInt(event.cursor.buffer, inodeAt(event));
  return isChange(event) && number === 0n ? undefined : number.toString();
}

export const fileFields: readonly Field[] = [
  {
    name: 'file.path',
    type: 'string',
    doc: "Path of the file from the kernel; if a call with a path failed or changes a file, the caller's path, made absolute.",
    aliases: [
      'fd.name',
      'TargetFilename',
      'evt.arg.path',
      'evt.arg.oldpath',
      'evt.arg.linkpath',
      'fs.path.name',
      'evt.abspath',
    ],
    kinds: allKinds,
    locate: locatePath,
    get: (event) => nonEmpty(path(event)),
  },
  {
    name: 'file.name',
    type: 'string',
    doc: 'Last component of the path.',
    aliases: ['fd.filename'],
    kinds: allKinds,
    part: { of: 'file.path', is: 'name' },
    get: (event) => nonEmpty(baseName(path(event))),
  },
  {
    name: 'file.directory',
    type: 'string',
    doc: 'Directory of the file.',
    aliases: ['fd.directory'],
    kinds: allKinds,
    part: { of: 'file.path', is: 'directory' },
    get: (event) => nonEmpty(directory(path(event))),
  },
  {
    name: 'file.extension',
    type: 'string',
    doc: 'Text after the last dot of the name.',
    kinds: allKinds,
    part: { of: 'file.path', is: 'extension' },
    get: (event) => extension(path(event)),
  },
  {
    name: 'file.reached_path',
    type: 'string',
    doc: 'Path by which the file was opened, if that is not `file.path`: another link to a file that is recognized by its identity, a mount of it elsewhere, or an overlay above it.',
    kinds,
    get: (event) => nonEmpty(ioUring.is(event) ? ioUring.reached(event) : openReached(event)),
  },
  {
    name: 'file.open.received',
    type: 'bool',
    doc: 'The process did not open the file itself but got its descriptor from another process (full profile, files that are recognized by identity).',
    kinds: openKinds,
    rare: true,
    get: bodyBoolean(leaf.Open.received),
  },
  {
    name: 'file.open.created',
    type: 'bool',
    doc: 'This open made the file. With O_CREAT alone (`file.open.create`) it may have existed.',
    aliases: ['evt.is_open_create'],
    kinds: openKinds,
    rare: true,
    get: bodyBoolean(leaf.Open.created),
  },
  {
    name: 'file.inode',
    type: 'string',
    doc: 'Inode number; on changes only if the call takes a descriptor.',
    kinds: allKinds,
    get: inode,
  },
  {
    name: 'file.mode',
    type: 'number',
    doc: 'Permission bits, absent when the open failed; the requested bits on chmod, mkdir and mknod.',
    kinds: changeKinds,
    get: (event) => {
      const bits = mode(event);
      return bits === undefined ? undefined : bits & 0o7777;
    },
  },
  {
    name: 'file.type',
    type: 'string',
    doc: 'file, dir, symlink, character, block, fifo, socket; on changes only the type that mknod creates.',
    kinds: changeKinds,
    oneOf: Object.values(FILE_TYPES),
    get: (event) => FILE_TYPES[(mode(event) ?? 0) & MODE.S_IFMT],
  },
  {
    name: 'file.open.write',
    type: 'bool',
    doc: 'Opened for writing.',
    aliases: ['evt.is_open_write'],
    kinds,
    rare: true,
    get: opened((given) => (given & FLAG.O_ACCMODE) === FLAG.O_WRONLY || (given & FLAG.O_ACCMODE) === FLAG.O_RDWR),
  },
  {
    name: 'file.open.read',
    type: 'bool',
    doc: 'Opened for reading.',
    aliases: ['evt.is_open_read'],
    kinds,
    get: opened((given) => (given & FLAG.O_ACCMODE) === FLAG.O_RDONLY || (given & FLAG.O_ACCMODE) === FLAG.O_RDWR),
  },
  {
    name: 'file.open.create',
    type: 'bool',
    doc: 'Opened with O_CREAT.',
    kinds,
    rare: true,
    get: flag(FLAG.O_CREAT),
  },
  {
    name: 'file.open.truncate',
    type: 'bool',
    doc: 'Opened with O_TRUNC.',
    kinds,
    rare: true,
    get: flag(FLAG.O_TRUNC),
  },
  {
    name: 'file.open.append',
    type: 'bool',
    doc: 'Opened to append (O_APPEND).',
    kinds,
    rare: true,
    get: flag(FLAG.O_APPEND),
  },
  { name: 'file.open.flags', type: 'number', doc: 'O_* flags that the kernel used.', kinds, get: flags },
];
