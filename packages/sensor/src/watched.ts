import type { BpfMap } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';

const ENTRIES_MAX = records.Limit.WATCHED_ENTRIES;

type KeyMap = Pick<BpfMap<Uint8Array, Uint8Array>, 'update' | 'remove' | 'batches' | 'sizes'>;

/** A set of texts that the sensor looks up: path prefixes, file names, or executables' names. To go over to another without a gap, `add` it, then `keep` it. */
export class WatchedTexts {
  readonly #map: KeyMap;
  readonly #encode: (text: string) => Uint8Array;
  #present: Map<string, Uint8Array>;

  /** The map may be a pinned one that holds texts already. */
  constructor(map: KeyMap, encode: (text: string) => Uint8Array) {
    this.#map = map;
    this.#encode = encode;
    this.#present = byName(keysOf(map));
  }

  get size(): number {
    return this.#present.size;
  }

  /** as the map holds them */
  keys(): Iterable<Uint8Array> {
    return this.#present.values();
  }

  /** false: there are too many to hold, nothing was changed. */
  add(texts: readonly string[]): boolean {
    const added = [...this.#encoded(texts)].filter(([name]) => !this.#present.has(name));
    if (this.#present.size + added.length > ENTRIES_MAX) return false;
    for (const [name, key] of added) {
      this.#map.update(key, VALUE);
      this.#present.set(name, key);
    }
    return true;
  }

  /** Removes all others. */
  keep(texts: readonly string[]): void {
    const kept = this.#encoded(texts);
    for (const [name, key] of this.#present) {
      if (kept.has(name)) continue;
      this.#map.remove(key);
      this.#present.delete(name);
    }
  }

  #encoded(texts: readonly string[]): Map<string, Uint8Array> {
    return byName(texts.filter((text) => text !== '').map(this.#encode));
  }
}

/** struct rf_watched_key: length in bits, then the path. Of a longer prefix the key's part is watched, which is more. */
export function prefixKey(prefix: string): Uint8Array {
  const path = Buffer.from(prefix).subarray(0, records.WATCHED_KEY_PATH_LENGTH);
  const key = new Uint8Array(records.SIZEOF_WATCHED_KEY);
  new DataView(key.buffer).setUint32(records.WATCHED_KEY_PREFIXLEN, path.length * 8, true);
  key.set(path, records.WATCHED_KEY_PATH);
  return key;
}

/** rf_control.watched_heads for these keys of prefixes: bit n, some first component begins with a byte that is n modulo 64. */
export function headsOf(prefixes: Iterable<Uint8Array>): bigint {
  let heads = 0n;
  for (const key of prefixes) {
    const [root, head] = key.subarray(records.WATCHED_KEY_PATH);
    if (root !== SLASH || head === undefined || head === 0) return EVERY_HEAD;
    heads |= 1n << BigInt(head % 64);
  }
  return heads;
}

/** rf_unwatched for these keys of prefixes: a bit for each hash that none of them has. */
export function unwatchedOf(prefixes: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> {
  const unused = new Uint8Array(HASHES / 8).fill(255);
  for (const key of prefixes) {
    const text = Buffer.from(key.subarray(records.WATCHED_KEY_PATH)).toString('latin1').split('\0')[0] ?? '';
    const [root, ...components] = text.split('/');
    const heads = components.slice(0, HASHED_HEADS).filter((component) => component !== '');
    if (root !== '' || heads.length === 0) return unused.fill(0);
    clear(unused, Buffer.from(heads.map((component) => component[0]).join(''), 'latin1'), heads.length);
  }
  return unused;
}

/** rf_unnamed for these keys of names. */
export function unnamedOf(names: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> {
  const unused = new Uint8Array(HASHES / 8).fill(255);
  for (const key of names) {
    const end = key.indexOf(0);
    clear(unused, key.subarray(0, 8), end === -1 ? key.length : end);
  }
  return unused;
}

/** @param word at most 8 bytes, little-endian */
function clear(unused: Uint8Array, word: Uint8Array, size: number): void {
  const bytes = new DataView(new ArrayBuffer(8));
  for (const [at, byte] of word.entries()) bytes.setUint8(at, byte);
  const product = BigInt.asUintN(64, (bytes.getBigUint64(0, true) ^ BigInt(size)) * HASH_FACTOR);
  const hash = Number(product >> HASH_SHIFT);
  unused[hash >> 3]! &= ~(1 << (hash & 7));
}

/** struct rf_name_key: the name, or the last bytes of a longer one. */
export function nameKey(name: string): Uint8Array {
  const key = new Uint8Array(records.SIZEOF_NAME_KEY);
  key.set(Buffer.from(name).subarray(-records.SIZEOF_NAME_KEY));
  return key;
}

const SLASH = 47;
const { HASHES, COMPONENTS: HASHED_HEADS } = records.Hash;
const HASH_SHIFT = BigInt(records.Hash.SHIFT);
/** RF_HASH_FACTOR of ringfence.h; an enumeration has no room for 64 bits. */
const HASH_FACTOR = 0x9e3779b97f4a7c15n;
const EVERY_HEAD = 0xffff_ffff_ffff_ffffn;
const VALUE = new Uint8Array(Uint32Array.of(1).buffer);

function* keysOf(map: KeyMap): Generator<Uint8Array> {
  const { key: size } = map.sizes;
  for (const { keys, count } of map.batches())
    for (let at = 0; at < count * size; at += size) yield keys.slice(at, at + size);
}

function byName(keys: Iterable<Uint8Array>): Map<string, Uint8Array> {
  return new Map(Array.from(keys, (key) => [Buffer.from(key).toString('latin1'), key]));
}
