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

/** A map as the object describes it: what can be changed before load. */
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

  /** Entries, or bytes for a ring buffer (a power of two, whole pages). */
  resize(entries: number): void {
    this.#set('resizing', 'bpf_map__set_max_entries', () => setMaxEntries(this.handle, entries));
  }

  get pinPath(): string | null {
    return pinPath(this.handle);
  }

  /** On load the map pinned there is used if it fits, else a new one is made and pinned there. Programs of this and the last run share it. */
  pinAt(path: string): void {
    this.#set('choosing a pin path for', 'bpf_map__set_pin_path', () => setPinPath(this.handle, path));
  }

  /** On load an existing map is used instead of making one. libbpf takes a descriptor of its own. */
  reuse(map: Pick<BpfMap, 'fd'>): void {
    this.#set('reusing a map for', 'bpf_map__reuse_fd', () => reuseFd(this.handle, map.fd));
  }

  /** The shape that the inner maps of a map of maps have, where the object doesn't say it. */
  innerLike(map: Pick<BpfMap, 'fd'>): void {
    this.#set('giving an inner map to', 'bpf_map__set_inner_map_fd', () => setInner(this.handle, map.fd));
  }

  /** Not created at load: for a map type that this kernel may lack and no loaded program uses. */
  set create(create: boolean) {
    this.#set('changing', 'bpf_map__set_autocreate', () => setAutocreate(this.handle, create));
  }

  get create(): boolean {
    return autocreate(this.handle);
  }

  #set(doing: string, operation: string, call: () => number): void {
    checked('ERR_BPF_MAP', `${doing} map '${this.name}' (possible before load only)`, operation, call);
  }
}

export type NextHandle = (object: Pointer, before: Handle) => Handle;

/** Walks one of libbpf's lists. */
export function* walk(next: NextHandle, object: Pointer): Generator<Pointer> {
  for (let handle = next(object, null); handle !== null; handle = next(object, handle)) yield handle;
}
