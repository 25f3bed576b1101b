import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { ifExists, tryLock } from '@ringfence/host-kit';
import type { SigningKey } from '@ringfence/wire';
import { ActionRefusedError, EvidenceError } from '../errors.ts';
import {
  type ChainHead,
  type Collection,
  type Custody,
  type EntryBody,
  type EvidenceItem,
  entryName,
  GENESIS,
  sha256Hex,
  signEntry,
} from './chain.ts';

const FOLDERS = ['chain', 'content', 'incoming', 'frozen'] as const;
/** Kept for the chain itself, so that a collection that fills the store can still be recorded. */
const CHAIN_RESERVE = 64 << 20;
const SHA256 = /^[0-9a-f]{64}$/;

export interface EvidenceStoreOptions {
  readonly directory: string;
  readonly key: SigningKey;
  /** Bytes of the whole store */
  readonly maxBytes: number;
  /** µs since the epoch. @default the wall clock */
  readonly now?: () => number;
}

/** A collection that is being made: its finished contents are files of `directory`, each named by its SHA-256. */
export interface OpenCollection {
  readonly directory: string;
  /** Bytes that it may take */
  readonly maxBytes: number;
}

/** What the caller knows of someone who takes evidence out of the store */
export type Access = Pick<Custody, 'who' | 'why' | 'purpose'>;

/**
 * Evidence on the host, as files that only the agent's user can read: contents by their SHA-256, and a signed chain of
 * what was collected and who has read it. One process at a time may open it.
 */
export class EvidenceStore implements Disposable {
  readonly directory: string;
  readonly #options: EvidenceStoreOptions;
  readonly #lock: number;
  #head: ChainHead;
  #isClosed = false;
  #usedBytes: number;
  /** Bytes of open collections */
  #reservedBytes = 0;

  /**
   * Opens the store, makes it if it is missing, and removes what an agent that was killed has left unfinished. Throws
   * EvidenceError, or an error of node:fs.
   */
  constructor(options: EvidenceStoreOptions) {
    const { directory } = options;
    this.#options = options;
    this.directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#lock = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      this.#claim();
      for (const name of FOLDERS) makePrivate(join(directory, name));
      this.#head = this.#readHead();
      this.#dropUnfinished();
      this.#usedBytes = sizeOf(join(directory, 'content')) + sizeOf(join(directory, 'chain'));
    } catch (error) {
      closeSync(this.#lock);
      throw error;
    }
  }

