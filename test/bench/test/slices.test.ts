import assert from 'node:assert/strict';
import { test } from 'node:test';
import { medianOf, ratios } from '../lib/slices.ts';

test('a steady drift between the slices does not count as a cost', () => {
  const bare = [100, 110, 120, 130];
  assert.deepEqual(ratios([105, 115, 125], bare), [1, 1, 1]);
  assert.deepEqual(ratios([210, 115, 125], bare), [2, 1, 1]);
});

test('the interval of a median misses it in at most one of twenty cases', () => {
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => count - i);
  assert.deepEqual(medianOf(numbers(3)), { median: 2, from: 1, to: 3 });
  assert.deepEqual(medianOf(numbers(6)), { median: 3, from: 1, to: 6 });
  assert.deepEqual(medianOf(numbers(9)), { median: 5, from: 2, to: 8 });
  assert.deepEqual(medianOf(numbers(20)), { median: 10, from: 6, to: 15 });
});
