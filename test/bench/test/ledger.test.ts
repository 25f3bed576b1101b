import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from '../lib/ledger.ts';

/** Returns the counters of lane 1 on one CPU, with `sequence` as its last number. */
const bulk = (sequence: number, drops: Record<string, number> = {}) => [{ lane: 1, cpu: 0, sequence, drops }];

function ledgerOf(sequences: readonly number[]): Ledger {
  const ledger = new Ledger();
  for (const sequence of sequences) ledger.event(1, 0, sequence);
  return ledger;
}

test('produced and stored events balance, in any order and for large sequence numbers', () => {
  const numbers = Array.from({ length: 700_000 }, (_, i) => 700_000 - i);
  const ledger = ledgerOf(numbers);
  ledger.counters(1, bulk(700_000));
  const { produced, stored, unexplained, duplicates } = ledger.account();
  assert.deepEqual([produced, stored, unexplained, duplicates], [700_000, 700_000, 0, 0]);
});

test('a counted loss explains missing events, and a gap event names them', () => {
  const ledger = ledgerOf([1, 2, 5]);
  ledger.gap(3, 4);
  ledger.counters(1, bulk(5, { ring_full: 2, self: 40 }));
  const { counted, named, unexplained } = ledger.account();
  assert.deepEqual({ counted, named, unexplained }, { counted: { ring_full: 2 }, named: 2, unexplained: 0 });
});

test('an uncounted loss is unexplained', () => {
  const ledger = ledgerOf([1, 2, 4]);
  ledger.counters(1, bulk(4));
  assert.equal(ledger.account().unexplained, 1);
});

test('a duplicate event does not hide a missing event', () => {
  const ledger = ledgerOf([1, 2, 2, 4]);
  ledger.counters(1, bulk(4));
  const { unexplained, duplicates } = ledger.account();
  assert.deepEqual([unexplained, duplicates], [1, 1]);
});

test('only the latest counters are used, and later events are not counted', () => {
  const ledger = ledgerOf([1, 2, 3, 4]);
  ledger.counters(2, bulk(3));
  ledger.counters(1, bulk(2));
  const { produced, stored, unexplained } = ledger.account();
  assert.deepEqual([produced, stored, unexplained], [3, 3, 0]);
});

test('each CPU of a lane is counted separately, and lanes of user space are not counted', () => {
  const ledger = ledgerOf([1]);
  ledger.event(1, 1, 1);
  ledger.event(0, 0, 1);
  ledger.counters(1, [
    { lane: 0, cpu: 0, sequence: 1, drops: {} },
    { lane: 1, cpu: 0, sequence: 1, drops: {} },
    { lane: 1, cpu: 1, sequence: 1, drops: {} },
    { lane: 16, cpu: 0, sequence: 9, drops: {} },
  ]);
  const { produced, stored } = ledger.account();
  assert.deepEqual([produced, stored], [3, 3]);
});
