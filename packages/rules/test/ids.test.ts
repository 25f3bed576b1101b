import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Ids } from '../src/state/ids.ts';

const digits = fc.stringMatching(/^[0-9]{0,25}$/);
const front = fc.oneof(fc.constantFrom('', 'host/boot/7/0/3/', 'host/boot/7/0/4/', '0', '-', '\ud800'), fc.string());
const id = fc.oneof(
  fc.tuple(front, digits).map((parts) => parts.join('')),
  fc.tuple(front, fc.nat()).map((parts) => parts.join('')),
  fc.string({ unit: 'binary' }),
);

describe('ids of events', () => {
  test('are given back as they were, whatever they are, and leave nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(id, fc.nat(9)), { maxLength: 60, size: 'max' }), (all) => {
        const ids = new Ids();
        const words = new Int32Array(20);
        const kept: (string | undefined)[] = [];
        for (const [text, place] of all) {
          if (kept[place] !== undefined) ids.drop(words, 2 * place);
          ids.put(words, 2 * place, text);
          kept[place] = text;
          for (const [other, wanted] of kept.entries())
            if (wanted !== undefined) assert.equal(ids.get(words, 2 * other), wanted);
        }
        for (const [place, text] of kept.entries()) if (text !== undefined) ids.drop(words, 2 * place);
        assert.equal(ids.kept, 0);
      }),
      { numRuns: 1000 },
    );
  });

  test('that differ by their number share what is in front of it', () => {
    const ids = new Ids();
    const words = new Int32Array(2);
    for (const number of ['0', '7', '10', '999999999', '4294967295']) ids.put(words, 0, `host/boot/run/0/3/${number}`);
    assert.equal(ids.get(words, 0), 'host/boot/run/0/3/4294967295');
    assert.equal(ids.kept, 2, 'the last has a digit too much');
  });
});
