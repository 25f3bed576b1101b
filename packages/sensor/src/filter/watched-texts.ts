import type { BpfMap } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';

const ENTRIES_MAX = records.Limit.WATCHED_ENTRIES;
const VALUE = new Uint8Array(Uint32Array.of(1).buffer);

type KeyMap = Pick<BpfMap<Uint8Array, Uint8Array>, 'update' | 'remove' | 'batches' | 'sizes'>;

/**
 * A set of texts that the sensor looks up: path prefixes, or names of files, executables or variables. To replace the
 * set without a gap, `add` the new texts, then `keepOnly` them.
 */
export class WatchedTexts {
  readonly #map: KeyMap;
  readonly #encode: (text: string) => Uint8Array;
  #present: Map<string, Uint8Array>;

  /** @param map may be a pinned map that already has entries */
  constructor(map: KeyMap, encode: (text: string) => Uint8Array) {
    this.#map = map;
    this.#encode = encode;
    this.#present = byBytes(keysOf(map));
  }

  get size(): number {
    return this.#present.size;
  }

  /** Returns the keys in the map's format. */
  keys(): Iterable<Uint8Array> {
    return this.#present.values();
  }

  /** Returns false, and changes nothing, if the map has too little room. */
  add(texts: readonly string[]): boolean {
    const added = [...this.#encoded(texts)].filter(([bytes]) => !this.#present.has(bytes));
    if (this.#present.size + added.length > ENTRIES_MAX) return false;
    for (const [bytes, key] of added) {
      this.#map.update(key, VALUE);
      this.#present.set(bytes, key);
    }
    return true;
  }

  /** Removes all other texts. */
  keepOnly(texts: readonly string[]): void {
    const kept = this.#encoded(texts);
    for (const [bytes, key] of this.#present) {
      if (kept.has(bytes)) continue;
      this.#map.remove(key);
      this.#present.delete(bytes);
    }
  }

  /** Adds and removes what another process has removed and added. Returns the number of such entries. */
  restore(): number {
    const found = byBytes(keysOf(this.#map, this.#present.size + 1));
    let changed = 0;
    for (const [bytes, key] of this.#present) {
      if (found.delete(bytes)) continue;
      this.#map.update(key, VALUE);
      changed++;
    }
    for (const key of found.values()) this.#map.remove(key);
    return changed + found.size;
  }

  #encoded(texts: readonly string[]): Map<string, Uint8Array> {
    return byBytes(texts.filter((text) => text !== '').map(this.#encode));
  }
}

/** Encodes struct rf_watched_key: length in bits, then the path. A longer prefix is cut, which watches more paths. */
export function prefixKey(prefix: string): Uint8Array {
  const path = Buffer.from(prefix).subarray(0, records.WATCHED_KEY_PATH_LENGTH);
  const key = new Uint8Array(records.SIZEOF_WATCHED_KEY);
  new DataView(key.buffer).setUint32(records.WATCHED_KEY_PREFIXLEN, path.length * 8, true);
  key.set(path, records.WATCHED_KEY_PATH);
  return key;
}

/** Encodes struct rf_name_key: the name, or the last bytes of a longer one. */
export function nameKey(name: string): Uint8Array {
  const key = new Uint8Array(records.SIZEOF_NAME_KEY);
  key.set(Buffer.from(name).subarray(-records.SIZEOF_NAME_KEY));
  return key;
}

/** Encodes struct rf_variable_key: `NAME=`. A name that is too long is cut, which sends more variables. */
export function variableKey(name: string): Uint8Array {
  const text = Buffer.from(`${name}=`).subarray(0, records.VARIABLE_KEY_NAME_LENGTH);
  const key = new Uint8Array(records.SIZEOF_VARIABLE_KEY);
  new DataView(key.buffer).setUint32(records.VARIABLE_KEY_PREFIXLEN, text.length * 8, true);
  key.set(text, records.VARIABLE_KEY_NAME);
  return key;
}

/** @param expected number of keys, for which buffers are allocated */
function* keysOf(map: KeyMap, expected?: number): Generator<Uint8Array> {
  const { key: size } = map.sizes;
  for (const { keys, count } of map.batches(expected === undefined ? {} : { size: expected }))
    for (let at = 0; at < count * size; at += size) yield keys.slice(at, at + size);
}

function byBytes(keys: Iterable<Uint8Array>): Map<string, Uint8Array> {
  return new Map(Array.from(keys, (key) => [Buffer.from(key).toString('latin1'), key]));
}
