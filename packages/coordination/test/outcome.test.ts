import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoff } from '../src/outcome.ts';

test('the backoff doubles with each attempt up to 4 s, and a longer initial backoff stays constant', () => {
  assert.deepEqual(
    [1, 2, 3, 5, 6, 30, 1000].map((attempt) => backoff(250, attempt)),
    [250, 500, 1000, 4000, 4000, 4000, 4000],
  );
  assert.equal(backoff(10_000, 3), 10_000);
});
