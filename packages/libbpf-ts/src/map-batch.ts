import { failure } from './errors.ts';
import { EINVAL, ENOENT, ENOSPC, ENOTSUPP } from './native/errno.ts';
import { bpf } from './native/library.ts';

type LookupBatch = (
  fd: number,
  from: Uint8Array | null,
  to: Uint8Array,
  keys: Uint8Array,
  values: Uint8Array,
  count: Uint32Array,
  options: null,
) => number;

const lookupBatch: LookupBatch = bpf(
  'int bpf_map_lookup_batch(int fd, void *from, void *to, void *keys, void *values, void *count, void *options)',
);
const takeBatch: LookupBatch = bpf(
  'int bpf_map_lookup_and_delete_batch(int fd, void *from, void *to, void *keys, void *values, void *count, void *options)',
);
const update: (fd: number, keys: Uint8Array, values: Uint8Array, count: Uint32Array, options: null) => number = bpf(
  'int bpf_map_update_batch(int fd, void *keys, void *values, void *count, void *options)',
);
const remove: (fd: number, keys: Uint8Array, count: Uint32Array, options: null) => number = bpf(
  'int bpf_map_delete_batch(int fd, void *keys, void *count, void *options)',
);

const DEFAULT_BATCH = 1024;

export interface Batch {
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
  /** entries in this batch */
  readonly count: number;
}

/** The part of a map that batches need. */
export interface BatchMap {
  readonly fd: number;
  readonly name: string;
  readonly sizes: { readonly key: number; readonly value: number };
  readonly info: { readonly maxEntries: number };
  lookup(key: Uint8Array, value: Uint8Array): boolean;
  update(key: Uint8Array, value: Uint8Array): void;
  remove(key: Uint8Array): boolean;
  nextKey(key: Uint8Array | null, next: Uint8Array): boolean;
}

function unsupported(result: number): boolean {
  return result === -ENOTSUPP || result === -EINVAL;
}

/**
 * Yields the entries of a map in batches.
 * @param options `size` is the number of entries per batch, which grows if a hash bucket holds more entries; `take`
 * deletes the entries in the same step
 */
export function* batches(
  map: BatchMap,
  options: { readonly size?: number; readonly take?: boolean },
): Generator<Batch> {
  const take = options.take ?? false;
  const operation = take ? 'bpf_map_lookup_and_delete_batch' : 'bpf_map_lookup_batch';
  const call = take ? takeBatch : lookupBatch;
  let size = Math.max(1, Math.min(options.size ?? DEFAULT_BATCH, map.info.maxEntries));
  let from: Uint8Array | null = null;
  let { keys, values } = buffers(map, size);
  for (;;) {
    const to = new Uint8Array(Math.max(4, map.sizes.key));
    const count = Uint32Array.of(size);
    const result = call(map.fd, from, to, keys, values, count, null);
    if (result === -ENOSPC && size < map.info.maxEntries) {
      size = Math.min(size * 2, map.info.maxEntries);
      ({ keys, values } = buffers(map, size));
      continue;
    }
    if (from === null && unsupported(result)) {
      yield* keyByKey(map, take);
      return;
    }
    if (result < 0 && result !== -ENOENT)
      throw failure('ERR_BPF_MAP', `reading map '${map.name}' in batches`, operation, -result);
    if (count[0]! > 0) yield { keys, values, count: count[0]! };
    if (result === -ENOENT) return;
    from = to;
  }
}

function buffers(map: BatchMap, size: number): { keys: Uint8Array; values: Uint8Array } {
  return { keys: new Uint8Array(size * map.sizes.key), values: new Uint8Array(size * map.sizes.value) };
}

/** Iteration is bounded by the map's size because the kernel starts over if the current key is deleted concurrently. */
function* keyByKey(map: BatchMap, take: boolean): Generator<Batch> {
  let key = new Uint8Array(map.sizes.key);
  const values = new Uint8Array(map.sizes.value);
  let hasKey = map.nextKey(null, key);
  for (let remaining = map.info.maxEntries; hasKey && remaining > 0; remaining--) {
    const next = new Uint8Array(map.sizes.key);
    hasKey = map.nextKey(key, next);
    if (map.lookup(key, values)) yield { keys: key, values, count: 1 };
    if (take) map.remove(key);
    key = next;
  }
}

export function updateBatch(map: BatchMap, keys: Uint8Array, values: Uint8Array): void {
  const total = values.length / map.sizes.value;
  if (total === 0) return;
  const result = update(map.fd, keys, values, Uint32Array.of(total), null);
  if (unsupported(result)) {
    for (let index = 0; index < total; index++) {
      map.update(slice(keys, index, map.sizes.key), slice(values, index, map.sizes.value));
    }
  } else if (result < 0) {
    throw failure('ERR_BPF_MAP', `writing ${total} entries to map '${map.name}'`, 'bpf_map_update_batch', -result);
  }
}

/** Deletes the keys that exist. The kernel stops at the first missing key; then this deletes key by key. */
export function deleteBatch(map: BatchMap, keys: Uint8Array): void {
  const total = keys.length / map.sizes.key;
  if (total === 0) return;
  const count = Uint32Array.of(total);
  const result = remove(map.fd, keys, count, null);
  if (result >= 0) return;
  if (result !== -ENOENT && !unsupported(result)) {
    throw failure('ERR_BPF_MAP', `deleting ${total} entries of map '${map.name}'`, 'bpf_map_delete_batch', -result);
  }
  for (let index = 0; index < total; index++) map.remove(slice(keys, index, map.sizes.key));
}

function slice(bytes: Uint8Array, index: number, size: number): Uint8Array {
  return bytes.subarray(index * size, (index + 1) * size);
}
