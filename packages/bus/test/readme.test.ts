import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');

test('every error code stands in the README, and no other', () => {
  const codesIn = (files: readonly string[], code: RegExp): string[] => {
    const text = files.map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n');
    return [...new Set(Array.from(text.matchAll(code), ([, found = '']) => found))].sort();
  };
  const sources = globSync('src/**/*.ts', { cwd: ROOT });
  assert.ok(sources.length > 10);
  assert.deepEqual(codesIn(['README.md'], /`(ERR_[A-Z_]+)`/g), codesIn(sources, /'(ERR_[A-Z_]+)'/g));
});
