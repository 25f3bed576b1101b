import type { EventView } from '../event-batch.ts';
import { leafIndex } from '../layout.ts';
import { u64ToBigInt } from '../u64.ts';
import { baseName, bodyLong, bodyText, directory, type Field } from './field.ts';

const path = bodyText('Open', 'path.bytes');
const flags = bodyLong('Open', 'flags');
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

const kinds = ['open'];
const flag = (bit: number) => (event: EventView) => (flags(event) & bit) !== 0;

export const fileFields: readonly Field[] = [
  {
    name: 'file.path',
    type: 'string',
    doc: "Path of the opened file: the kernel's copy.",
    aliases: ['fd.name', 'TargetFilename', 'evt.arg.path'],
    kinds,
    get: path,
  },
  {
    name: 'file.name',
    type: 'string',
    doc: 'Last component of the path.',
    aliases: ['fd.filename'],
    kinds,
    part: { of: 'file.path', is: 'name' },
    get: (event) => baseName(path(event)),
  },
  {
    name: 'file.directory',
    type: 'string',
    doc: 'Directory of the file.',
    aliases: ['fd.directory'],
    kinds,
    part: { of: 'file.path', is: 'directory' },
    get: (event) => directory(path(event)),
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
    get: (event) => u64ToBigInt(event.cursor.buffer, event.cursor.leafAt(inode)).toString(),
  },
  {
    name: 'file.mode',
    type: 'number',
    doc: 'Permission bits; absent when the open failed.',
    kinds,
    get: (event) => (mode(event) === 0 ? undefined : mode(event) & 0o7777),
  },
  {
    name: 'file.type',
    type: 'string',
    doc: 'file, dir, symlink, character, block, fifo, socket.',
    kinds,
    get: (event) => FILE_TYPES[mode(event) >>> 12],
  },
  {
    name: 'file.open.write',
    type: 'bool',
    doc: 'Opened for writing.',
    aliases: ['evt.is_open_write'],
    kinds,
    get: (event) => {
      const access = flags(event) & O_ACCMODE;
      return access === 1 || access === 2;
    },
  },
  {
    name: 'file.open.read',
    type: 'bool',
    doc: 'Opened for reading.',
    aliases: ['evt.is_open_read'],
    kinds,
    get: (event) => {
      const access = flags(event) & O_ACCMODE;
      return access === 0 || access === 2;
    },
  },
  { name: 'file.open.create', type: 'bool', doc: 'Would create the file (O_CREAT).', kinds, get: flag(O_CREAT) },
  { name: 'file.open.truncate', type: 'bool', doc: 'Emptied the file (O_TRUNC).', kinds, get: flag(O_TRUNC) },
  { name: 'file.open.append', type: 'bool', doc: 'Opened to append (O_APPEND).', kinds, get: flag(O_APPEND) },
  { name: 'file.open.flags', type: 'number', doc: 'O_* as the kernel opened it.', kinds, get: flags },
];
