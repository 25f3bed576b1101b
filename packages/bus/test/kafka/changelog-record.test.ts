import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeStamp, Fold, POSITION_KEY, positionRecord, stateKey } from '../../src/kafka/changelog-record.ts';

const stamp = (epoch: number, sequence = 1) => ({ epoch, writer: '0123456789abcdef', sequence });
const START = { offset: 0, index: 0 };

function fold(...records: readonly { key: Buffer; value: Buffer | null; header: Buffer | null }[]): Fold {
  const result = new Fold();
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
    const hostile = { ...positionRecord(stamp(1, 2), new Map()), value: Buffer.from(value) };
    const kept = fold(
      positionRecord(stamp(1), new Map([['in', 5]])),
      hostile as typeof hostile & { key: Buffer; header: Buffer },
    );
    const isObject = value.startsWith('{"');
    assert.deepEqual([...kept.positions], isObject ? [] : [['in', 5]], JSON.stringify(value));
    assert.equal(kept.foreign, isObject ? 0 : 1);
    assert.deepEqual([...kept.shadowed], isObject ? [] : [POSITION_KEY]);
  }
});
