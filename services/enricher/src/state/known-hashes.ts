import { u64ToHex } from '@ringfence/wire';
import { Remembered } from './remembered.ts';

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

/** Hashes of files of one boot, by device and inode. */
export class KnownHashes extends Remembered<KnownHash> {
  constructor() {
    super(MAX_FILES);
  }

  static keyOf(device: number, inode: Uint8Array): string {
    return `${device}-${u64ToHex(inode)}`;
  }

  find(device: number, inode: Uint8Array, ctime: number): FileHash | undefined {
    const known = this.get(KnownHashes.keyOf(device, inode));
    return known?.ctime === ctime ? known : undefined;
  }

  note(device: number, inode: Uint8Array, ctime: number, hash: FileHash): void {
    this.put(KnownHashes.keyOf(device, inode), { ...hash, ctime });
  }
}
