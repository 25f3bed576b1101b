import { u64ToHex } from '@ringfence/schema';

/** What is known of the content of a file. */
export interface FileHash {
  /** 32 bytes; empty: `state` says why */
  readonly sha256: Buffer;
  /** hashed, pending, or why it was skipped; empty: nobody hashes */
  readonly state: string;
}

const NONE = Buffer.alloc(0);
export const NO_HASH: FileHash = { sha256: NONE, state: '' };
export const PENDING: FileHash = { sha256: NONE, state: 'pending' };

/** One file at one change of its inode. */
export interface KnownHash extends FileHash {
  /** µs since the epoch */
  readonly ctime: number;
  readonly ordinal: number;
}

/** More than an agent remembers to have told: what it takes for known is known here. */
const MAX_FILES = 8192;

/** Hashes of files of one boot, by device and inode; the one told longest ago is forgotten first. */
export class KnownHashes {
  readonly #files = new Map<string, KnownHash>();
  readonly #dirty = new Set<string>();
  #nextOrdinal = 1;

  static keyOf(device: number, inode: Uint8Array): string {
    return `${device}-${u64ToHex(inode)}`;
  }

  find(device: number, inode: Uint8Array, ctime: number): FileHash | undefined {
    const known = this.#files.get(KnownHashes.keyOf(device, inode));
    return known?.ctime === ctime ? known : undefined;
  }

  note(device: number, inode: Uint8Array, ctime: number, hash: FileHash): void {
    const key = KnownHashes.keyOf(device, inode);
    this.#files.delete(key);
    this.restore(key, { ...hash, ctime, ordinal: this.#nextOrdinal });
    this.#dirty.add(key);
    if (this.#files.size <= MAX_FILES) return;
    const [oldest = ''] = this.#files.keys();
    this.#files.delete(oldest);
    this.#dirty.add(oldest);
  }

  /** Called in the order of ordinals. */
  restore(key: string, known: KnownHash): void {
    this.#files.set(key, known);
    this.#nextOrdinal = known.ordinal + 1;
  }

  get(key: string): KnownHash | undefined {
    return this.#files.get(key);
  }

  keys(): Iterable<string> {
    return this.#files.keys();
  }

  /** Keys of what changed since the last call. */
  drain(): string[] {
    const keys = [...this.#dirty];
    this.#dirty.clear();
    return keys;
  }
}
