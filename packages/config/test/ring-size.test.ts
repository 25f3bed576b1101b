import assert from 'node:assert/strict';
import { test } from 'node:test';
import { autoRingBytes } from '../src/setting.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

test('a ring is about a 512th of the memory, a power of two, and within bounds', () => {
  const sizes = [0.5, 2, 4, 7.7, 16, 24, 1024].map((gib) => autoRingBytes(gib * GIB) / MIB);
  assert.deepEqual(sizes, [4, 4, 8, 16, 32, 32, 32]);
});
