import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, open, opendir, readlink } from 'node:fs/promises';
import { defined } from '@ringfence/base';
import { fileCapabilities } from '@ringfence/host-kit';

/** The properties of a file, directory, link or device that are compared. */
export interface FileFacts {
  /** file, directory, link, character, block, fifo, socket */
  readonly type: string;
  /** permissions, with set-id and sticky bits */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** bytes, of a file */
  readonly size?: number;
  /** of the content of a file */
  readonly sha256?: string;
  /** of a symbolic link */
  readonly target?: string;
  /** of a device, as in stat(2) */
  readonly device?: number;
  /** the attribute security.capability in hex; absent if the file has none */
  readonly capabilities?: string;
  /** why the content could not be read */
  readonly unread?: string;
}

export interface ScanOptions {
  /** absolute paths, scanned recursively. Links are not followed, and mount points are not entered. */
  readonly paths: readonly string[];
  /** called with each path */
  readonly onPath?: (path: string) => void;
  readonly signal?: AbortSignal;
}

const PERMISSIONS = 0o7777;
const SLASH = Buffer.from('/');
const GONE: readonly string[] = ['ENOENT', 'ENOTDIR'];

/**
 * Returns a path as the key of a map: its text, or, if it is not UTF-8, a NUL and its bytes in hex. So different paths
 * never share a key.
 */
export function keyOf(path: Buffer): string {
  const text = path.toString('utf8');
  return Buffer.from(text).equals(path) ? text : `\0${path.toString('hex')}`;
}

/** Returns the bytes of the path behind a key. */
export const pathOf = (key: string): Buffer =>
  key.startsWith('\0') ? Buffer.from(key.slice(1), 'hex') : Buffer.from(key);

/**
 * Returns the properties by key. Ignores files that disappear during the scan. Rejects if one of `paths` does not
 * exist.
 */
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

/** Node's types lack directory entries whose names are bytes. */
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

/** Neither follows a link nor blocks, in case the file was replaced during the scan. */
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
