import assert from 'node:assert/strict';
import test from 'node:test';
import { GracePeriod } from '../src/grace-period.ts';

test('a name is within its grace period from its first call on, and not afterwards', () => {
  let now = 0;
  const period = new GracePeriod({ graceMs: 3000, now: () => now });
  assert.equal(period.isWithin('a'), true);
  now = 2999;
  assert.equal(period.isWithin('a'), true);
  now = 3000;
  assert.equal(period.isWithin('a'), false);
});

test('only a few names get a grace period within a minute', () => {
  let now = 0;
  const period = new GracePeriod({ graceMs: 3000, perMinute: 2, now: () => now });
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => period.isWithin(name)),
    [true, true, false],
  );
  now = 60_000;
  assert.equal(period.isWithin('c'), true);
});

test('a grace period of 0 ms is never granted', () => {
  assert.equal(new GracePeriod({ graceMs: 0 }).isWithin('a'), false);
});
