import { closeSync, readFileSync } from 'node:fs';
import type { Btf } from './btf/btf.ts';
import { type BtfValue, bytesCodec, type Codec, codecFor, perCpuCodec } from './btf/codec.ts';
import { BpfError, disposed, failure, usage } from './errors.ts';
import { kernelBtf, type MapInfo, mapInfo, nameOfMapType } from './info.ts';
import { type Batch, batches, deleteBatch, updateBatch } from './map-batch.ts';
import { ENOENT } from './native/errno.ts';
import { bpf, possibleCpus } from './native/library.ts';
import { checked } from './native/log.ts';
import { Mapping } from './native/mapping.ts';
import { openPinned, pin, removePin } from './pin.ts';
import { RingBuffer, type RingOptions } from './ring-buffer.ts';

const lookup: (fd: number, key: Uint8Array, value: Uint8Array) => number = bpf(
  'int bpf_map_lookup_elem(int fd, void *key, void *value)',
);
const lookupAndDelete: (fd: number, key: Uint8Array | null, value: Uint8Array) => number = bpf(
  'int bpf_map_lookup_and_delete_elem(int fd, void *key, void *value)',
);
const update: (fd: number, key: Uint8Array, value: Uint8Array, flags: number) => number = bpf(
  'int bpf_map_update_elem(int fd, void *key, void *value, uint64_t flags)',
);
const remove: (fd: number, key: Uint8Array) => number = bpf('int bpf_map_delete_elem(int fd, void *key)');
const nextKey: (fd: number, key: Uint8Array | null, next: Uint8Array) => number = bpf(
  'int bpf_map_get_next_key(int fd, void *key, void *next)',
);
const mapCreate: (
  type: number,
  name: string,
  key: number,
  value: number,
  entries: number,
  options: Uint8Array,
) => number = bpf(
  'int bpf_map_create(int type, const char *name, uint32_t key, uint32_t value, uint32_t entries, void *options)',
);
const freeze: (fd: number) => number = bpf('int bpf_map_freeze(int fd)');
const fdById: (id: number) => number = bpf('int bpf_map_get_fd_by_id(uint32_t id)');

/** `any` always writes; `create` fails with EEXIST if the key exists; `update` fails with ENOENT if it does not. */
export type UpdateMode = 'any' | 'create' | 'update';
const modes: Readonly<Record<UpdateMode, number>> = { any: 0, create: 1, update: 2 };

const F_MMAPABLE = 1 << 10;
const perCpuTypes: ReadonlySet<string> = new Set([
  'percpu_hash',
  'percpu_array',
  'lru_percpu_hash',
  'percpu_cgroup_storage',
]);

export interface CreateMapOptions {
  /** bpftool's name of the type: `hash`, `array`, `lpm_trie`, `ringbuf`, … */
  readonly type: string;
  readonly name: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** BPF_F_*. @default 0 */
  readonly flags?: number;
}

/**
 * A map in the kernel. `get`, `set` and `entries` convert values by their BTF types; `lookup`, `update` and `batches`
 * use raw bytes. The value of a per-CPU map is an array with one value per possible CPU.
 */
export class BpfMap<K = BtfValue, V = BtfValue> implements Disposable {
  readonly info: MapInfo;
  readonly #key: Codec<BtfValue>;
  readonly #value: Codec<BtfValue>;
  readonly #keyBytes: Uint8Array;
  readonly #valueBytes: Uint8Array;
  readonly #keyView: DataView;
  readonly #valueView: DataView;
  readonly #owned: boolean;
  #fd: number;

