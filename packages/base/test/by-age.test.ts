import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ByAge } from '../src/by-age.ts';

describe('a Map by age', () => {
  test('returns its entries in the order in which they were last set, whatever happens in between', () => {
    const step = fc.oneof(
      fc.nat(9).map((key) => ({ key, action: 'set' as const })),
      fc.nat(9).map((key) => ({ key, action: 'renew' as const })),
      fc.nat(9).map((key) => ({ key, action: 'delete' as const })),
      fc.constant({ key: 0, action: 'take' as const }),
      fc.constant({ key: 0, action: 'clear' as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const map = new ByAge<number, number>();
        const plain = new Map<number, number>();
        for (const [n, { key, action }] of steps.entries()) {
          if (action === 'take') {
            const [oldest] = plain;
            assert.deepEqual(map.takeOldest(), oldest);
            if (oldest !== undefined) plain.delete(oldest[0]);
          } else
            for (const target of [map, plain]) {
              if (action === 'clear') target.clear();
              if (action === 'delete' || action === 'renew') target.delete(key);
              if (action === 'set' || action === 'renew') target.set(key, n);
            }
          assert.deepEqual([...map], [...plain]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('walks over deleted entries only once, however many are deleted', () => {
    let walks = 0;
    class Counted extends ByAge<number, number> {
      override entries(): MapIterator<[number, number]> {
        walks++;
        return super.entries();
      }
    }
    const map = new Counted();
    for (let i = 0; i < 100_000; i++) map.set(i, i);
    for (let i = 0; i < 200_000; i++) {
      assert.equal(map.takeOldest()?.[0], i);
      map.set(100_000 + i, i);
    }
    assert.equal(walks, 1);
  });

  test('does not retain the tables that it has outgrown', () => {
    const map = new ByAge<number, number>();
    for (let i = 0; i < 100; i++) map.set(i, i);
    map.takeOldest();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 3_000_000; i++) {
      const key = 1 + (i % 99);
      map.delete(key);
      map.set(key, i);
    }
    // An iterator that retained them would hold 180 MB.
    assert.ok(process.memoryUsage().heapUsed - before < 60e6);
  });
});
