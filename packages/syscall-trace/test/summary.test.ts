import assert from 'node:assert/strict';
import test from 'node:test';
import { summaryTable } from '../src/summary.ts';

test('a summary without calls is a table with a total', () => {
  assert.match(summaryTable([]), /^% time .*\n +0\.00 +0\.000000 +0 +0 +total$/);
});
