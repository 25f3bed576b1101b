import { type EventCursor, leaf } from '@ringfence/wire';
import type { Boot } from '../state/boot.ts';
import type { FileHash } from '../state/known-hashes.ts';
import type { ProcessEntry } from '../state/process.ts';
import type { BatchBuilder } from './batch.ts';

const { Hash: HASH } = leaf;
const SHA256_BYTES = 32;
const REASON_MAX = 64;

/** Stores the hash of a file for the process that ran it and, if the hash is lasting, for later execs of the file. */
export function noteHash(boot: Boot, process: ProcessEntry | null, cursor: EventCursor, out: BatchBuilder): void {
  const hash = hashAt(cursor);
  const inodeAt = cursor.leafAt(HASH.inode);
  const inode = Buffer.from(cursor.buffer.subarray(inodeAt, inodeAt + 8));
  const device = cursor.leafLong(HASH.device);
  const ctime = cursor.leafLong(HASH.ctime);
  // Earlier events of the batch keep the process with its pending hash.
  if (process !== null) out.supersede(process);
  if (cursor.leafBoolean(HASH.lasting)) boot.hashes.note(device, inode, ctime, hash);
  if (process === null) return;
  const { image } = process;
  const script = cursor.leafBoolean(HASH.script);
  const file = script ? image.script : image;
  if (file.device !== device || file.ctime !== ctime || !file.inode.equals(inode)) return;
  process.image = script ? { ...image, script: { ...image.script, hash } } : { ...image, hash };
  boot.processes.touch(process);
}

/** Returns a copy, because a view would keep the whole batch in memory. */
function hashAt(cursor: EventCursor): FileHash {
  const sha256 = Buffer.from(cursor.leafBytes(HASH.sha256).subarray(0, SHA256_BYTES));
  const skipped = cursor.leafText(HASH.skipped).slice(0, REASON_MAX);
  return skipped === '' && sha256.length === SHA256_BYTES
    ? { sha256, state: 'hashed' }
    : { sha256: Buffer.alloc(0), state: skipped || 'malformed' };
}