  /**
   * Prefer `object.map(name)`, {@link BpfMap.openPinned} or {@link BpfMap.create}.
   * @param owned whether dispose closes the descriptor
   * @param types null for keys and values as bytes; undefined to load the types from the kernel
   */
  constructor(fd: number, owned: boolean, types?: { btf: Btf; key: number; value: number } | null) {
    this.#fd = fd;
    this.#owned = owned;
    this.info = mapInfo(fd, `map descriptor ${fd}`);
    const { btfId, keyType, valueType, keySize, valueSize } = this.info;
    const fromKernel =
      types === undefined && btfId > 0 ? { btf: kernelBtf(btfId), key: keyType, value: valueType } : null;
    const valueTypes = types ?? fromKernel;
    const value = typed(valueTypes?.btf, valueTypes?.value ?? 0, valueSize);
    this.#key = typed(valueTypes?.btf, valueTypes?.key ?? 0, keySize);
    this.#value = perCpuTypes.has(this.info.type) ? perCpuCodec(value, possibleCpus()) : value;
    this.#keyBytes = new Uint8Array(this.#key.size);
    this.#valueBytes = new Uint8Array(this.#value.size);
    this.#keyView = new DataView(this.#keyBytes.buffer);
    this.#valueView = new DataView(this.#valueBytes.buffer);
  }

  /**
   * Opens a map pinned by any process. Loads its types from the kernel, which needs CAP_SYS_ADMIN.
   * @param options `readonly`: the kernel refuses writes through this descriptor. @default false
   */
  static openPinned<K = BtfValue, V = BtfValue>(path: string, options: { readonly?: boolean } = {}): BpfMap<K, V> {
    return BpfMap.#adopt<K, V>(openPinned(path, options.readonly));
  }

  /** Opens a pinned map with keys and values as bytes, which needs only CAP_BPF. */
  static openPinnedBytes(path: string): BpfMap<Uint8Array, Uint8Array> {
    return BpfMap.#adopt(openPinned(path), null);
  }

