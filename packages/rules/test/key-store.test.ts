import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyStore, type StoreOptions } from '../src/state/key-store.ts';

interface Value {
  newest: number;
}

function createStore(limits: Partial<StoreOptions> = {}): KeyStore<Value> {
  const type = { make: () => ({ newest: 0 }), encode: () => new Uint8Array(), decode: () => ({ newest: 0 }) };
  return new KeyStore<Value>(type, { keysPerRule: 2, keys: 3, ...limits });
}

const keysOf = (store: KeyStore<Value>): Record<string, string[]> =>
  Object.fromEntries([...store.rules()].map(([name, values]) => [name, [...values.keys()]]));

test('a rule whose last key is deleted or evicted leaves nothing behind', () => {
  const store = createStore();
  store.touch('deleted', 'a', 1);
  store.delete('deleted', 'a');
  assert.deepEqual(keysOf(store), {});
  store.touch('ahead', 'a', 2).newest = Number.MAX_SAFE_INTEGER;
  store.touch('ahead', 'a', Number.MAX_SAFE_INTEGER);
  store.settle(3);
  assert.deepEqual([keysOf(store), store.size, store.evicted], [{}, 0, 1]);
});

test('a rule with a limit of one key keeps the most recently used one', () => {
  const store = createStore({ keysPerRule: 1 });
  for (const key of ['a', 'b', 'c']) store.touch('r', key, 1);
  assert.deepEqual([keysOf(store), store.size, store.evicted], [{ r: ['c'] }, 1, 2]);
});

test('over the total limit the largest rule loses its key, even if it has only one', () => {
  const store = createStore({ keys: 1 });
  store.touch('r', 'a', 1);
  store.touch('s', 'a', 2);
  store.touch('s', 'b', 3);
  assert.deepEqual([keysOf(store), store.size, store.evicted], [{ s: ['b'] }, 1, 2]);
});
