/** Edits text files so that readers, and the next start after a crash, see the old text or the new one. */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { type DirectoryEntry, descriptorPath, ifExists, RENAME, renameEntry } from '@ringfence/host-kit';
import { z } from 'zod';
import { ActionRefusedError } from '../errors.ts';
import {
  attributesOf,
  type FileAttributes,
  fileAttributes,
  restoreAttributes,
  setFixedFlags,
} from '../files/attributes.ts';
import { openToRead } from '../files/content.ts';
import { FileTree } from '../files/mounts.ts';
import {
  entryPath,
  idAt,
  idOf,
  isSameInode,
  OpenPlace,
  openEntry,
  type Place,
  place,
  statOf,
  textOf,
} from '../files/place.ts';
import { isMissing } from '../files/refusals.ts';
import { sha256Text } from '../parameter-types.ts';
import { applyChange, type Reverted, revertExactly, revertNearest, type TextChange, textChange } from './lines.ts';

const TEXT_MAX = 16 << 20;

/** Points at which crash tests kill the process. */
export type EditPoint = 'written' | 'exchanged' | 'edited';

/** One file with its changes, and all that is needed to take them back. */
export interface FileEdit {
  readonly place: Place;
  /** Device, inode, birth and ctime of the file that the plan found. */
  readonly stamp: string;
  /** SHA-256 of the text without the changes, and with them. */
  readonly before: string;
  readonly after: string;
  readonly attributes: FileAttributes;
  readonly changes: readonly TextChange[];
}

export const fileEdit: z.ZodType<FileEdit> = z.strictObject({
  place,
  stamp: z.string().max(100),
  before: sha256Text,
  after: sha256Text,
  attributes: fileAttributes,
  changes: z.array(textChange).min(1).max(4096),
});

export interface EditTools {
  /** Part of the name that the new file has for a moment. */
  readonly key: string;
  readonly failpoint: (point: EditPoint) => void;
}

const hashOf = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex');

function stampOf(fd: number): string {
  const { dev, ino, birthtimeNs, ctimeNs } = statOf(fd);
  return `${dev}:${ino}:${birthtimeNs}:${ctimeNs}`;
}

/** Whether the inode is the one of a stamp, whatever was done to it since: numbers of inodes are given again. */
const isInodeOf = (stamp: string, fd: number): boolean =>
  stampOf(fd).replace(/:\d+$/, '') === stamp.replace(/:\d+$/, '');

interface OpenText extends Disposable {
  readonly place: OpenPlace;
  readonly fd: number;
  readonly text: string;
}

/** Opens a text file. Returns null if it does not exist. Throws ActionRefusedError or the error of the file system. */
async function openText(path: Buffer, signal: AbortSignal): Promise<OpenText | null> {
  using stack = new DisposableStack();
  const tree = stack.use(FileTree.open('self'));
  const opened = placeOrNull(tree, path);
  if (opened === null) return null;
  stack.use(opened);
  const pathFd = openEntry(opened);
  if (pathFd === null) return null;
  stack.defer(() => closeSync(pathFd));
  const refuse = (reason: 'too-large' | 'not-the-target', why: string): ActionRefusedError =>
    new ActionRefusedError(reason, `${textOf(opened.place)} ${why}`);
  if (!statOf(pathFd).isFile()) throw refuse('not-the-target', 'is not a regular file');
  if (statOf(pathFd).size > TEXT_MAX) throw refuse('too-large', `has more than ${TEXT_MAX} bytes`);
  const fd = await openToRead(pathFd, signal);
  stack.defer(() => closeSync(fd));
  const text = readFileSync(fd, 'latin1');
  const held = stack.move();
  return { place: opened, fd, text, [Symbol.dispose]: () => held.dispose() };
}

