import type { BpfMap } from '@ringfence/libbpf-ts';

/** struct rf_watched_key: length in bits, then the path. */
const PATH_MAX = 256;
const KEY_BYTES = 4 + PATH_MAX;
/** rf_watched's max_entries */
const ENTRIES_MAX = 4096;

type WatchedMap = Pick<BpfMap<Uint8Array, Uint8Array>, 'update' | 'remove'>;

/** The path prefixes whose opens leave the kernel. */
export class WatchedPaths {
  readonly #map: WatchedMap;
  #present: ReadonlyMap<string, Uint8Array>;

  /** `present`: keys that a pinned map holds already */
  constructor(map: WatchedMap, present: Iterable<Uint8Array>) {
    this.#map = map;
    this.#present = new Map(Array.from(present, (key) => [nameOf(key), key.slice()]));
  }

  get size(): number {
    return this.#present.size;
  }

  /**
   * New prefixes first, then the old ones go: at no time is a path unwatched that both lists hold. A prefix longer than the kernel's key watches
   * more than it says; false: there are too many to hold, nothing was changed.
   */
  replace(prefixes: readonly string[]): boolean {
    const wanted = new Map(
      prefixes
        .filter((prefix) => prefix !== '')
        .map((prefix) => keyOf(prefix))
        .map((key) => [nameOf(key), key]),
    );
    const added = [...wanted].filter(([name]) => !this.#present.has(name));
    if (this.#present.size + added.length > ENTRIES_MAX) return false;
    for (const [, key] of added) this.#map.update(key, VALUE);
    for (const [name, key] of this.#present) if (!wanted.has(name)) this.#map.remove(key);
    this.#present = wanted;
    return true;
  }
}

const VALUE = new Uint8Array(Uint32Array.of(1).buffer);

function keyOf(prefix: string): Uint8Array {
  const path = Buffer.from(prefix).subarray(0, PATH_MAX);
  const key = Buffer.alloc(KEY_BYTES);
  key.writeUInt32LE(path.length * 8);
  path.copy(key, 4);
  return new Uint8Array(key);
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}
