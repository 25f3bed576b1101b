import { closeSync, constants, openSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CachedStat,
  haveMountsChanged,
  isRemoteFilesystem,
  mountOf,
  O_PATH,
  openCached,
  openWaiting,
  readBounded,
  statCached,
} from '@ringfence/host-kit';
import { DeadlineCalls, type DeadlineOptions } from './deadline-calls.ts';

const MOUNTS_FILE = '/proc/self/mountinfo';
const MOUNTS_MAX_BYTES = 8 << 20;

export type FileKind = 'file' | 'directory' | 'none';

export interface HostFilesOptions extends DeadlineOptions {
  /** Root of the host's file system */
  readonly hostRoot: string;
}

/**
 * Looks up files of the host for a thread that must never wait for a file system: from the kernel's cache on that
 * thread, and otherwise on Node's thread pool with a deadline. Follows no links, and enters no mount of a remote file
 * system. Paths are those on the host.
 */
export class HostFiles implements Disposable {
  readonly #hostRoot: string;
  readonly #root: number;
  /** The descriptor keeps its mount. */
  readonly #isRootLocal: boolean;
  readonly #mounts = new LocalMounts();
  readonly #calls: DeadlineCalls;

  constructor({ hostRoot, ...options }: HostFilesOptions) {
    this.#hostRoot = hostRoot;
    this.#root = openSync(hostRoot, O_PATH | constants.O_DIRECTORY);
    this.#isRootLocal = this.#isLocal(this.#root);
    this.#calls = new DeadlineCalls(options);
  }

  /** Number of calls that a file system did not answer in time. */
  get stuckCalls(): number {
    return this.#calls.stuckCalls;
  }

  /**
   * Opens a file with O_PATH. Returns null if there is none on a local file system, or 'uncached' if the file system
   * would have to be asked.
   */
  openCached(path: string): number | null | 'uncached' {
    if (!this.#isRootLocal) return null;
    return openCached(this.#root, Buffer.from(path), (mount) => this.#isLocal(mount));
  }

  /** Opens a file with O_PATH. Resolves with null if there is none on a local file system that answers. */
  async open(path: string): Promise<number | null> {
    const cached = this.openCached(path);
    if (cached !== 'uncached') return cached;
    return this.#calls.run(
      path,
      () => openWaiting(this.#root, Buffer.from(path), (mount) => this.#isLocal(mount)),
      (late) => late !== null && closeSync(late),
    );
  }

  async kindOf(path: string): Promise<FileKind> {
    const stat = await this.#stat(path);
    if (stat?.isFile === true) return 'file';
    return stat?.isDirectory === true ? 'directory' : 'none';
  }

  async #stat(path: string): Promise<CachedStat | null> {
    const fd = await this.open(path);
    if (fd === null) return null;
    try {
      return statCached(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Returns the paths of the regular files in a folder, at most `max`. */
  async filesIn(folder: string, max: number): Promise<string[]> {
    if ((await this.kindOf(folder)) !== 'directory') return [];
    const entries = await this.#calls.run(folder, () => readdir(join(this.#hostRoot, folder), { withFileTypes: true }));
    const files = (entries ?? []).filter((entry) => entry.isFile());
    return files.slice(0, max).map(({ name }) => join(folder, name));
  }

  /** Returns the text of a file, or '' if there is none, it is too long, or its file system does not answer. */
  async read(path: string, maxBytes: number): Promise<string> {
    const stat = await this.#stat(path);
    if (stat?.isFile !== true || stat.size > maxBytes) return '';
    const text = await this.#calls.run(path, () => readFile(join(this.#hostRoot, path), 'utf8'));
    return text ?? '';
  }

  /** Returns the names of all files below a directory that only the agent can write to. */
  async namesBelow(directory: string): Promise<string[]> {
    return (await this.#calls.run(directory, () => readdir(directory, { recursive: true }))) ?? [];
  }

  #isLocal(fd: number): boolean {
    return this.#mounts.isLocal(mountOf(fd));
  }

  [Symbol.dispose](): void {
    this.#mounts[Symbol.dispose]();
    this.#calls[Symbol.dispose]();
    // A call that has not returned may still use it.
    if (this.#calls.isIdle) closeSync(this.#root);
  }
}

/** The mounts of this process that other machines or processes don't serve. */
class LocalMounts implements Disposable {
  readonly #list = openSync(MOUNTS_FILE, 'r');
  #local: ReadonlySet<string> = localMounts();

  /** Call it with the id of a mount that a descriptor keeps, so that no later mount can have this id. */
  isLocal(mount: bigint): boolean {
    if (haveMountsChanged(this.#list)) this.#local = localMounts();
    return this.#local.has(String(mount));
  }

  [Symbol.dispose](): void {
    closeSync(this.#list);
  }
}

/** Returns the ids of lines such as `36 35 98:0 / /mnt rw - ext3 …` with a local file system. */
function localMounts(): ReadonlySet<string> {
  const lines = readBounded(MOUNTS_FILE, MOUNTS_MAX_BYTES)?.toString('latin1').split('\n') ?? [];
  const filesystemOf = (line: string): string => line.split(' - ', 2)[1]?.split(' ', 1)[0] ?? '';
  const local = lines.filter((line) => line !== '' && !isRemoteFilesystem(filesystemOf(line)));
  return new Set(local.map((line) => line.split(' ', 1)[0] ?? ''));
}