function placeOrNull(tree: FileTree, path: Buffer): OpenPlace | null {
  try {
    return OpenPlace.open(tree, path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Plans an edit. Returns null if the file does not exist, or nothing in it is to be changed. */
export async function planEdit(
  path: string,
  changesOf: (text: string) => readonly TextChange[],
  signal: AbortSignal,
): Promise<FileEdit | null> {
  using opened = await openText(Buffer.from(path), signal);
  if (opened === null) return null;
  const { text, fd, place } = opened;
  const changes = changesOf(text);
  if (changes.length === 0) return null;
  const after = changes.reduce(applyChange, text);
  const hashes = { before: hashOf(text), after: hashOf(after) };
  return { place: place.place, stamp: stampOf(fd), ...hashes, attributes: attributesOf(fd), changes };
}

const bytesOf = ({ directory, name }: Place): Buffer => Buffer.from(`${directory}/${name}`, 'latin1');

/** Throws ActionRefusedError if the file is not as the plan found it. */
export async function applyEdit(edit: FileEdit, tools: EditTools, signal: AbortSignal): Promise<void> {
  using opened = await openText(bytesOf(edit.place), signal);
  if (opened === null || stampOf(opened.fd) !== edit.stamp || hashOf(opened.text) !== edit.before)
    throw new ActionRefusedError('not-the-target', `${textOf(edit.place)} was changed meanwhile`);
  const text = edit.changes.reduce(applyChange, opened.text);
  const { atime, mtime } = { atime: edit.attributes.atime, mtime: String(BigInt(Date.now()) * 1_000_000n) };
  replaceText(opened, text, { ...edit.attributes, atime, mtime }, tools);
}

/** Returns notes for people: none if the file is byte for byte what it was before the edit. */
export async function revertEdit(edit: FileEdit, tools: EditTools, signal: AbortSignal): Promise<readonly string[]> {
  using opened = await openText(bytesOf(edit.place), signal);
  if (opened === null) return [`${textOf(edit.place)} no longer exists`];
  removeTemporary(opened.place, tools.key);
  const hash = hashOf(opened.text);
  if (hash === edit.before) {
    if (edit.attributes.flags !== null) setFixedFlags(opened.fd, edit.attributes.flags);
    return [];
  }
  if (isInodeOf(edit.stamp, opened.fd)) return [`${textOf(edit.place)} was never edited, and others have changed it`];
  const { text, notes } = hash === edit.after ? exactly(opened.text, edit) : nearest(opened.text, edit);
  const isExact = hashOf(text) === edit.before;
  if (text !== opened.text) replaceText(opened, text, isExact ? edit.attributes : attributesOf(opened.fd), tools);
  return isExact ? [] : notes.map((note) => `${textOf(edit.place)}: ${note}`);
}

const exactly = (text: string, { changes }: FileEdit): Reverted => ({
  text: changes.toReversed().reduce(revertExactly, text),
  notes: ['the file was changed meanwhile'],
});

function nearest(text: string, { changes }: FileEdit): Reverted {
  const notes: string[] = [];
  let result = text;
  for (const change of changes.toReversed()) {
    const reverted = revertNearest(result, change);
    result = reverted.text;
    notes.push(...reverted.notes);
  }
  return { text: result, notes };
}

const temporaryName = (key: string): Buffer => Buffer.from(`.ringfence-${key}-edit`);

function removeTemporary(place: OpenPlace, key: string): void {
  const path = entryPath({ directory: place.directory, name: temporaryName(key) });
  const fd = ifExists(() => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  if (fd === null) return;
  if (fstatSync(fd).isFile()) setFixedFlags(fd, 0);
  closeSync(fd);
  unlinkSync(path);
}

/**
 * Exchanges the file with a new one, and exchanges them back if the old one was not what it is taken for: between a
 * look and a rename another program could have written it.
 */
function replaceText(opened: OpenText, text: string, attributes: FileAttributes, { key, failpoint }: EditTools): void {
  const { place } = opened;
  const temporary = { directory: place.directory, name: temporaryName(key) };
  removeTemporary(place, key);
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const fd = openSync(entryPath(temporary), flags, 0o600);
  try {
    writeFileSync(fd, text, 'latin1');
    restoreAttributes(fd, { ...attributes, flags: attributes.flags === null ? null : 0 });
    fsyncSync(fd);
    failpoint('written');
    setFixedFlags(opened.fd, 0);
    exchange(opened, fd, temporary, attributes);
    failpoint('exchanged');
    setFixedFlags(fd, attributes.flags ?? 0);
    place.withDirectory(fsyncSync);
    failpoint('edited');
  } finally {
    closeSync(fd);
    removeTemporary(place, key);
  }
}

function exchange(opened: OpenText, fd: number, temporary: DirectoryEntry, { flags }: FileAttributes): void {
  renameEntry(temporary, opened.place, RENAME.exchange);
  if (isStillWhatItWas(opened, temporary) && isAt(opened.place, fd)) return;
  renameEntry(temporary, opened.place, RENAME.exchange);
  setFixedFlags(opened.fd, flags ?? 0);
  throw new ActionRefusedError('not-the-target', `${textOf(opened.place.place)} was changed meanwhile`);
}

/** Whoever owns the folder could have put another file under the temporary name. */
function isAt(entry: DirectoryEntry, fd: number): boolean {
  const found = idAt(entry);
  return found !== null && isSameInode(found, idOf(statOf(fd)));
}

function isStillWhatItWas({ fd, text }: OpenText, old: DirectoryEntry): boolean {
  return isAt(old, fd) && readFileSync(descriptorPath(fd), 'latin1') === text;
}
