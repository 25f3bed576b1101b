import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { KeyIndex } from '../src/state/key-index.ts';
import { HEAD, HELD, KeyRows } from '../src/state/key-rows.ts';
import { PackedText } from '../src/state/packed-text.ts';
import type { Windows } from '../src/state/windows.ts';

/** Rows with this hash, in order. */
function rowsOf(index: KeyIndex, hash: number): number[] {
  const rows: number[] = [];
  for (let slot = index.first(hash); slot !== -1; slot = index.next(slot, hash)) rows.push(index.rowIn(slot));
  return rows.sort((a, b) => a - b);
}

describe('the index of keys', () => {
  // Few hashes, at the end of the slots and at their beginning, so that all stand in each other's way.
  const hash = fc.oneof(fc.constantFrom(-1, -2, 0, 1, 15, 31, 0x7fffffff, -0x80000000), fc.integer());

  test('finds what was added and not deleted, whatever has the same hash', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(hash, fc.nat(3)), { maxLength: 200, size: 'max' }), (deeds) => {
        const index = new KeyIndex();
        const rows = new Map<number, number>();
        for (const [n, [of, deed]] of deeds.entries()) {
          const gone = deed === 0 ? [...rows.keys()][n % Math.max(rows.size, 1)] : undefined;
          if (gone === undefined) {
            index.add(of, n + 1);
            rows.set(n + 1, of);
          } else {
            index.delete(rows.get(gone)!, gone);
            rows.delete(gone);
          }
          const wanted = [...rows].filter(([, one]) => one === of).map(([row]) => row);
          assert.deepEqual(rowsOf(index, of), wanted);
        }
        for (const [row, one] of rows) assert.ok(rowsOf(index, one).includes(row));
      }),
      { numRuns: 100 },
    );
  });

  test('finds each of thousands with one hash, and nothing when they have gone', () => {
    const index = new KeyIndex();
    for (let row = 1; row <= 2000; row++) index.add(7, row);
    assert.equal(rowsOf(index, 7).length, 2000);
    assert.deepEqual(rowsOf(index, 8), []);
    for (let row = 1; row <= 2000; row++) index.delete(7, row);
    assert.deepEqual(rowsOf(index, 7), []);
  });
});

describe("a key's text", () => {
  test('has a hash that depends on every character and on the length', () => {
    const [one, other] = [new PackedText(), new PackedText()];
    const texts = ['', '\0', '\0\0', 'a', 'b', 'a\0', 'aaaa', 'aaaaa', 'ab', 'ba', 'ä', 'ā', '\ud800', 'x'.repeat(32)];
    for (let length = 33; length < 40; length++) texts.push('x'.repeat(length), `${'x'.repeat(length - 1)}\0`);
    assert.equal(new Set(texts.map((text) => one.set(text).hash)).size, texts.length);
    for (const text of texts) assert.equal(one.set(text).hash, other.set(text).hash);
  });

  test('spreads keys that are alike over all bits', () => {
    const text = new PackedText();
    for (const shift of [0, 8, 16, 21]) {
      const used = new Set<number>();
      for (let n = 0; n < 20_000; n++) used.add((text.set(`process ${n}`).hash >>> shift) & 0x7ff);
      // by chance none of them has one of these now and then
      assert.ok(used.size > 2000, `bits from ${shift} on: ${used.size}`);
    }
  });
});

describe('rows of keys', () => {
  const part = fc.constantFrom('', 'a', '\0', 'ÿ', 'Ā', '\ud83d', 'x'.repeat(15), 'x'.repeat(31), 'x'.repeat(300));
  const text = fc.tuple(part, part).map((parts) => parts.join(''));

  test('are found by their text alone, the oldest first, whatever has come and gone', () => {
    const deed = fc.tuple(text, fc.constantFrom('put', 'delete', 'renew'));
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 100, size: 'max' }), (deeds) => {
        const rows = new KeyRows(3);
        const wanted = new Map<string, { ordinal: number; windows: Windows }>();
        for (const [n, [key, what]] of deeds.entries()) {
          const row = rows.find(key);
          assert.equal(row !== 0, wanted.has(key));
          if (row === 0) {
            const windows: Windows = [{ step: 0, runs: 2, hits: [n] }];
            rows.put(key, n, n / 8, windows);
            wanted.set(key, { ordinal: n, windows });
          } else if (what === 'delete') {
            rows.delete(row);
            wanted.delete(key);
          } else if (what === 'renew') {
            rows.renew(row, n, n / 8);
            const { windows } = wanted.get(key)!;
            wanted.delete(key);
            wanted.set(key, { ordinal: n, windows });
          }
          const found: [string, { ordinal: number; windows: Windows }][] = [];
          for (let one = rows.oldest; one !== 0; one = rows.youngerThan(one)) {
            assert.equal(rows.find(rows.textOf(one)), one);
            assert.equal(rows.sinceOf(one), rows.ordinalOf(one) / 8);
            found.push([rows.textOf(one), { ordinal: rows.ordinalOf(one), windows: rows.windowsOf(one) }]);
          }
          assert.deepEqual(found, [...wanted]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('begin empty, though the last to have them left something', () => {
    const rows = new KeyRows(3);
    const [old] = ['p', 'q'].map((key) => rows.put(key, 0, 0, []));
    rows.words.fill(9, old! + HELD, old! + HEAD + 3);
    rows.setClosed(old!, 9);
    rows.delete(old!);
    const row = rows.put('r', 0, 0, []);
    assert.equal(row, old);
    assert.equal(rows.closedOf(row), Number.NEGATIVE_INFINITY);
    assert.equal(rows.textOf(row), 'r');
    assert.equal(
      rows.words.subarray(row + HELD, row + HEAD + 3).every((word) => word === 0),
      true,
    );
  });
});
