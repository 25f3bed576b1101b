import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const CODE = /ERR_BUS_[A-Z_]+/g;

test('every error code stands in the README, and no other', () => {
  const codesIn = (file: string): string[] => {
    const text = readFileSync(join(import.meta.dirname, '..', file), 'utf8');
    return [...new Set(text.match(CODE))].sort();
  };
  assert.deepEqual(codesIn('README.md'), codesIn('src/errors.ts'));
});
