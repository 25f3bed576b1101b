import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { POSITION_KEY, positionRecord, stateKey } from '../src/changelog/keys.ts';
import { RestoredState } from '../src/changelog/restored-state.ts';
import { Seal } from '../src/changelog/seal.ts';
import { encodeStamp } from '../src/changelog/stamp.ts';
import type { WireRecord } from '../src/client/records.ts';

const stamp = (epoch: number, sequence = 1) => ({ epoch, writer: '0123456789abcdef', sequence });
const START = { offset: 0, index: 0 };
const PARTITION = { topic: 't', partition: 0 };
const unsealed = new Seal(null, PARTITION);

function restore(seal: Seal, records: readonly WireRecord[]): RestoredState {
  const state = new RestoredState(seal);
  for (const [offset, record] of records.entries()) state.add({ ...record, offset, timestampMs: 0 });
  return state;
}

const entry = (value: string, header: Buffer | null) => ({
  key: Buffer.from(stateKey('s', 'k')),
  value: Buffer.from(value),
  header,
});

test('records of an earlier epoch and records without a stamp are ignored', () => {
  const state = restore(unsealed, [
    entry('first', encodeStamp(stamp(1), START)),
    entry('second', encodeStamp(stamp(2), START)),
    entry('late', encodeStamp(stamp(1, 2), START)),
    entry('foreign', null),
    entry('short', Buffer.from('no stamp')),
  ]);
  assert.equal(state.entries.get(stateKey('s', 'k'))?.value.toString(), 'second');
  assert.equal(state.foreign, 3);
  assert.deepEqual([...state.shadowed], [stateKey('s', 'k')]);
});

test('a malformed position does not replace the previous position, and does not throw', () => {
  for (const value of ['', 'null', '7', '{', '{"in":-1}', '{"in":"x"}', '\u0000'.repeat(100)]) {
    const hostile = { ...positionRecord(unsealed, stamp(1, 2), new Map()), value: Buffer.from(value) };
    const state = restore(unsealed, [positionRecord(unsealed, stamp(1), new Map([['in', 5]])), hostile]);
    const isObject = value.startsWith('{"');
    assert.deepEqual([...state.positions], isObject ? [] : [['in', 5]], JSON.stringify(value));
    assert.equal(state.foreign, isObject ? 0 : 1);
    assert.deepEqual([...state.shadowed], isObject ? [] : [POSITION_KEY]);
  }
});

test('with a key, records without a valid seal are ignored: values, deletions, positions, and other partitions', () => {
  const key = createSecretKey(randomBytes(32));
  const seal = new Seal(key, PARTITION);
  const wrongKey = new Seal(createSecretKey(randomBytes(32)), PARTITION);
  const wrongPartition = new Seal(key, { ...PARTITION, partition: 1 });
  const [name, value] = [Buffer.from(stateKey('s', 'k')), Buffer.from('true')];
  const genuine = seal.record(name, value, stamp(1), START);
  const last = positionRecord(seal, stamp(1), new Map([['in', 5]]));
  const changed = (change: Partial<WireRecord>): WireRecord => ({ ...genuine, ...change });
  const flipBit = (at: number): Buffer => {
    const header = Buffer.from(genuine.header!);
    header[at]! ^= 1;
    return header;
  };
  const planted = [
    wrongKey.record(name, Buffer.from('false'), stamp(2), START),
    wrongPartition.record(name, Buffer.from('false'), stamp(2), START),
    unsealed.record(name, Buffer.from('false'), stamp(2), START),
    positionRecord(unsealed, stamp(2), new Map([['in', 0]])),
    changed({ value: null }),
    changed({ value: Buffer.alloc(0) }),
    changed({ key: Buffer.from(stateKey('s', 'kt')), value: Buffer.from('rue') }),
    ...Array.from(genuine.header!.keys(), (at) => changed({ header: flipBit(at) })),
    changed({ header: genuine.header!.subarray(0, -1) }),
    changed({ header: null }),
  ];
  const state = restore(seal, [genuine, last, ...planted]);
  assert.deepEqual([state.foreign, state.unsealed], [planted.length, planted.length]);
  assert.deepEqual(
    [...state.entries].map(([stored, { value: storedValue }]) => [stored, String(storedValue)]),
    [[String(name), 'true']],
  );
  assert.deepEqual([...state.positions], [['in', 5]]);
  assert.equal(state.epoch, 1);
  assert.equal(restore(unsealed, [genuine]).foreign, 1, 'without a key, a sealed record is ignored');
});
