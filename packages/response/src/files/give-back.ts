/** Gives a taken file back, after a take that was carried out whole, in part or not at all. */
import { closeSync, constants, fsyncSync, openSync } from 'node:fs';
import {
  type DirectoryEntry,
  descriptorPath,
  linkDescriptor,
  O_PATH,
  openFileHandle,
  RENAME,
  renameEntry,
} from '@ringfence/host-kit';
import { attributesOf, type FileAttributes, restoreAccess, restoreAttributes, setFixedFlags } from './attributes.ts';
import { contentOf, openToRead, readContent } from './content.ts';
import { FileTree } from './mounts.ts';
import { processWithMounts } from './namespace.ts';
import { idAt, idOf, isSameInode, OpenPlace, openEntry, statOf, TEMPORARY_FILE, textOf } from './place.ts';
import { isMissing } from './refusals.ts';
import { stagingName, type TakenFile } from './taken-file.ts';
import type { FilePoint, FileTools } from './tools.ts';
import { VaultFolder } from './vault.ts';

/** The file cannot be given back now. The message says why, and where its content is. */
export class NotGivenBackError extends Error {}

export interface GivenBack {
  /** What stands at the names now: the very inode, or a new one with the same content and attributes. */
  readonly as: 'untouched' | 'same inode' | 'new inode' | 'identical file that stood there';
  /** Folder of the vault that still holds the file as others wrote it after it was taken; null: none. */
  readonly left: string | null;
}

/** Throws NotGivenBackError, having changed nothing, if another file stands at one of the names. */
export async function giveBack(file: TakenFile, tools: FileTools, signal: AbortSignal): Promise<GivenBack> {
  using stack = new DisposableStack();
  const folder = tools.vault.folder(file.key);
  // It is made before the first change, and removed after the last one.
  if (folder === null) return { as: 'untouched', left: null };
  stack.use(folder);
  const spots = openSpots(file, folder, stack);
  const original = await findOriginal(file, spots, stack, signal);
  const away = spots.filter(({ place }) => !isAt(place, original?.id));
  const state: State = { file, folder, original, away, failpoint: tools.failpoint };
  const as = original !== null && away.length === 0 ? release(file, original.fd) : await putBack(state, stack, signal);
  for (const { place } of spots) place.withDirectory(fsyncSync);
  tools.failpoint('returned');
  const left = folder.remove() ? null : folder.path;
  tools.failpoint('restored');
  return { as, left };
}

/** A name of the file, and the entries under which a take may have put it. */
interface Spot {
  readonly place: OpenPlace;
  readonly aside: readonly DirectoryEntry[];
}

function openSpots(file: TakenFile, folder: VaultFolder, stack: DisposableStack): Spot[] {
  const process = processWithMounts(file.process, file.namespace);
  const tree = process === null ? null : stack.use(FileTree.open(process));
  return file.places.map((place, index) => {
    const opened = tree === null ? null : openOrNull(tree, place);
    if (opened === null) throw notGivenBack(file, folder, `the folder of ${textOf(place)} no longer exists`);
    stack.use(opened);
    const staged = { directory: opened.directory, name: stagingName(file.key, index) };
    const kept = { directory: folder.directory, name: VaultFolder.originalName(index) };
    return { place: opened, aside: [staged, kept] };
  });
}

