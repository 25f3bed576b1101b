import type { EventView } from '../event-batch.ts';
import { leafIndex } from '../layout.ts';
import { u64ToBigInt } from '../u64.ts';
import { baseName, bodyLong, bodyText, directory, type Field, some } from './field.ts';
import { ioUring } from './io-uring.ts';

const openPath = bodyText('Open', 'path.bytes');
const openFlags = bodyLong('Open', 'flags');
const mode = bodyLong('Open', 'mode');
const inode = leafIndex('Open', 'inode');

// x86-64 and arm64 values of include/uapi/asm-generic/fcntl.h
const O_ACCMODE = 3;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
const O_APPEND = 0o2000;
const FILE_TYPES: Readonly<Record<number, string>> = {
  7: 'file',
  4: 'dir',
  9: 'symlink',
  2: 'character',
  6: 'block',
  1: 'fifo',
  11: 'socket',
};

const openKinds = ['open'];
const kinds = [...openKinds, 'io_uring'];

const path = (event: EventView): string => (ioUring.is(event) ? ioUring.path(event) : openPath(event));
const flags = (event: EventView): number | undefined =>
  ioUring.is(event) ? ioUring.openFlags(event) : openFlags(event);

/** Of an open only. */
const opened = (says: (flags: number) => boolean) => (event: EventView) => {
  const given = flags(event);
  return given === undefined ? undefined : says(given);
};
const flag = (bit: number) => opened((given) => (given & bit) !== 0);

export const fileFields: readonly Field[] = [
  {
    name: 'file.path',
    type: 'string',
    doc: "Path of the file that is opened, by a system call or io_uring: the kernel's copy.",
    aliases: ['fd.name', 'TargetFilename', 'evt.arg.path'],
    kinds,
    get: (event) => some(path(event)),
  },
  {
    name: 'file.name',
    type: 'string',
    doc: 'Last component of the path.',
    aliases: ['fd.filename'],
    kinds,
    part: { of: 'file.path', is: 'name' },
    get: (event) => some(baseName(path(event))),
  },
  {
    name: 'file.directory',
    type: 'string',
    doc: 'Directory of the file.',
    aliases: ['fd.directory'],
    kinds,
    part: { of: 'file.path', is: 'directory' },
    get: (event) => some(directory(path(event))),
  },
  {
    name: 'file.extension',
    type: 'string',
    doc: 'What follows the last dot of its name.',
    kinds,
    get: (event) => {
      const name = baseName(path(event));
      const dot = name.lastIndexOf('.');
      return dot < 1 ? undefined : name.slice(dot + 1);
    },
  },
  {
    name: 'file.inode',
    type: 'string',
    doc: 'Inode number.',
    kinds,
    get: (event) => {
      const at = ioUring.is(event) ? ioUring.inodeAt(event) : event.cursor.leafAt(inode);
      return u64ToBigInt(event.cursor.buffer, at).toString();
    },
  },
  {
    name: 'file.mode',
    type: 'number',
    doc: 'Permission bits; absent when the open failed.',
    kinds: openKinds,
    get: (event) => (mode(event) === 0 ? undefined : mode(event) & 0o7777),
  },
  {
    name: 'file.type',
    type: 'string',
    doc: 'file, dir, symlink, character, block, fifo, socket.',
    kinds: openKinds,
    get: (event) => FILE_TYPES[mode(event) >>> 12],
  },
  {
    name: 'file.open.write',
    type: 'bool',
    doc: 'Opened for writing.',
    aliases: ['evt.is_open_write'],
    kinds,
    get: opened((given) => (given & O_ACCMODE) === 1 || (given & O_ACCMODE) === 2),
  },
  {
    name: 'file.open.read',
    type: 'bool',
    doc: 'Opened for reading.',
    aliases: ['evt.is_open_read'],
    kinds,
    get: opened((given) => (given & O_ACCMODE) === 0 || (given & O_ACCMODE) === 2),
  },
  { name: 'file.open.create', type: 'bool', doc: 'Would create the file (O_CREAT).', kinds, get: flag(O_CREAT) },
  { name: 'file.open.truncate', type: 'bool', doc: 'Emptied the file (O_TRUNC).', kinds, get: flag(O_TRUNC) },
  { name: 'file.open.append', type: 'bool', doc: 'Opened to append (O_APPEND).', kinds, get: flag(O_APPEND) },
  { name: 'file.open.flags', type: 'number', doc: 'O_* as the kernel opened it.', kinds, get: flags },
];
