import { closeSync } from 'node:fs';
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
const fdById: (id: number) => number = bpf('int bpf_map_get_fd_by_id(uint32_t id)');

/** `any` writes, `create` fails with EEXIST where the key exists, `update` with ENOENT where it doesn't. */
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
  /** as bpftool writes it: `hash`, `array`, `lpm_trie`, `ringbuf`, … */
  readonly type: string;
  readonly name: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** BPF_F_*. @default 0 */
  readonly flags?: number;
}

/**
 * A map that exists in the kernel. `get`, `set`, `entries` speak in values as their BTF types say; `lookup`, `update` and `batches` in bytes.
 * Per-CPU maps hold an array with one value per possible CPU.
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

  /** Prefer `object.map(name)`, {@link BpfMap.openPinned} or {@link BpfMap.create}. @param owned the descriptor is closed on dispose @param types null: bytes */
  constructor(fd: number, owned: boolean, types?: { btf: Btf; key: number; value: number } | null) {
    this.#fd = fd;
    this.#owned = owned;
    this.info = mapInfo(fd, `map descriptor ${fd}`);
    const { btfId, keyType, valueType, keySize, valueSize } = this.info;
    const told = types === undefined && btfId > 0 ? { btf: kernelBtf(btfId), key: keyType, value: valueType } : null;
    const known = types ?? told;
    const value = typed(known?.btf, known?.value ?? 0, valueSize);
    this.#key = typed(known?.btf, known?.key ?? 0, keySize);
    this.#value = perCpuTypes.has(this.info.type) ? perCpuCodec(value, possibleCpus()) : value;
    this.#keyBytes = new Uint8Array(this.#key.size);
    this.#valueBytes = new Uint8Array(this.#value.size);
    this.#keyView = new DataView(this.#keyBytes.buffer);
    this.#valueView = new DataView(this.#valueBytes.buffer);
  }

  /** Opens a map pinned by this or another process; its types come from the kernel, which tells them to CAP_SYS_ADMIN only. */
  static openPinned<K = BtfValue, V = BtfValue>(path: string): BpfMap<K, V> {
    return BpfMap.#adopt<K, V>(openPinned(path));
  }

  /** The same with keys and values as bytes, which takes CAP_BPF and no more. */
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

  /** A map of no object, e.g. to be put into a map of maps. Keys and values are bytes. */
  static create(options: CreateMapOptions): BpfMap<Uint8Array, Uint8Array> {
    // struct bpf_map_create_opts up to map_flags: size_t sz; u32 btf_fd, btf_key, btf_value, btf_vmlinux_value, inner_map_fd, map_flags
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

  /** Whether it was there. */
  delete(key: K): boolean {
    this.#key.write(this.#keyView, 0, key as BtfValue);
    return this.#found('bpf_map_delete_elem', remove(this.fd, this.#keyBytes));
  }

  /** Reads and deletes in one step; nothing written in between is lost. */
  take(key: K): V | undefined {
    this.#key.write(this.#keyView, 0, key as BtfValue);
    const result = lookupAndDelete(this.fd, this.#keyBytes, this.#valueBytes);
    if (!this.#found('bpf_map_lookup_and_delete_elem', result)) return undefined;
    return this.#value.read(this.#valueView, 0) as V;
  }

  /** Everything, by batches where the map can, else key by key. While others write, an entry may come twice or not at all. */
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

  /** Writes all in one system call where the kernel can. */
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

  /** Deletes all in one system call where the kernel can; keys that aren't there are no error. */
  deleteAll(keys: Iterable<K>): void {
    const list = [...keys];
    const bytes = new Uint8Array(list.length * this.#key.size);
    for (const [index, key] of list.entries()) this.#key.write(viewOf(bytes), index * this.#key.size, key as BtfValue);
    deleteBatch(this, bytes);
  }

  /** bytes of a key, and of a value as it crosses the system call (of all CPUs for a per-CPU map) */
  get sizes(): { readonly key: number; readonly value: number } {
    return { key: this.#key.size, value: this.#value.size };
  }

  /** Raw batches: keys and values one behind the other. The buffers are used again for the next batch. */
  batches(options: { readonly size?: number; readonly take?: boolean } = {}): Generator<Batch> {
    return batches(this, options);
  }

  /** Fills `value`; false when there is no such key. */
  lookup(key: Uint8Array, value: Uint8Array): boolean {
    this.#checkSizes(key, value);
    return this.#found('bpf_map_lookup_elem', lookup(this.fd, key, value));
  }

  update(key: Uint8Array, value: Uint8Array, mode: UpdateMode = 'any'): void {
    this.#checkSizes(key, value);
    const result = update(this.fd, key, value, modes[mode]);
    if (result < 0) throw failure('ERR_BPF_MAP', `writing to map '${this.name}'`, 'bpf_map_update_elem', -result);
  }

  /** False when there was no such key. */
  remove(key: Uint8Array): boolean {
    this.#checkSizes(key);
    return this.#found('bpf_map_delete_elem', remove(this.fd, key));
  }

  /** Fills `next` with the key behind `key` (null: the first); false at the end. */
  nextKey(key: Uint8Array | null, next: Uint8Array): boolean {
    this.#checkSizes(key ?? next);
    this.#checkSizes(next);
    return this.#found('bpf_map_get_next_key', nextKey(this.fd, key, next));
  }

  /** In a map of maps: puts `inner` at `key`. */
  setInner(key: K, inner: BpfMap<never, never> | BpfMap<Uint8Array, Uint8Array> | BpfMap): void {
    this.#key.write(this.#keyView, 0, key as BtfValue);
    const value = new Uint8Array(Uint32Array.of((inner as BpfMap).fd).buffer);
    this.update(this.#keyBytes, value);
  }

  /** In a map of maps: opens the map at `key`; the caller disposes of it. */
  inner<IK = BtfValue, IV = BtfValue>(key: K): BpfMap<IK, IV> | undefined {
    this.#key.write(this.#keyView, 0, key as BtfValue);
    const id = new Uint32Array(1);
    if (!this.lookup(this.#keyBytes, new Uint8Array(id.buffer))) return undefined;
    const fd = checked('ERR_BPF_MAP', `opening the inner map ${id[0]} of '${this.name}'`, 'bpf_map_get_fd_by_id', () =>
      fdById(id[0]!),
    );
    return BpfMap.#adopt<IK, IV>(fd);
  }

  /** Maps a ring buffer map; the caller disposes of it. */
  ringBuffer(options: RingOptions = {}): RingBuffer {
    if (this.info.type !== 'ringbuf') throw usage(`map '${this.name}' is a ${this.info.type}, not a ringbuf`);
    return RingBuffer.map({ fd: this.fd, name: this.name, maxEntries: this.info.maxEntries }, options);
  }

  /** Maps an array made with BPF_F_MMAPABLE: element i is at i times the value size rounded up to 8. The caller disposes of it. */
  memory(options: { readonly writable: boolean } = { writable: true }): Mapping {
    if ((this.info.flags & F_MMAPABLE) === 0) throw usage(`map '${this.name}' was not made with BPF_F_MMAPABLE`);
    const length = this.info.maxEntries * ((this.info.valueSize + 7) & ~7);
    return new Mapping(this.fd, `map '${this.name}'`, { length, writable: options.writable });
  }

  /** Keeps the map in the BPF file system beyond this process. */
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
  if (codec.size !== size) throw new BpfError('ERR_BPF_BTF', `a map's type has ${codec.size} bytes, the map ${size}`);
  return codec;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function typeNumber(name: string): number {
  for (let type = 1; type < 64; type++) {
    if (nameOfMapType(type) === name) return type;
  }
  throw usage(`'${name}' is no map type that this libbpf knows`);
}
