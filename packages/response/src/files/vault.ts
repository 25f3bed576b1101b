import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statfsSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ifExists, O_PATH } from '@ringfence/host-kit';
import { ActionRefusedError } from '../errors.ts';
import { type Content, contentOf, readContent } from './content.ts';

const OTHERS = 0o077;
const ORIGINAL = 'original-';

/** The name of an action's folder: the id of a command may hold any character. */
export const vaultKey = (id: string): string => createHash('sha256').update(id).digest('hex').slice(0, 32);

/** The folder that holds quarantined files, one folder for each action. */
export class Vault {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Makes the folder if it is missing. Throws ActionRefusedError if others than this process's user may enter it. */
  #prepare(): void {
    mkdirSync(this.#path, { recursive: true, mode: 0o700 });
    const stat = lstatSync(this.#path);
    if (stat.isDirectory() && stat.uid === process.geteuid?.() && (stat.mode & OTHERS) === 0) return;
    const advice = `chown it to the user of the agent and chmod 0700 it`;
    throw new ActionRefusedError('not-possible', `the vault ${this.#path} must be a folder of its own: ${advice}`);
  }

  /** Free bytes of the vault's file system, also for root. Throws ActionRefusedError. */
  free(): number {
    this.#prepare();
    const { bavail, bsize } = statfsSync(this.#path);
    return bavail * bsize;
  }

  /** Opens the folder of an action; `make` makes it. Returns null if there is none. */
  folder(key: string, make = false): VaultFolder | null {
    const path = join(this.#path, key);
    if (make) {
      this.#prepare();
      mkdirSync(path, { mode: 0o700 });
      syncDirectory(this.#path);
    }
    const fd = ifExists(() => openSync(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW));
    return fd === null ? null : new VaultFolder(path, fd, this.#path);
  }
}

/** What one action has taken: the content by its hash, its description, and the taken names of the file itself. */
export class VaultFolder implements Disposable {
  readonly path: string;
  readonly directory: number;
  readonly #parent: string;

  constructor(path: string, directory: number, parent: string) {
    this.path = path;
    this.directory = directory;
    this.#parent = parent;
  }

  static originalName(index: number): Buffer {
    return Buffer.from(`${ORIGINAL}${index}`);
  }

  /** Copies an open file, and reads the copy back once it is on disk. Returns what was copied. */
  async copy(fd: number, maxBytes: number, signal: AbortSignal): Promise<Content> {
    const partial = join(this.path, 'partial');
    const into = openSync(partial, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      const content = await readContent(fd, maxBytes, signal, into);
      fsyncSync(into);
      const { sha256 } = await readContent(into, maxBytes, signal);
      if (sha256 !== content.sha256) throw new Error(`the copy in ${this.path} differs from what was written to it`);
      renameSync(partial, join(this.path, sha256));
      this.sync();
      return content;
    } finally {
      closeSync(into);
    }
  }

  /** Writes the description of the file, for people who restore it by hand. */
  describe(sha256: string, description: object): void {
    const fd = openSync(join(this.path, `${sha256}.json`), 'wx', 0o600);
    try {
      writeFileSync(fd, `${JSON.stringify(description, null, 2)}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    this.sync();
  }

  /** Opens the copy if it is whole. The caller closes it. */
  async openCopy(sha256: string, maxBytes: number, signal: AbortSignal): Promise<number | null> {
    const path = join(this.path, sha256);
    const fd = ifExists(() => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
    if (fd === null) return null;
    if (fstatSync(fd).isFile() && (await contentOf(fd, maxBytes, signal))?.sha256 === sha256) return fd;
    closeSync(fd);
    return null;
  }

  /** Moves something that is not the file out of the folder. Returns its path. */
  setAside(name: Uint8Array): string {
    const from = Buffer.from(name).toString('latin1');
    const path = `${this.path}-swapped-${from}`;
    renameSync(join(this.path, from), path);
    return path;
  }

  sync(): void {
    syncDirectory(this.path);
  }

  /** Removes the folder, but none that still has the file itself. Returns whether it is gone. */
  remove(): boolean {
    const names = readdirSync(this.path);
    if (names.some((name) => name.startsWith(ORIGINAL))) return false;
    for (const name of names) unlinkSync(join(this.path, name));
    rmdirSync(this.path);
    syncDirectory(this.#parent);
    return true;
  }

  [Symbol.dispose](): void {
    closeSync(this.directory);
  }
}

export function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
