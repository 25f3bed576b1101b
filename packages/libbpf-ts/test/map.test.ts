import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BpfMap, BpfObject, possibleCpus } from '../src/index.ts';
import { compile, scratch, skip } from './kernel.ts';

interface EveryMap {
  readonly maps: {
    readonly hash: { readonly key: number; readonly value: { readonly a: number; readonly b: bigint } };
    readonly array: { readonly key: number; readonly value: { readonly low: number; readonly high: number } };
    readonly mapped: { readonly key: number; readonly value: bigint };
    readonly percpu_array: { readonly key: number; readonly value: readonly number[] };
    readonly percpu_hash: { readonly key: number; readonly value: readonly bigint[] };
    readonly lru: { readonly key: bigint; readonly value: number };
    readonly lpm: {
      readonly key: { readonly prefixlen: number; readonly address: Uint8Array };
      readonly value: number;
    };
    readonly outer: { readonly key: number; readonly value: Uint8Array };
  };
  readonly globals: { answer: number };
  readonly program: 'count';
}

describe('maps on the running kernel', { skip }, () => {
  let directory: ReturnType<typeof scratch>;
  let object: BpfObject<EveryMap>;

  before(() => {
    directory = scratch();
    object = BpfObject.open<EveryMap>(compile('every-map', directory.path)).load();
  });
  after(() => {
    object[Symbol.dispose]();
    directory[Symbol.dispose]();
  });

  test('hash: entries can be written, read, taken and deleted', () => {
    const map = object.map('hash');
    map.set(1, { a: 7, b: 2n ** 64n - 1n });
    assert.deepEqual(map.get(1), { a: 7, b: 2n ** 64n - 1n });
    assert.equal(map.get(2), undefined);
    assert.throws(() => map.set(1, { a: 0, b: 0n }, 'create'), { code: 'ERR_BPF_MAP', errnoName: 'EEXIST' });
    assert.throws(() => map.set(2, { a: 0, b: 0n }, 'update'), { code: 'ERR_BPF_MAP', errnoName: 'ENOENT' });
    assert.deepEqual(map.take(1), { a: 7, b: 2n ** 64n - 1n });
    assert.equal(map.delete(1), false);
  });

  test('hash: all entries are read in batches, even if a bucket holds more than a batch', () => {
    const map = object.map('hash');
    const written = new Map(Array.from({ length: 3000 }, (_, key) => [key, { a: key, b: BigInt(key) }]));
    map.setAll(written);
    assert.deepEqual(new Map(map.entries()), written);
    let count = 0;
    for (const batch of map.batches({ size: 1 })) count += batch.count;
    assert.equal(count, 3000);
    map.deleteAll([1, 5000, 2]);
    assert.equal([...map.keys()].length, 2998);
    for (const batch of map.batches({ take: true })) count -= batch.count;
    assert.equal(count, 2);
    assert.deepEqual([...map.keys()], []);
  });

  test('hash: entries can be accessed as raw bytes, key by key', () => {
    const map = object.map('hash');
    const key = new Uint8Array(Uint32Array.of(9).buffer);
    const value = new Uint8Array(16).fill(3);
    map.update(key, value);
    const read = new Uint8Array(16);
    assert.equal(map.lookup(key, read), true);
    assert.deepEqual(read, value);
    const next = new Uint8Array(4);
    assert.equal(map.nextKey(null, next), true);
    assert.deepEqual(next, key);
    assert.equal(map.nextKey(key, next), false);
    assert.equal(map.remove(key), true);
    assert.throws(() => map.lookup(new Uint8Array(3), read), { code: 'ERR_BPF_USAGE' });
    assert.throws(() => map.lookup(key, new Uint8Array(15)), { code: 'ERR_BPF_USAGE' });
  });

  test('array: values with bit-fields are written and read, and every index exists', () => {
    const map = object.map('array');
    map.set(3, { low: 5, high: 2 ** 29 - 1 });
    assert.deepEqual(map.get(3), { low: 5, high: 2 ** 29 - 1 });
    assert.throws(() => map.set(3, { low: 8, high: 0 }), { code: 'ERR_BPF_USAGE' });
    assert.equal([...map.entries()].length, 8);
    assert.throws(() => map.set(8, { low: 0, high: 0 }), { code: 'ERR_BPF_MAP', errnoName: 'E2BIG' });
  });

  test('array: mapped memory is shared with the program', () => {
    using memory = object.map('mapped').memory();
    const values = new BigUint64Array(memory.buffer);
    const before = values[1]!;
    object.program('count').run();
    assert.equal(values[1], before + 5n);
    values[1] = 100n;
    assert.equal(object.map('mapped').get(1), 100n);
    memory[Symbol.dispose]();
    assert.equal(values.length, 0);
    assert.throws(() => object.map('array').memory(), { code: 'ERR_BPF_USAGE' });
  });

  test('per-CPU maps: an entry has one value per possible CPU, by key and in batches', () => {
    const cpus = possibleCpus();
    const numbers = Array.from({ length: cpus }, (_, cpu) => cpu + 10);
    const array = object.map('percpu_array');
    array.set(2, numbers);
    assert.deepEqual(array.get(2), numbers);
    assert.throws(() => array.set(2, [1, 2, 3, 4, 5].slice(0, cpus - 1)), { code: 'ERR_BPF_USAGE' });
    const hash = object.map('percpu_hash');
    const entries = new Map([1, 2, 3].map((key) => [key, numbers.map((value) => BigInt(value * key))]));
    hash.setAll(entries);
    assert.deepEqual(new Map(hash.entries()), entries);
    assert.deepEqual([...array.entries()][2], [2, numbers]);
  });

  test('per-CPU array: reads the counter that the program incremented', () => {
    const sum = (values: readonly number[] | undefined): number =>
      values?.reduce((total, value) => total + value, 0) ?? -1;
    const before = sum(object.map('percpu_array').get(1));
    object.program('count').run();
    assert.equal(sum(object.map('percpu_array').get(1)), before + 1);
  });

  test('LRU hash: accepts entries beyond its size by evicting others', () => {
    const map = object.map('lru');
    for (let key = 0n; key < 500n; key++) map.set(key, Number(key));
    const entries = [...map.entries()];
    assert.ok(entries.length > 0 && entries.length <= 64);
    for (const [key, value] of entries) assert.equal(BigInt(value), key);
  });

  test('LPM trie: the longest prefix wins', () => {
    const map = object.map('lpm');
    const address = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
    map.set({ prefixlen: 8, address: address(10, 0, 0, 0) }, 8);
    map.set({ prefixlen: 24, address: address(10, 1, 2, 0) }, 24);
    assert.equal(map.get({ prefixlen: 32, address: address(10, 1, 2, 3) }), 24);
    assert.equal(map.get({ prefixlen: 32, address: address(10, 9, 9, 9) }), 8);
    assert.equal(map.get({ prefixlen: 32, address: address(11, 0, 0, 1) }), undefined);
    assert.deepEqual([...map.entries()].map(([key, value]) => [key.prefixlen, value]).sort(), [
      [24, 24],
      [8, 8],
    ]);
    map.deleteAll([{ prefixlen: 8, address: address(10, 0, 0, 0) }]);
    assert.equal([...map.keys()].length, 1);
  });

  test('a frozen map can be read, and cannot be written by a call or mapped for writing, nor frozen while it is', () => {
    using map = BpfMap.create({
      type: 'array',
      name: 'frozen',
      keySize: 4,
      valueSize: 4,
      maxEntries: 1,
      flags: 1 << 10,
    });
    const key = Uint8Array.of(0, 0, 0, 0);
    map.update(key, Uint8Array.of(1, 0, 0, 0));
    {
      using _writable = map.memory();
      assert.throws(() => map.freeze(), { code: 'ERR_BPF_MAP', errnoName: 'EBUSY' });
    }
    assert.equal(map.frozen, false);
    map.freeze();
    map.freeze();
    assert.equal(map.frozen, true);
    assert.throws(() => map.update(key, Uint8Array.of(2, 0, 0, 0)), { code: 'ERR_BPF_MAP', errnoName: 'EPERM' });
    assert.throws(() => map.memory(), { errnoName: 'EPERM' });
    using memory = map.memory({ writable: false });
    assert.equal(new Uint32Array(memory.buffer)[0], 1);
  });

  test('hash of maps: an inner map can be written and opened again', () => {
    const outer = object.map('outer');
    using inner = BpfMap.create({ type: 'hash', name: 'inner', keySize: 4, valueSize: 4, maxEntries: 16 });
    outer.setInner(1, inner);
    inner.update(Uint8Array.of(1, 0, 0, 0), Uint8Array.of(2, 0, 0, 0));
    using found = outer.inner<Uint8Array, Uint8Array>(1);
    assert.deepEqual(found?.get(Uint8Array.of(1, 0, 0, 0)), Uint8Array.of(2, 0, 0, 0));
    assert.equal(found?.info.id, inner.info.id);
    assert.equal(outer.inner(2), undefined);
    assert.equal(outer.delete(1), true);
  });

  test('a key or value that does not fit its type is refused instead of truncated', () => {
    const map = object.map('hash');
    assert.throws(() => map.get(2 ** 32), { code: 'ERR_BPF_USAGE' });
    assert.throws(() => map.get(1.5), { code: 'ERR_BPF_USAGE' });
    assert.throws(() => map.set(1, { a: 2 ** 33, b: 0n }), { code: 'ERR_BPF_USAGE' });
    assert.throws(() => map.set(1, { a: 1, b: 0n, c: 1 } as never), { code: 'ERR_BPF_USAGE' });
    assert.throws(() => map.ringBuffer(), { code: 'ERR_BPF_USAGE' });
    assert.throws(() => BpfMap.create({ type: 'nope', name: 'x', keySize: 4, valueSize: 4, maxEntries: 1 }), {
      code: 'ERR_BPF_USAGE',
    });
    assert.throws(() => object.map('nope' as 'hash'), { code: 'ERR_BPF_NOT_FOUND' });
  });

  test('using a disposed map throws', () => {
    const map = BpfMap.create({ type: 'array', name: 'gone', keySize: 4, valueSize: 4, maxEntries: 1 });
    map[Symbol.dispose]();
    map[Symbol.dispose]();
    assert.throws(() => map.get(new Uint8Array(4)), { code: 'ERR_BPF_DISPOSED' });
  });
});
