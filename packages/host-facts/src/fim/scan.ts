import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, open, opendir, readlink } from 'node:fs/promises';
import { defined } from '@ringfence/base';
import { fileCapabilities } from '@ringfence/host-kit';

/** What is remembered of a file, a directory, a link or a device. */
export interface FileFacts {
  /** file, directory, link, character, block, fifo, socket */
  readonly type: string;
  /** permissions, with set-id and sticky bits */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** of a file, bytes */
  readonly size?: number;
  /** of a file's content */
  readonly sha256?: string;
  /** of a link */
  readonly target?: string;
  /** of a device: as stat(2) has it */
  readonly device?: number;
  /** the attribute security.capability, hex; absent: none */
  readonly capabilities?: string;
  /** why the content could not be read */
  readonly unread?: string;
}

export interface ScanOptions {
  /** absolute; each is followed down to other file systems' mount points, and no link is followed */
  readonly paths: readonly string[];
  /** told of each path */
  readonly onPath?: (path: string) => void;
  readonly signal?: AbortSignal;
}

const PERMISSIONS = 0o7777;
const SLASH = Buffer.from('/');
const GONE: readonly string[] = ['ENOENT', 'ENOTDIR'];

/** A path as the key of a map: its text, or behind a NUL in hex what is not UTF-8 and would else be somebody else's name. */
export function keyOf(path: Buffer): string {
  const text = path.toString('utf8');
  return Buffer.from(text).equals(path) ? text : `\0${path.toString('hex')}`;
}

/** The bytes behind a key. */
export const pathOf = (key: string): Buffer =>
  key.startsWith('\0') ? Buffer.from(key.slice(1), 'hex') : Buffer.from(key);

/** By `keyOf` the path; what goes away meanwhile is left out. Rejects when one of `paths` isn't there. */
export async function scan({ paths, onPath, signal }: ScanOptions): Promise<Map<string, FileFacts>> {
  const found = new Map<string, FileFacts>();

  async function visit(path: Buffer, device: number): Promise<void> {
    signal?.throwIfAborted();
    const status = await lstat(path);
    const key = keyOf(path);
    onPath?.(key);
    found.set(key, await factsOf(path, status));
    if (!status.isDirectory() || status.dev !== device) return;
    const separator = path.at(-1) === SLASH[0] ? [] : [SLASH];
    for await (const { name } of await openDirectory(path))
      await unlessGone(visit(Buffer.concat([path, ...separator, name]), device));
  }

  for (const path of paths) await visit(Buffer.from(path), (await lstat(path)).dev);
  return found;
}

async function unlessGone(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!GONE.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function typeOf(status: Stats): string {
  if (status.isFile()) return 'file';
  if (status.isDirectory()) return 'directory';
  if (status.isSymbolicLink()) return 'link';
  if (status.isCharacterDevice()) return 'character';
  if (status.isBlockDevice()) return 'block';
  return status.isFIFO() ? 'fifo' : 'socket';
}

/** The types of Node know no directories whose names are bytes. */
const openDirectory = (path: Buffer): Promise<AsyncIterable<{ readonly name: Buffer }>> =>
  opendir(path as unknown as string, { encoding: 'buffer' as BufferEncoding }) as unknown as Promise<
    AsyncIterable<{ readonly name: Buffer }>
  >;

async function factsOf(path: Buffer, status: Stats): Promise<FileFacts> {
  const { mode, uid, gid, size, rdev } = status;
  const facts = { type: typeOf(status), mode: mode & PERMISSIONS, uid, gid };
  if (status.isSymbolicLink()) return { ...facts, target: keyOf(await readlink(path, 'buffer')) };
  if (status.isCharacterDevice() || status.isBlockDevice()) return { ...facts, device: rdev };
  if (!status.isFile()) return facts;
  const capabilities = fileCapabilities(path)?.toString('hex');
  return {
    ...facts,
    size,
    ...defined({ capabilities }),
    ...(await contentOf(path)),
  };
}

/** A file that became something else meanwhile is neither followed nor waited for. */
async function contentOf(path: Buffer): Promise<Pick<FileFacts, 'sha256' | 'unread'>> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    await using file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const hash = createHash('sha256');
    for await (const part of file.createReadStream({ highWaterMark: 256 * 1024, autoClose: false })) hash.update(part);
    return { sha256: hash.digest('hex') };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || GONE.includes(code)) throw error;
    return { unread: code };
  }
}