function openOrNull(tree: FileTree, place: Parameters<typeof OpenPlace.openAgain>[1]): OpenPlace | null {
  try {
    return OpenPlace.openAgain(tree, place);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

const notGivenBack = (file: TakenFile, folder: VaultFolder, why: string): NotGivenBackError =>
  new NotGivenBackError(`${why}; its content is ${folder.path}/${file.sha256}`);

const isAt = (entry: DirectoryEntry, id: ReturnType<typeof idAt> | undefined): boolean => {
  const found = idAt(entry);
  return found !== null && id !== undefined && id !== null && isSameInode(found, id);
};

/** The inode that was taken. */
interface Original {
  readonly fd: number;
  readonly id: ReturnType<typeof idOf>;
  /** Its content is what was taken. */
  readonly isSound: boolean;
}

async function findOriginal(
  file: TakenFile,
  spots: readonly Spot[],
  stack: DisposableStack,
  signal: AbortSignal,
): Promise<Original | null> {
  const entries = spots.flatMap(({ place, aside }) => [place, ...aside]);
  const entry = entries.find((candidate) => isAt(candidate, file.file));
  const pathFd = entry === undefined ? byHandle(file, spots) : openEntry(entry);
  if (pathFd === null) return null;
  stack.defer(() => closeSync(pathFd));
  const stat = statOf(pathFd);
  if (!isSameInode(idOf(stat), file.file) || !stat.isFile() || stat.nlink === 0n) return null;
  const fd = await openToRead(pathFd, signal);
  stack.defer(() => closeSync(fd));
  const content = await contentOf(fd, file.bytes, signal);
  return { fd, id: file.file, isSound: content?.sha256 === file.sha256 };
}

/** Finds an inode of which only names that are not known are left. */
function byHandle({ handle }: TakenFile, [spot]: readonly Spot[]): number | null {
  if (handle === null || spot === undefined) return null;
  return spot.place.withDirectory((directory) => openFileHandle(directory, Buffer.from(handle, 'base64'), O_PATH));
}

interface State {
  readonly file: TakenFile;
  readonly folder: VaultFolder;
  readonly original: Original | null;
  /** The names that do not lead to the original. */
  readonly away: readonly Spot[];
  readonly failpoint: (point: FilePoint) => void;
}

/** Every name still leads to the file: takes back the denial, and no change that its owner has made since. */
function release({ attributes }: TakenFile, fd: number): GivenBack['as'] {
  const { mode, flags } = attributesOf(fd);
  const isDenied = mode === 0 && (attributes.mode !== 0 || flags !== attributes.flags);
  if (isDenied) restoreAccess(fd, attributes);
  else if (flags === 0 && attributes.flags !== null) setFixedFlags(fd, attributes.flags);
  return isDenied ? 'same inode' : 'untouched';
}

async function putBack(state: State, stack: DisposableStack, signal: AbortSignal): Promise<GivenBack['as']> {
  const { file, original, away, failpoint } = state;
  const standing = await findStanding(state, stack, signal);
  const free = away.filter(({ place }) => idAt(place) === null);
  const isReturned = original?.isSound === true;
  const fd = isReturned || free.length === 0 ? original?.fd : (standing ?? (await copyOut(state, stack, signal)));
  if (original !== null) setFixedFlags(original.fd, 0);
  failpoint('released');
  for (const { place, aside } of free) {
    const entry = isReturned ? aside.find((candidate) => isAt(candidate, file.file)) : undefined;
    if (entry === undefined) linkDescriptor(fd as number, place);
    else renameEntry(entry, place, RENAME.noReplace);
    failpoint('moved');
  }
  if (original?.isSound === true) restoreAttributes(original.fd, file.attributes);
  else if (original !== null) restoreAccess(original.fd, file.attributes);
  if (!isReturned && fd !== undefined && free.length > 0) freeze(fd, file);
  if (free.length === 0) return 'identical file that stood there';
  return isReturned ? 'same inode' : 'new inode';
}

/** A descriptor that was opened with O_PATH has no flags to set. */
function freeze(pathFd: number, { attributes }: TakenFile): void {
  if (attributes.flags === null || attributes.flags === 0) return;
  const fd = openSync(descriptorPath(pathFd), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    setFixedFlags(fd, attributes.flags);
  } finally {
    closeSync(fd);
  }
}

/**
 * Checks what stands at the names. Returns an open file that an earlier call has put there, so that the other names
 * become links to it. Throws NotGivenBackError if another file stands there.
 */
async function findStanding(state: State, stack: DisposableStack, signal: AbortSignal): Promise<number | null> {
  const { file, folder, away } = state;
  let ours: number | null = null;
  for (const { place } of away) {
    const pathFd = openEntry(place);
    if (pathFd === null) continue;
    stack.defer(() => closeSync(pathFd));
    const content = statOf(pathFd).isFile() ? await contentOf(pathFd, file.bytes, signal) : null;
    if (content?.sha256 !== file.sha256)
      throw notGivenBack(file, folder, `another file stands at ${textOf(place.place)} now`);
    if (hasAttributes(pathFd, file.attributes)) ours ??= pathFd;
  }
  return ours;
}

function hasAttributes(fd: number, { uid, gid, mode, mtime }: FileAttributes): boolean {
  const stat = statOf(fd);
  const isOwner = Number(stat.uid) === uid && Number(stat.gid) === gid;
  return isOwner && (Number(stat.mode) & 0o7777) === mode && String(stat.mtimeNs) === mtime;
}

/** Makes a file without a name from the copy in the vault: a crash leaves nothing of it. */
async function copyOut(state: State, stack: DisposableStack, signal: AbortSignal): Promise<number> {
  const { file, folder, away } = state;
  const copy = await folder.openCopy(file.sha256, file.bytes, signal);
  if (copy === null) throw new NotGivenBackError('the file is gone, and the vault has no sound copy of it');
  stack.defer(() => closeSync(copy));
  const { directory } = (away[0] as Spot).place;
  const fd = openSync(descriptorPath(directory), TEMPORARY_FILE, 0o600);
  stack.defer(() => closeSync(fd));
  await readContent(copy, file.bytes, signal, fd);
  // Frozen, it could not be linked.
  restoreAttributes(fd, { ...file.attributes, flags: file.attributes.flags === null ? null : 0 });
  fsyncSync(fd);
  return fd;
}
