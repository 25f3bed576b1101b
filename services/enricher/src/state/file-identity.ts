import { type EventCursor, leaf, u64High, u64Low } from '@ringfence/wire';

/** Generation of a file of which only device and inode are known. */
export const ANY_GENERATION = -1;

/**
 * Identity of a file: superblock, inode, and the generation that differs when the inode's number is used
 * again. An overlay's file is the file in the layer, because an overlay can show two files with one number.
 */
export interface FileIdentity {
  readonly device: number;
  readonly inodeLow: number;
  readonly inodeHigh: number;
  readonly generation: number;
}

/** Returns the identity of the file of an open or exec. */
export function fileOf(cursor: EventCursor, leaves: typeof leaf.Open | typeof leaf.Exec): FileIdentity {
  const { buffer } = cursor;
  const realAt = cursor.leafAt(leaves.realInode);
  const isLayered = u64Low(buffer, realAt) !== 0 || u64High(buffer, realAt) !== 0;
  const at = isLayered ? realAt : cursor.leafAt(leaves.inode);
  return {
    device: cursor.leafLong(isLayered ? leaves.realDevice : leaves.device),
    inodeLow: u64Low(buffer, at),
    inodeHigh: u64High(buffer, at),
    generation: cursor.leafLong(leaves.generation),
  };
}

/** Returns the identity of a file from its hash event. */
export function hashedFileOf(cursor: EventCursor): FileIdentity {
  const at = cursor.leafAt(leaf.Hash.inode);
  return {
    device: cursor.leafLong(leaf.Hash.device),
    inodeLow: u64Low(cursor.buffer, at),
    inodeHigh: u64High(cursor.buffer, at),
    generation: ANY_GENERATION,
  };
}

export const isSameFile = (a: FileIdentity, b: FileIdentity): boolean =>
  a.inodeLow === b.inodeLow &&
  a.inodeHigh === b.inodeHigh &&
  a.device === b.device &&
  (a.generation === b.generation || a.generation === ANY_GENERATION || b.generation === ANY_GENERATION);
