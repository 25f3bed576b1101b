/** Summaries of the watched texts that spare the sensor most map lookups, and most paths their assembly. */
import { records } from '@ringfence/wire';

const SLASH = 47;
const { HASHES, COMPONENTS: HASHED_COMPONENTS } = records.Hash;
const HASH_SHIFT = BigInt(records.Hash.SHIFT);
/** RF_HASH_FACTOR of ringfence.h. It has 64 bits, which an enumeration cannot hold. */
const HASH_FACTOR = 0x9e3779b97f4a7c15n;
const EVERY_HEAD = 0xffff_ffff_ffff_ffffn;

/**
 * Returns rf_control.watched_heads for these keys of prefixes. Bit n is set if a prefix has a first component whose
 * first byte is n modulo 64, and every bit if a prefix has no known first component.
 */
export function headsOf(prefixes: Iterable<Uint8Array>): bigint {
  let heads = 0n;
  for (const key of prefixes) {
    const [root, head] = key.subarray(records.WATCHED_KEY_PATH);
    if (root !== SLASH || head === undefined || head === 0) return EVERY_HEAD;
    heads |= 1n << BigInt(head % 64);
  }
  return heads;
}

/** Returns rf_unwatched for these keys of prefixes: bit n is set if no prefix has hash n. */
export function unwatchedOf(prefixes: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> {
  const unused = new Uint8Array(HASHES / 8).fill(255);
  for (const key of prefixes) {
    const text = Buffer.from(key.subarray(records.WATCHED_KEY_PATH)).toString('latin1').split('\0')[0] ?? '';
    const [root, ...components] = text.split('/');
    const hashed = components.slice(0, HASHED_COMPONENTS).filter((component) => component !== '');
    if (root !== '' || hashed.length === 0) return unused.fill(0);
    clearBit(unused, Buffer.from(hashed.map((component) => component[0]).join(''), 'latin1'), hashed.length);
  }
  return unused;
}

/** Returns rf_unnamed for these keys of names: bit n is set if no name has hash n. */
export function unnamedOf(names: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> {
  const unused = new Uint8Array(HASHES / 8).fill(255);
  for (const key of names) {
    const end = key.indexOf(0);
    clearBit(unused, key.subarray(0, 8), end === -1 ? key.length : end);
  }
  return unused;
}

/** Returns rf_file_hashes for these keys of rf_files: bit n is set if some key has hash n. */
export function fileHashesOf(keys: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> {
  const used = new Uint8Array(HASHES / 8);
  for (const key of keys) {
    const inode = new DataView(key.buffer, key.byteOffset).getUint32(records.FILE_KEY_INODE, true);
    const hash = hashOf(BigInt(inode));
    used[hash >> 3]! |= 1 << (hash & 7);
  }
  return used;
}

/** @param word at most 8 bytes, little-endian */
function clearBit(bits: Uint8Array, word: Uint8Array, size: number): void {
  const bytes = new DataView(new ArrayBuffer(8));
  for (const [at, byte] of word.entries()) bytes.setUint8(at, byte);
  const hash = hashOf(bytes.getBigUint64(0, true) ^ BigInt(size));
  bits[hash >> 3]! &= ~(1 << (hash & 7));
}

const hashOf = (word: bigint): number => Number(BigInt.asUintN(64, word * HASH_FACTOR) >> HASH_SHIFT);
