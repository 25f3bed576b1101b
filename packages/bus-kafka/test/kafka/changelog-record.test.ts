import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { encodeStamp, Fold, POSITION_KEY, positionRecord, stateKey } from '../../src/kafka/changelog-record.ts';
import { Seal } from '../../src/kafka/changelog-seal.ts';
import type { WireRecord } from '../../src/kafka/wire.ts';

const stamp = (epoch: number, sequence = 1) => ({ epoch, writer: '0123456789abcdef', sequence });
const START = { offset: 0, index: 0 };
const PLACE = { topic: 't', partition: 0 };
const open = new Seal(null, PLACE);

function fold(...records: readonly WireRecord[]): Fold {
  return foldOf(open, records);
}

function foldOf(seal: Seal, records: readonly WireRecord[]): Fold {
  const result = new Fold(seal);
  for (const [offset, record] of records.entries()) result.add({ ...record, offset, timestampMs: 0 });
  return result;
}

const entry = (value: string, header: Buffer | null) => ({
  key: Buffer.from(stateKey('s', 'k')),
  value: Buffer.from(value),
  header,
});

test('what was written under an earlier epoch, or by nobody of ours, does not count', () => {
  const kept = fold(
    entry('first', encodeStamp(stamp(1), START)),
    entry('second', encodeStamp(stamp(2), START)),
    entry('late', encodeStamp(stamp(1, 2), START)),
    entry('stranger', null),
    entry('short', Buffer.from('no stamp')),
  );
  assert.equal(kept.entries.get(stateKey('s', 'k'))?.value.toString(), 'second');
  assert.equal(kept.foreign, 3);
  assert.deepEqual([...kept.shadowed], [stateKey('s', 'k')]);
});

test('a position that no consumer wrote leaves the one before it, and ends nobody’s start', () => {
  for (const value of ['', 'null', '7', '{', '{"in":-1}', '{"in":"x"}', '\u0000'.repeat(100)]) {
    const hostile = { ...positionRecord(open, stamp(1, 2), new Map()), value: Buffer.from(value) };
    const kept = fold(positionRecord(open, stamp(1), new Map([['in', 5]])), hostile);
    const isObject = value.startsWith('{"');
    assert.deepEqual([...kept.positions], isObject ? [] : [['in', 5]], JSON.stringify(value));
    assert.equal(kept.foreign, isObject ? 0 : 1);
    assert.deepEqual([...kept.shadowed], isObject ? [] : [POSITION_KEY]);
  }
});

test('with a key, only what was sealed with it counts: no value, deletion, position or place of another can be planted', () => {
  const key = createSecretKey(randomBytes(32));
  const [seal, other] = [new Seal(key, PLACE), new Seal(createSecretKey(randomBytes(32)), PLACE)];
  const elsewhere = new Seal(key, { ...PLACE, partition: 1 });
  const [name, value] = [Buffer.from(stateKey('s', 'k')), Buffer.from('true')];
  const genuine = seal.record(name, value, stamp(1), START);
  const last = positionRecord(seal, stamp(1), new Map([['in', 5]]));
  const changed = (change: Partial<WireRecord>): WireRecord => ({ ...genuine, ...change });
  const bent = (at: number): Buffer => {
    const header = Buffer.from(genuine.header!);
    header[at]! ^= 1;
    return header;
  };
  const planted = [
    other.record(name, Buffer.from('false'), stamp(2), START),
    elsewhere.record(name, Buffer.from('false'), stamp(2), START),
    open.record(name, Buffer.from('false'), stamp(2), START),
    positionRecord(open, stamp(2), new Map([['in', 0]])),
    changed({ value: null }),
    changed({ value: Buffer.alloc(0) }),
    changed({ key: Buffer.from(stateKey('s', 'kt')), value: Buffer.from('rue') }),
    ...Array.from(genuine.header!.keys(), (at) => changed({ header: bent(at) })),
    changed({ header: genuine.header!.subarray(0, -1) }),
    changed({ header: null }),
  ];
  const kept = foldOf(seal, [genuine, last, ...planted]);
  assert.deepEqual([kept.foreign, kept.unsealed], [planted.length, planted.length]);
  assert.deepEqual(
    [...kept.entries].map(([at, entry]) => [at, String(entry.value)]),
    [[String(name), 'true']],
  );
  assert.deepEqual([...kept.positions], [['in', 5]]);
  assert.equal(kept.epoch, 1);
  assert.equal(foldOf(open, [genuine]).foreign, 1, 'a sealed record is not taken for an open one');
});
