/** Finds the file that an order names, checks that it is this file, and describes it. Changes nothing. */
import { accessSync, closeSync, constants, readdirSync } from 'node:fs';
import { descriptorPath, fileHandle, kernelDevice, mountOf, readFileFlags, readGeneration } from '@ringfence/host-kit';
import { escapeText } from '@ringfence/wire';
import { ActionRefusedError } from '../errors.ts';
import { attributesOf, FIXED_FLAGS } from './attributes.ts';
import { contentOf, openToRead } from './content.ts';
import { FileTree } from './mounts.ts';
import { idAt, idOf, isSameInode, OpenPlace, openEntry, type Place, statOf } from './place.ts';
import { isMissing } from './refusals.ts';
import type { TakenFile } from './taken-file.ts';

const NEIGHBOURS_MAX = 10_000;
const NEVER: AbortSignal = new AbortController().signal;

export interface FileOrder {
  readonly path: string;
  /** Further names of the file. */
  readonly links: readonly string[];
  /** A process in whose mount namespace the paths are. @default this process */
  readonly pid?: number | undefined;
  /** In the kernel's encoding, as in events: major << 20 | minor. */
  readonly device: number;
  readonly inode: string;
  readonly ctime?: string | undefined;
  readonly generation?: number | undefined;
  readonly sha256?: string | undefined;
}

export interface FileLimits {
  readonly maxBytes: number;
  readonly isProtected: (device: number, inode: bigint) => boolean;
}

export interface FoundFile {
  readonly file: Omit<TakenFile, 'key'>;
  readonly ctime: string;
  /** All names that the inode has, known or not. */
  readonly links: number;
}

/** Calls `use` with the open file. Returns null if there is no such file. Throws ActionRefusedError. */
export async function findFile<T>(
  order: FileOrder,
  limits: FileLimits,
  use: (found: FoundFile, fd: number) => Promise<T>,
): Promise<T | null> {
  using stack = new DisposableStack();
  const tree = stack.use(FileTree.open(order.pid === undefined ? 'self' : String(order.pid)));
  const opened = openEither(tree, order.path);
  if (opened === null) return null;
  stack.use(opened.place);
  stack.defer(() => closeSync(opened.fd));
  checkIdentity(tree, opened.fd, order);
  checkTakeable(tree, opened, limits);
  const fd = await openToRead(opened.fd, NEVER);
  stack.defer(() => closeSync(fd));
  const generation = order.generation === undefined ? undefined : readGeneration(fd);
  if (generation !== order.generation)
    throw refuse('not-the-target', order.path, `its inode has generation ${generation}, not ${order.generation}`);
  return await use(await describe(order, limits, tree, opened.place, fd), fd);
}

async function describe(
  order: FileOrder,
  limits: FileLimits,
  tree: FileTree,
  first: OpenPlace,
  fd: number,
): Promise<FoundFile> {
  const before = statOf(fd);
  const attributes = attributesOf(fd);
  const content = await contentOf(fd, limits.maxBytes, NEVER);
  const after = statOf(fd);
  if (content === null || after.ctimeNs !== before.ctimeNs || content.bytes !== Number(after.size))
    throw refuse('not-the-target', order.path, 'it is being written, so stop the writers first');
  if (order.sha256 !== undefined && order.sha256 !== content.sha256)
    throw refuse('not-the-target', order.path, `its SHA-256 is ${content.sha256}`);
  const places = [first.place, ...linksOf(order, tree, first, fd)];
  const handle = fileHandle(fd)?.toString('base64') ?? null;
  const { process, namespace } = { process: String(order.pid ?? 'self'), namespace: tree.namespace };
  const file = { process, namespace, places, file: idOf(after), handle, ...content, attributes };
  return { file, ctime: String(after.ctimeNs), links: Number(after.nlink) };
}

interface OpenedFile {
  readonly place: OpenPlace;
  readonly fd: number;
}

/** Opens a path as it is written, or else with each \xNN as a byte. */
function openEither(tree: FileTree, path: string): OpenedFile | null {
  return openFile(tree, Buffer.from(path)) ?? (/\\x[\da-f]{2}/.test(path) ? openFile(tree, unescaped(path)) : null);
}

