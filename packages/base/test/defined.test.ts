import assert from 'node:assert/strict';
import test from 'node:test';
import { defined } from '../src/defined.ts';

test('undefined values are omitted, and other falsy values are kept', () => {
  const values: { a?: number; b?: string; c?: null; d?: boolean } = defined({
    a: 0,
    b: '' as string | undefined,
    c: null,
    d: undefined,
  });
  assert.deepEqual(values, { a: 0, b: '', c: null });
  assert.ok(!('d' in values));
});
