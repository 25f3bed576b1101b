import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { EventIds } from '../src/event-ids.ts';

const digits = fc.stringMatching(/^[0-9]{0,25}$/);
const prefix = fc.oneof(fc.constantFrom('', 'host/boot/7/0/3/', 'host/boot/7/0/4/', '0', '-', '\ud800'), fc.string());
const id = fc.oneof(
  fc.tuple(prefix, digits).map((parts) => parts.join('')),
  fc.tuple(prefix, fc.nat()).map((parts) => parts.join('')),
  fc.string({ unit: 'binary' }),
);

describe('event ids', () => {
  test('come back unchanged whatever their text, and leave no prefix behind', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(id, fc.nat(9)), { maxLength: 60, size: 'max' }), (entries) => {
        const ids = new EventIds();
        const words = new Int32Array(20);
        const stored: (string | undefined)[] = [];
        for (const [text, slot] of entries) {
          if (stored[slot] !== undefined) ids.release(words, 2 * slot);
          ids.put(words, 2 * slot, text);
          stored[slot] = text;
          for (const [index, expected] of stored.entries())
            if (expected !== undefined) assert.equal(ids.get(words, 2 * index), expected);
        }
        for (const [slot, text] of stored.entries()) if (text !== undefined) ids.release(words, 2 * slot);
        assert.equal(ids.stored, 0);
      }),
      { numRuns: 1000 },
    );
  });

  test('share their prefix if they differ only by their number', () => {
    const ids = new EventIds();
    const words = new Int32Array(2);
    for (const number of ['0', '7', '10', '999999999', '4294967295']) ids.put(words, 0, `host/boot/run/0/3/${number}`);
    assert.equal(ids.get(words, 0), 'host/boot/run/0/3/4294967295');
    assert.equal(ids.stored, 2, 'the last number has more digits than a word holds');
  });
});
