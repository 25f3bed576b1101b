import { nameOfMapType } from './info.ts';
import type { BpfMap } from './map.ts';
import { bpf, type Handle, type Pointer } from './native/library.ts';
import { checked } from './native/log.ts';

const mapName: (map: Pointer) => string = bpf('const char *bpf_map__name(void *map)');
const mapType: (map: Pointer) => number = bpf('int bpf_map__type(void *map)');
const maxEntries: (map: Pointer) => number = bpf('uint32_t bpf_map__max_entries(void *map)');
const setMaxEntries: (map: Pointer, entries: number) => number = bpf(
  'int bpf_map__set_max_entries(void *map, uint32_t entries)',
);
const setPinPath: (map: Pointer, path: string | null) => number = bpf(
  'int bpf_map__set_pin_path(void *map, const char *path)',
);
const pinPath: (map: Pointer) => string | null = bpf('const char *bpf_map__pin_path(void *map)');
const reuseFd: (map: Pointer, fd: number) => number = bpf('int bpf_map__reuse_fd(void *map, int fd)');
const setInner: (map: Pointer, fd: number) => number = bpf('int bpf_map__set_inner_map_fd(void *map, int fd)');
const setAutocreate: (map: Pointer, create: boolean) => number = bpf(
  'int bpf_map__set_autocreate(void *map, bool create)',
);
const autocreate: (map: Pointer) => boolean = bpf('bool bpf_map__autocreate(void *map)');

/** The definition of a map in an object, which can be changed before load. */
export class MapDefinition {
  readonly handle: Pointer;
  readonly name: string;

  constructor(handle: Pointer) {
    this.handle = handle;
    this.name = mapName(handle);
  }

  get type(): string {
    return nameOfMapType(mapType(this.handle));
  }

  get maxEntries(): number {
    return maxEntries(this.handle);
  }

  /**
   * Sets the maximum number of entries. For a ring buffer, this is its size in bytes: a power of two, in whole pages.
   */
  resize(entries: number): void {
    this.#set('resizing', 'bpf_map__set_max_entries', () => setMaxEntries(this.handle, entries));
  }

  get pinPath(): string | null {
    return pinPath(this.handle);
  }

  /**
   * Makes load reuse the map pinned at `path` if it is compatible, so that it is shared with programs of the last run.
   * Without such a pin, load creates the map and pins it there.
   */
  pinAt(path: string): void {
    this.#set('choosing a pin path for', 'bpf_map__set_pin_path', () => setPinPath(this.handle, path));
  }

  /** Makes load use an existing map instead of creating one. libbpf duplicates the descriptor. */
  reuse(map: Pick<BpfMap, 'fd'>): void {
    this.#set('reusing a map for', 'bpf_map__reuse_fd', () => reuseFd(this.handle, map.fd));
  }

  /** Sets the template of the inner maps of a map of maps whose definition does not include it. */
  innerLike(map: Pick<BpfMap, 'fd'>): void {
    this.#set('setting the inner map of', 'bpf_map__set_inner_map_fd', () => setInner(this.handle, map.fd));
  }

  /** False skips the map at load, for a map type that the kernel may not support. No loaded program may use the map. */
  set create(create: boolean) {
    this.#set('changing autocreate of', 'bpf_map__set_autocreate', () => setAutocreate(this.handle, create));
  }

  get create(): boolean {
    return autocreate(this.handle);
  }

  #set(action: string, operation: string, call: () => number): void {
    checked('ERR_BPF_MAP', `${action} map '${this.name}' (possible before load only)`, operation, call);
  }
}

export type NextHandle = (object: Pointer, before: Handle) => Handle;

/** Iterates over libbpf's list of maps or programs. */
export function* walk(next: NextHandle, object: Pointer): Generator<Pointer> {
  for (let handle = next(object, null); handle !== null; handle = next(object, handle)) yield handle;
}
