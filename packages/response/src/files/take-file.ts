/** Takes a file: copies it into the vault, denies it, and moves it aside. */
import { closeSync, fsyncSync, openSync, unlinkSync } from 'node:fs';
import { type DirectoryEntry, descriptorPath, FS_IMMUTABLE_FL, RENAME, renameEntry } from '@ringfence/host-kit';
import { ActionRefusedError } from '../errors.ts';
import { attributesOf, denyAccess, restoreAccess, setFixedFlags } from './attributes.ts';
import { contentOf, GrewError, openToRead } from './content.ts';
import { giveBack } from './give-back.ts';
import { FileTree } from './mounts.ts';
import { entryPath, idAt, idOf, isSameInode, OpenPlace, openEntry, statOf, TEMPORARY_FILE, textOf } from './place.ts';
import { errnoName, isMissing } from './refusals.ts';
import { stagingName, type TakenFile } from './taken-file.ts';
import type { FilePoint, FileTools } from './tools.ts';
import { type Vault, VaultFolder } from './vault.ts';

const TAKE_BACK_MS = 60_000;

export interface Taken {
  /** The file is still open, or has further names: it cannot be written, nor get its permissions back. */
  readonly frozen: boolean;
  /** Names that are not known and still lead to the file. */
  readonly namesLeft: number;
  readonly folder: string;
}

/**
 * Returns null if the file is gone. Throws ActionRefusedError if it is another file than the plan found, having taken
 * back what was begun.
 */
export async function takeFile(
  file: TakenFile,
  ctime: string,
  tools: FileTools,
  signal: AbortSignal,
): Promise<Taken | null> {
  using stack = new DisposableStack();
  const tree = stack.use(FileTree.open(file.process));
  const places = openPlaces(file, tree, stack);
  const first = openEntry(places[0] as OpenPlace);
  if (first === null) return null;
  stack.defer(() => closeSync(first));
  checkUnchanged(file, ctime, first);
  const fd = await openToRead(first, signal);
  stack.defer(() => closeSync(fd));
  for (const place of places) checkRestorable(place);
  const folder = stack.use(makeFolder(tools.vault, file.key));
  const move: Move = { places, folder, failpoint: tools.failpoint, moved: 0 };
  try {
    tools.failpoint('begun');
    await copyFile(file, ctime, fd, folder, signal);
    tools.failpoint('copied');
    return await moveAside(file, fd, move, signal);
  } catch (error) {
    if (move.moved > 0) await takeBackMoved(file, tools);
    else takeBackDenial(file, fd, folder);
    throw error;
  }
}

function takeBackDenial({ attributes }: TakenFile, fd: number, folder: VaultFolder): void {
  const { mode, flags } = attributesOf(fd);
  if (mode !== attributes.mode || flags !== attributes.flags) restoreAccess(fd, attributes);
  folder.remove();
}

