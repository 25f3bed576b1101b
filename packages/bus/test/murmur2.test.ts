import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { murmur2, partitionOf } from '../src/murmur2.ts';

describe('the partitioner of Kafka', () => {
  // Test vectors of Kafka's own clients.
  for (const [text, hash] of [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ] as const) {
    test(`murmur2 of "${text}" is ${hash}`, () => {
      assert.equal(murmur2(Buffer.from(text)), hash);
      assert.equal(partitionOf(text, 12), (hash & 0x7fffffff) % 12);
    });
  }

  test('a key of any length has one partition, the same each time', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 3000 }),
        fc.integer({ min: 1, max: 256 }),
        (key, partitions) => {
          const partition = partitionOf(key, partitions);
          assert.ok(partition >= 0 && partition < partitions);
          assert.equal(partition, (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions);
        },
      ),
    );
  });
});