  static #adopt<K, V>(fd: number, types?: null): BpfMap<K, V> {
    try {
      return new BpfMap<K, V>(fd, true, types);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Creates a map without an object, for example for a map of maps. Keys and values are bytes. */
  static create(options: CreateMapOptions): BpfMap<Uint8Array, Uint8Array> {
    // The beginning of struct bpf_map_create_opts: size_t sz;
    // u32 btf_fd, btf_key_type_id, btf_value_type_id, btf_vmlinux_value_type_id, inner_map_fd, map_flags
    const opts = new DataView(new ArrayBuffer(32));
    opts.setBigUint64(0, 32n, true);
    opts.setUint32(28, options.flags ?? 0, true);
    const { name, keySize, valueSize, maxEntries } = options;
    const fd = checked('ERR_BPF_MAP', `creating map '${name}'`, 'bpf_map_create', () =>
      mapCreate(typeNumber(options.type), name, keySize, valueSize, maxEntries, new Uint8Array(opts.buffer)),
    );
    return BpfMap.#adopt(fd);
  }

  get name(): string {
    return this.info.name;
  }

  /** @throws ERR_BPF_DISPOSED */
  get fd(): number {
    if (this.#fd < 0) throw disposed(`the map '${this.info.name}'`);
    return this.#fd;
  }

  get(key: K): V | undefined {
    this.#key.write(this.#keyView, 0, key as BtfValue);
    if (!this.#found('bpf_map_lookup_elem', lookup(this.fd, this.#keyBytes, this.#valueBytes))) return undefined;
    return this.#value.read(this.#valueView, 0) as V;
  }

  set(key: K, value: V, mode: UpdateMode = 'any'): void {
    this.#key.write(this.#keyView, 0, key as BtfValue);
    this.#value.write(this.#valueView, 0, value as BtfValue);
    this.update(this.#keyBytes, this.#valueBytes, mode);
  }

  /** Deletes an entry. Returns false if the key did not exist. */
  delete(key: K): boolean {
    this.#key.write(this.#keyView, 0, key as BtfValue);
    return this.#found('bpf_map_delete_elem', remove(this.fd, this.#keyBytes));
  }

  /** Reads and deletes an entry atomically, so that no concurrent write is lost. */
  take(key: K): V | undefined {
    this.#key.write(this.#keyView, 0, key as BtfValue);
    const result = lookupAndDelete(this.fd, this.#keyBytes, this.#valueBytes);
    if (!this.#found('bpf_map_lookup_and_delete_elem', result)) return undefined;
    return this.#value.read(this.#valueView, 0) as V;
  }

  /**
   * Yields all entries, in batches if the map supports them and key by key otherwise. During concurrent writes, an
   * entry may appear twice or be missed.
   */
  *entries(): Generator<[K, V]> {
    for (const batch of this.batches()) {
      const keys = viewOf(batch.keys);
      const values = viewOf(batch.values);
      for (let index = 0; index < batch.count; index++) {
        const key = this.#key.read(keys, index * this.#key.size) as K;
        yield [key, this.#value.read(values, index * this.#value.size) as V];
      }
    }
  }

  *keys(): Generator<K> {
    for (const [key] of this.entries()) yield key;
  }

  /** Writes all entries, in one system call if the kernel supports it. */
  setAll(entries: Iterable<readonly [K, V]>): void {
    const list = [...entries];
    const keys = new Uint8Array(list.length * this.#key.size);
    const values = new Uint8Array(list.length * this.#value.size);
    for (const [index, [key, value]] of list.entries()) {
      this.#key.write(viewOf(keys), index * this.#key.size, key as BtfValue);
      this.#value.write(viewOf(values), index * this.#value.size, value as BtfValue);
    }
    updateBatch(this, keys, values);
  }

  /** Deletes all keys, in one system call if the kernel supports it. Ignores keys that do not exist. */
  deleteAll(keys: Iterable<K>): void {
    const list = [...keys];
    const bytes = new Uint8Array(list.length * this.#key.size);
    for (const [index, key] of list.entries()) this.#key.write(viewOf(bytes), index * this.#key.size, key as BtfValue);
    deleteBatch(this, bytes);
  }

  /** bytes of a key and of a value in a system call; for a per-CPU map, the value covers all CPUs */
  get sizes(): { readonly key: number; readonly value: number } {
    return { key: this.#key.size, value: this.#value.size };
  }

  /** Yields batches of raw bytes, with keys and values packed without gaps. The next batch reuses the buffers. */
  batches(options: { readonly size?: number; readonly take?: boolean } = {}): Generator<Batch> {
    return batches(this, options);
  }

  /** Reads the value of `key` into `value`. Returns false if the key does not exist. */
  lookup(key: Uint8Array, value: Uint8Array): boolean {
    this.#checkSizes(key, value);
    return this.#found('bpf_map_lookup_elem', lookup(this.fd, key, value));
  }

  update(key: Uint8Array, value: Uint8Array, mode: UpdateMode = 'any'): void {
    this.#checkSizes(key, value);
    const result = update(this.fd, key, value, modes[mode]);
    if (result < 0) throw failure('ERR_BPF_MAP', `writing to map '${this.name}'`, 'bpf_map_update_elem', -result);
  }

  /** Deletes an entry. Returns false if the key did not exist. */
  remove(key: Uint8Array): boolean {
    this.#checkSizes(key);
    return this.#found('bpf_map_delete_elem', remove(this.fd, key));
  }

  /** Writes the key after `key` to `next`; null yields the first key. Returns false at the end. */
  nextKey(key: Uint8Array | null, next: Uint8Array): boolean {
    this.#checkSizes(key ?? next);
    this.#checkSizes(next);
    return this.#found('bpf_map_get_next_key', nextKey(this.fd, key, next));
  }

  /** Writes the map `inner` to `key` of a map of maps. */
  setInner(key: K, inner: BpfMap<never, never> | BpfMap<Uint8Array, Uint8Array> | BpfMap): void {
    this.#key.write(this.#keyView, 0, key as BtfValue);
    const value = new Uint8Array(Uint32Array.of((inner as BpfMap).fd).buffer);
    this.update(this.#keyBytes, value);
  }

  /** Opens the map at `key` of a map of maps. The caller disposes of it. */
  inner<IK = BtfValue, IV = BtfValue>(key: K): BpfMap<IK, IV> | undefined {
    this.#key.write(this.#keyView, 0, key as BtfValue);
    const id = new Uint32Array(1);
    if (!this.lookup(this.#keyBytes, new Uint8Array(id.buffer))) return undefined;
    const fd = checked('ERR_BPF_MAP', `opening the inner map ${id[0]} of '${this.name}'`, 'bpf_map_get_fd_by_id', () =>
      fdById(id[0]!),
    );
    return BpfMap.#adopt<IK, IV>(fd);
  }

  /** Maps a ring buffer into memory. The caller disposes of it. */
  ringBuffer(options: RingOptions = {}): RingBuffer {
    if (this.info.type !== 'ringbuf') throw usage(`map '${this.name}' is a ${this.info.type}, not a ringbuf`);
    return RingBuffer.map({ fd: this.fd, name: this.name, maxEntries: this.info.maxEntries }, options);
  }

  /**
   * Maps an array created with BPF_F_MMAPABLE into memory. Element i starts at i times the value size rounded up to 8
   * bytes. The caller disposes of the mapping.
   */
  memory(options: { readonly writable: boolean } = { writable: true }): Mapping {
    if ((this.info.flags & F_MMAPABLE) === 0) throw usage(`map '${this.name}' was not created with BPF_F_MMAPABLE`);
    const length = this.info.maxEntries * ((this.info.valueSize + 7) & ~7);
    return new Mapping(this.fd, `map '${this.name}'`, { length, writable: options.writable });
  }

  /** Whether the kernel refuses every change by a system call. */
  get frozen(): boolean {
    return /^frozen:\t1$/m.test(readFileSync(`/proc/self/fdinfo/${this.fd}`, 'latin1'));
  }

  /**
   * Makes the kernel refuse every change by a system call or through a new mapping, by any process, for ever. Programs
   * can still write to the map. Does nothing to a frozen map.
   * @throws ERR_BPF_MAP with EBUSY while the map is mapped for writing, which includes the ring buffers that are read
   */
  freeze(): void {
    if (this.frozen) return;
    checked('ERR_BPF_MAP', `freezing map '${this.name}'`, 'bpf_map_freeze', () => freeze(this.fd));
  }

  /** Pins the map in the BPF file system, so that it outlives this process. */
  pin(path: string): void {
    pin(this.fd, path, `map '${this.name}'`);
  }

  unpin(path: string): void {
    removePin(path, `map '${this.name}'`);
  }

  [Symbol.dispose](): void {
    if (this.#owned && this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #found(operation: string, result: number): boolean {
    if (result >= 0) return true;
    if (result === -ENOENT) return false;
    throw failure('ERR_BPF_MAP', `using map '${this.name}'`, operation, -result);
  }

  #checkSizes(key: Uint8Array, value?: Uint8Array): void {
    const wanted = this.sizes;
    if (key.length !== wanted.key)
      throw usage(`a key of map '${this.name}' has ${wanted.key} bytes, not ${key.length}`);
    if (value !== undefined && value.length !== wanted.value) {
      throw usage(`a value of map '${this.name}' has ${wanted.value} bytes, not ${value.length}`);
    }
  }
}

function typed(btf: Btf | undefined, type: number, size: number): Codec<BtfValue> {
  if (btf === undefined || type === 0) return bytesCodec(size);
  const codec = codecFor(btf, type);
  if (codec.size !== size)
    throw new BpfError('ERR_BPF_BTF', `a type of ${codec.size} bytes does not match the map's ${size} bytes`);
  return codec;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function typeNumber(name: string): number {
  for (let type = 1; type < 64; type++) {
    if (nameOfMapType(type) === name) return type;
  }
  throw usage(`this libbpf does not know the map type '${name}'`);
}