/** What can't be taken back now, because names are swapped all the time, is left to the undo of the journal. */
async function takeBackMoved(file: TakenFile, tools: FileTools): Promise<void> {
  try {
    await giveBack(file, { ...tools, failpoint: () => {} }, AbortSignal.timeout(TAKE_BACK_MS));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}

interface Move {
  readonly places: readonly OpenPlace[];
  readonly folder: VaultFolder;
  readonly failpoint: (point: FilePoint) => void;
  /** Names that no longer lead to the file. */
  moved: number;
}

async function moveAside(file: TakenFile, fd: number, move: Move, signal: AbortSignal): Promise<Taken> {
  const { places, folder, failpoint } = move;
  const canFreeze = denyAccess(fd);
  failpoint('denied');
  const content = await contentOf(fd, file.bytes, signal);
  if (content?.sha256 !== file.sha256) throw rewritten(file);
  setFixedFlags(fd, 0);
  let kept = 0;
  for (const [index, place] of places.entries()) {
    if (moveName(file, fd, place, { move, index })) kept++;
    failpoint('moved');
  }
  const namesLeft = Number(statOf(fd).nlink) - kept;
  const frozen = canFreeze && setFixedFlags(fd, FS_IMMUTABLE_FL);
  failpoint('sealed');
  return { frozen, namesLeft, folder: folder.path };
}

/** Throws ActionRefusedError if a directory is another one now. */
function openPlaces(file: TakenFile, tree: FileTree, stack: DisposableStack): OpenPlace[] {
  return file.places.map((place) => {
    const opened = ifThere(() => OpenPlace.openAgain(tree, place));
    if (opened !== null) return stack.use(opened);
    throw new ActionRefusedError('not-the-target', `the folder of ${textOf(place)} is another one now`);
  });
}

function ifThere<T>(open: () => T): T | null {
  try {
    return open();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function makeFolder(vault: Vault, key: string): VaultFolder {
  try {
    return vault.folder(key, true) as VaultFolder;
  } catch (error) {
    if (errnoName(error) !== 'EEXIST') throw error;
    throw new ActionRefusedError('not-possible', `the vault already holds what this order took: ${key}`);
  }
}

function checkUnchanged(file: TakenFile, ctime: string, fd: number): void {
  const stat = statOf(fd);
  if (!stat.isFile() || !isSameInode(idOf(stat), file.file)) throw swapped(file);
  if (String(stat.ctimeNs) !== ctime || Number(stat.size) !== file.bytes) throw rewritten(file);
}

const nameOf = (file: TakenFile): string => file.places.slice(0, 1).map(textOf).join();
const rewritten = (file: TakenFile): ActionRefusedError =>
  new ActionRefusedError('not-the-target', `${nameOf(file)}: it was changed meanwhile, so stop the writers first`);
const swapped = (file: TakenFile): ActionRefusedError =>
  new ActionRefusedError('not-the-target', `${nameOf(file)}: another file stands there now`);

async function copyFile(
  file: TakenFile,
  ctime: string,
  fd: number,
  folder: VaultFolder,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { sha256 } = await folder.copy(fd, file.bytes, signal);
    if (sha256 !== file.sha256) throw rewritten(file);
  } catch (error) {
    throw error instanceof GrewError ? rewritten(file) : error;
  }
  checkUnchanged(file, ctime, fd);
  folder.describe(file.sha256, { paths: file.places.map(textOf), ...file });
}

/** Throws the error of the file system if the file could not be restored to this place. */
function checkRestorable(place: OpenPlace): void {
  closeSync(openSync(descriptorPath(place.directory), TEMPORARY_FILE, 0o600));
}

interface Target {
  readonly move: Move;
  readonly index: number;
}

/**
 * Moves one name into the vault, or removes it where the vault is on another file system. Returns whether it is in the
 * vault. Renames before it looks, and renames back what is not the file: between a look and a rename the name could be
 * swapped, so that another file would be taken.
 */
function moveName(file: TakenFile, fd: number, place: OpenPlace, { move, index }: Target): boolean {
  const { folder } = move;
  const kept = { directory: folder.directory, name: VaultFolder.originalName(index) };
  const staged = { directory: place.directory, name: stagingName(file.key, index) };
  const isKept = renamed(file, place, kept);
  const target = isKept ? kept : staged;
  if (!isKept) renamed(file, place, staged);
  const moved = idAt(target);
  if (moved === null || !isSameInode(moved, idOf(statOf(fd)))) {
    putBack(target, place, folder);
    throw swapped(file);
  }
  move.moved++;
  if (!isKept) unlinkSync(entryPath(staged));
  place.withDirectory(fsyncSync);
  folder.sync();
  return isKept;
}

/** Returns false if the target is on another file system. */
function renamed(file: TakenFile, place: OpenPlace, target: DirectoryEntry): boolean {
  try {
    renameEntry(place, target, RENAME.noReplace);
    return true;
  } catch (error) {
    if (errnoName(error) === 'EXDEV') return false;
    throw errnoName(error) === 'ENOENT' ? swapped(file) : error;
  }
}

function putBack(target: DirectoryEntry, place: OpenPlace, folder: VaultFolder): void {
  try {
    renameEntry(target, place, RENAME.noReplace);
  } catch (error) {
    if (errnoName(error) !== 'EEXIST') throw error;
    const isKept = target.directory === folder.directory;
    const path = isKept ? folder.setAside(target.name) : Buffer.from(target.name).toString('latin1');
    const text = `${textOf(place.place)} is swapped all the time; what stood there for a moment is now ${path}`;
    throw new ActionRefusedError('not-the-target', text, { cause: error });
  }
}