function unescaped(path: string): Buffer {
  const parts = path.split(/\\x([\da-f]{2})/);
  const bytes = Buffer.concat(parts.map((part, index) => Buffer.from(part, index % 2 === 0 ? 'utf8' : 'hex')));
  // A name of the order holds neither, so no escape may add one.
  return bytes.includes(0) ? Buffer.from(path) : bytes;
}

function openFile(tree: FileTree, path: Uint8Array): OpenedFile | null {
  let place: OpenPlace;
  try {
    place = OpenPlace.open(tree, path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  const fd = openEntry(place);
  if (fd !== null) return { place, fd };
  place[Symbol.dispose]();
  return null;
}

const refuse = (reason: ActionRefusedError['reason'], path: string, why: string): ActionRefusedError =>
  new ActionRefusedError(reason, `${escapeText(path)}: ${why}`);

function checkIdentity(tree: FileTree, fd: number, { path, device, inode, ctime }: FileOrder): void {
  const stat = statOf(fd);
  if (stat.isSymbolicLink()) throw refuse('not-the-target', path, 'a symbolic link stands there now');
  if (!stat.isFile()) throw refuse('not-the-target', path, 'it is not a regular file');
  if (!tree.isLocal(fd)) throw refuse('not-possible', path, 'another machine or process serves its file system');
  const isDevice = kernelDevice(stat.dev) === device || tree.deviceOf(fd) === device;
  if (!isDevice || String(stat.ino) !== inode)
    throw refuse('not-the-target', path, `another file stands there now, with inode ${stat.ino}`);
  if (ctime !== undefined && String(stat.ctimeNs) !== ctime)
    throw refuse('not-the-target', path, 'it was changed after the order was given');
}

function checkTakeable(tree: FileTree, { place, fd }: OpenedFile, limits: FileLimits): void {
  const path = Buffer.from(`${place.place.directory}/${place.place.name}`, 'latin1').toString('utf8');
  const { dev, ino, size } = statOf(fd);
  for (const device of [kernelDevice(dev), tree.deviceOf(fd)])
    if (device !== undefined && limits.isProtected(device, ino))
      throw refuse('protected', path, 'the agent or a container runtime needs it');
  if (size > limits.maxBytes)
    throw refuse('too-large', path, `it has ${size} bytes, and the limit is ${limits.maxBytes}`);
  if (mountOf(fd) !== mountOf(place.directory)) throw refuse('not-possible', path, 'it is a mount point');
  if (place.withDirectory(fixedFlags) !== 0)
    throw refuse('not-possible', path, 'its folder is immutable or append-only: run chattr -ia on the folder first');
  accessSync(descriptorPath(place.directory), constants.W_OK);
}

const fixedFlags = (fd: number): number => (readFileFlags(fd) ?? 0) & FIXED_FLAGS;

/** The further names of a file: those that the order gives, and those in the same folder. */
function linksOf(order: FileOrder, tree: FileTree, first: OpenPlace, fd: number): Place[] {
  const { nlink } = statOf(fd);
  const id = idOf(statOf(fd));
  const found = new Map<string, Place>();
  for (const path of order.links) {
    const opened = openEither(tree, path);
    if (opened === null) throw refuse('not-the-target', path, 'there is no such file');
    const isLink = isSameInode(idOf(statOf(opened.fd)), id);
    closeSync(opened.fd);
    opened.place[Symbol.dispose]();
    if (!isLink) throw refuse('not-the-target', path, `it is another file than ${escapeText(order.path)}`);
    found.set(keyOf(opened.place.place), opened.place.place);
  }
  if (nlink > 1n)
    for (const name of neighbours(first)) {
      const place = { ...first.place, name: name.toString('latin1') };
      const at = idAt({ directory: first.directory, name });
      if (at !== null && isSameInode(at, id)) found.set(keyOf(place), place);
    }
  found.delete(keyOf(first.place));
  return [...found.values()];
}

const keyOf = ({ directoryId, name }: Place): string => `${directoryId.device}:${directoryId.inode}/${name}`;

function neighbours(place: OpenPlace): Buffer[] {
  const names = readdirSync(descriptorPath(place.directory), { encoding: 'buffer' });
  return names.slice(0, NEIGHBOURS_MAX);
}
