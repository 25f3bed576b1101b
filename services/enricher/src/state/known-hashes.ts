import { u64ToHex } from '@ringfence/wire';
import { Remembered } from './remembered.ts';

/** Hash of a file's content. */
export interface FileHash {
  /** 32 bytes; empty if `state` is not `hashed` */
  readonly sha256: Buffer;
  /** `hashed`, `pending`, or the reason why it was skipped; empty: hashing is off */
  readonly state: string;
}

const NONE = Buffer.alloc(0);
export const NO_HASH: FileHash = { sha256: NONE, state: '' };
export const PENDING: FileHash = { sha256: NONE, state: 'pending' };

/** Hash of a file at one ctime. */
export interface KnownHash extends FileHash {
  /** µs since the epoch */
  readonly ctime: number;
  readonly ordinal: number;
}

/** More than an agent remembers to have sent, so that each hash that it doesn't send again is known here. */
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