  get head(): ChainHead {
    return this.#head;
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.directory);
    const ofDisk = bavail * bsize - CHAIN_RESERVE;
    return Math.max(0, Math.min(this.#options.maxBytes - this.#usedBytes - this.#reservedBytes, ofDisk));
  }

  /** Begins a collection of at most `maxBytes`. Throws ActionRefusedError when the store has no room. */
  begin(maxBytes: number): OpenCollection {
    const free = this.freeBytes;
    if (free === 0)
      throw new ActionRefusedError(
        'too-large',
        `the evidence store is full: it holds ${this.#usedBytes} of ${this.#options.maxBytes} bytes; export and remove it, or raise its limit`,
      );
    const directory = join(this.directory, 'incoming', randomUUID());
    mkdirSync(directory, { mode: 0o700 });
    const open = { directory, maxBytes: Math.min(maxBytes, free) };
    this.#reservedBytes += open.maxBytes;
    return open;
  }

  /**
   * Adds the contents and then the entry that names them: a crash in between leaves nothing that counts. Returns the
   * new head. Throws EvidenceError or an error of node:fs; the collection is then dropped.
   */
  commit(open: OpenCollection, collection: Collection): ChainHead {
    try {
      const added = collection.items.map((item) => this.#addContent(open, item));
      fsyncPath(join(this.directory, 'content'));
      this.#append({ at: this.#now(), collection });
      this.#usedBytes += added.reduce((sum, bytes) => sum + bytes, 0);
      return this.#head;
    } finally {
      this.drop(open);
    }
  }

  /** Drops a collection. */
  drop(open: OpenCollection): void {
    this.#reservedBytes -= open.maxBytes;
    this.#dropIncoming(open.directory);
  }

  /**
   * Records who takes the contents, and why, before it hands out a descriptor of each, for reading. Throws
   * EvidenceError if one is not there.
   */
  open(contents: readonly string[], access: Access): number[] {
    const paths = contents.map((sha256) => this.#contentPath(sha256));
    this.#append({ at: this.#now(), custody: { ...access, contents: [...contents] } });
    return paths.map((path) => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW));
  }

  [Symbol.dispose](): void {
    if (!this.#isClosed) closeSync(this.#lock);
    this.#isClosed = true;
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now() * 1000;
  }

  #contentPath(sha256: string): string {
    const path = join(this.directory, 'content', sha256);
    if (!SHA256.test(sha256) || !existsSync(path))
      throw new EvidenceError('ERR_EVIDENCE_MISSING', `the store has no content ${sha256.slice(0, 64)}`);
    return path;
  }

  #claim(): void {
    const { uid, mode } = fstatSync(this.#lock);
    if (uid !== process.geteuid?.())
      throw new EvidenceError(
        'ERR_EVIDENCE_STORE',
        `${this.directory} belongs to user ${uid}: use a folder of its own`,
      );
    if ((mode & 0o077) !== 0) fchmodSync(this.#lock, 0o700);
    if (!tryLock(this.#lock))
      throw new EvidenceError('ERR_EVIDENCE_STORE', `another process has the evidence store ${this.directory} open`);
  }

  /** Checks the last entry only: `verifyStore` checks them all. */
  #readHead(): ChainHead {
    const names = readdirSync(join(this.directory, 'chain')).sort();
    const last = names.at(-1);
    if (last === undefined) return { sequence: 0, sha256: GENESIS };
    const bytes = readFileSync(join(this.directory, 'chain', last));
    const sequence = Number.parseInt(last, 10);
    if (last !== entryName(sequence) || sequence !== names.length)
      throw new EvidenceError(
        'ERR_EVIDENCE_STORE',
        `${this.directory}/chain has ${names.length} entries, and ${last} is the last: entries were added or removed; verify the store, and move it away`,
      );
    return { sequence, sha256: sha256Hex(bytes) };
  }

  /** Returns how many bytes the store has grown by. */
  #addContent(open: OpenCollection, { sha256, size }: EvidenceItem): number {
    const path = join(this.directory, 'content', sha256);
    const known = ifExists(() => lstatSync(path));
    if (known !== null) return 0;
    linkSync(join(open.directory, sha256), path);
    return size;
  }

  #append(body: EntryBody): void {
    const bytes = signEntry(this.#head, body, this.#options.key);
    const sequence = this.#head.sequence + 1;
    const temporary = join(this.directory, 'incoming', `${entryName(sequence)}.new`);
    rmSync(temporary, { force: true });
    writeDurably(temporary, bytes);
    renameSync(temporary, join(this.directory, 'chain', entryName(sequence)));
    fsyncPath(join(this.directory, 'chain'));
    this.#head = { sequence, sha256: sha256Hex(bytes) };
    this.#usedBytes += bytes.length;
  }

  #dropUnfinished(): void {
    for (const name of readdirSync(join(this.directory, 'incoming'))) {
      const path = join(this.directory, 'incoming', name);
      if (lstatSync(path).isDirectory()) this.#dropIncoming(path);
      else rmSync(path);
    }
  }

  /** Removes the files of a collection, and contents that it has added but that no entry came to name. */
  #dropIncoming(directory: string): void {
    const added = (ifExists(() => readdirSync(directory)) ?? []).filter((name) => {
      const content = ifExists(() => lstatSync(join(this.directory, 'content', name)));
      return SHA256.test(name) && content?.ino === lstatSync(join(directory, name)).ino;
    });
    if (added.length > 0) {
      const named = this.#namedContents();
      for (const name of added) if (!named.has(name)) unlinkSync(join(this.directory, 'content', name));
    }
    rmSync(directory, { recursive: true, force: true });
  }

  #namedContents(): Set<string> {
    const named = new Set<string>();
    for (const name of readdirSync(join(this.directory, 'chain'))) {
      const text = readFileSync(join(this.directory, 'chain', name), 'latin1');
      for (const [, sha256 = ''] of text.matchAll(/"sha256":"([0-9a-f]{64})"/g)) named.add(sha256);
    }
    return named;
  }
}

function makePrivate(path: string): void {
  if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
  if (!lstatSync(path).isDirectory()) throw new EvidenceError('ERR_EVIDENCE_STORE', `${path} is no directory`);
}

const sizeOf = (directory: string): number =>
  readdirSync(directory).reduce((sum, name) => sum + lstatSync(join(directory, name)).size, 0);

/** Writes a new file that is on disk when the call returns. */
export function writeDurably(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes the names of a folder durable. */
export function fsyncPath(directory: string): void {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
