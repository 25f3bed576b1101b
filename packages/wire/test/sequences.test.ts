import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SequenceTracker } from '../src/batch/sequences.ts';

test('each number is new once, in any order of arrival', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 400 }), (numbers) => {
      const seen = new Set<number>();
      let tracker = new SequenceTracker();
      for (const number of numbers) {
        assert.equal(tracker.see(number, 0), !seen.has(number));
        seen.add(number);
        if (number % 7 === 0) tracker = new SequenceTracker(tracker.state);
      }
      const missing = tracker
        .takeLost(100)
        .flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
      const most = Math.max(0, ...numbers);
      const expected = Array.from({ length: most }, (_, i) => i + 1).filter((number) => !seen.has(number));
      assert.deepEqual(
        missing.sort((a, b) => a - b),
        expected,
      );
      assert.deepEqual(tracker.takeLost(100), [], 'each hole is reported once');
    }),
  );
});

test('a hole is lost at the second next tick, and later if only a counter announced its numbers', () => {
  const tracker = new SequenceTracker();
  tracker.see(3, 10);
  tracker.announce(5, 10);
  assert.deepEqual(tracker.takeLost(11), []);
  assert.deepEqual(
    tracker.takeLost(12).map(({ from, to }) => [from, to]),
    [[1, 2]],
  );
  assert.deepEqual(tracker.takeLost(14), []);
  assert.deepEqual(
    tracker.takeLost(15).map(({ from, to }) => [from, to]),
    [[4, 5]],
  );
  assert.equal(tracker.see(4, 16), true, 'a late record is still new');
  assert.equal(tracker.see(4, 16), false);
});

test('a later record of the same lane shortens the wait for earlier ones', () => {
  const tracker = new SequenceTracker();
  tracker.announce(5, 0);
  tracker.see(4, 1);
  assert.deepEqual(
    tracker.takeLost(3).map(({ from, to }) => [from, to]),
    [[1, 3]],
  );
});

test('the number of holes is bounded', () => {
  const tracker = new SequenceTracker();
  for (let i = 1; i < 100_000; i += 2) tracker.see(i, 0);
  assert.ok(tracker.state.holes.length <= 4096);
  tracker.takeLost(9);
  assert.ok(tracker.state.holes.length <= 64);
});
