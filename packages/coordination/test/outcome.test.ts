import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoff } from '../src/outcome.ts';

test('a pause doubles with each attempt, up to 4 s; one that begins longer stays as it is', () => {
  assert.deepEqual(
    [1, 2, 3, 5, 6, 30, 1000].map((attempt) => backoff(250, attempt)),
    [250, 500, 1000, 4000, 4000, 4000, 4000],
  );
  assert.equal(backoff(10_000, 3), 10_000);
});
