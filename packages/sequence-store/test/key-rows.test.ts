import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type EventRow, type KeyRow, NO_KEY } from '../src/handles.ts';
import { KeyIndex } from '../src/key-index.ts';
import { HEAD, HELD, KeyRows } from '../src/key-rows.ts';
import { PackedText } from '../src/packed-text.ts';
import type { RunWindows } from '../src/run-windows.ts';

/** Returns the rows with this hash, in order. */
function rowsOf(index: KeyIndex, hash: number): KeyRow[] {
  const rows: KeyRow[] = [];
  for (let slot = index.first(hash); slot !== -1; slot = index.next(slot, hash)) rows.push(index.rowIn(slot));
  return rows.sort((a, b) => a - b);
}

describe('the key index', () => {
  // Few hashes, at both ends of the table, so that the entries collide.
  const hash = fc.oneof(fc.constantFrom(-1, -2, 0, 1, 15, 31, 0x7fffffff, -0x80000000), fc.integer());

  test('finds exactly the rows that were added and not deleted, despite equal hashes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(hash, fc.nat(3)), { maxLength: 200, size: 'max' }), (actions) => {
        const index = new KeyIndex();
        const hashes = new Map<KeyRow, number>();
        for (const [n, [hash, action]] of actions.entries()) {
          const deleted = action === 0 ? [...hashes.keys()][n % Math.max(hashes.size, 1)] : undefined;
          if (deleted === undefined) {
            const row = (n + 1) as KeyRow;
            index.add(hash, row);
            hashes.set(row, hash);
          } else {
            index.delete(hashes.get(deleted)!, deleted);
            hashes.delete(deleted);
          }
          const expected = [...hashes].filter(([, stored]) => stored === hash).map(([row]) => row);
          assert.deepEqual(rowsOf(index, hash), expected);
        }
        for (const [row, hash] of hashes) assert.ok(rowsOf(index, hash).includes(row));
      }),
      { numRuns: 100 },
    );
  });

  test('finds each of thousands of rows with one hash, and none after they are deleted', () => {
    const index = new KeyIndex();
    for (let row = 1; row <= 2000; row++) index.add(7, row as KeyRow);
    assert.equal(rowsOf(index, 7).length, 2000);
    assert.deepEqual(rowsOf(index, 8), []);
    for (let row = 1; row <= 2000; row++) index.delete(7, row as KeyRow);
    assert.deepEqual(rowsOf(index, 7), []);
  });
});

describe('the hash of a key', () => {
  test('depends on every character and on the length', () => {
    const [first, second] = [new PackedText(), new PackedText()];
    const texts = ['', '\0', '\0\0', 'a', 'b', 'a\0', 'aaaa', 'aaaaa', 'ab', 'ba', 'ä', 'ā', '\ud800', 'x'.repeat(32)];
    for (let length = 33; length < 40; length++) texts.push('x'.repeat(length), `${'x'.repeat(length - 1)}\0`);
    assert.equal(new Set(texts.map((text) => first.set(text).hash)).size, texts.length);
    for (const text of texts) assert.equal(first.set(text).hash, second.set(text).hash);
  });

  test('spreads similar keys over all bits', () => {
    const text = new PackedText();
    for (const shift of [0, 8, 16, 21]) {
      const used = new Set<number>();
      for (let n = 0; n < 20_000; n++) used.add((text.set(`process ${n}`).hash >>> shift) & 0x7ff);
      // A few of the 2,048 values may be missing by chance.
      assert.ok(used.size > 2000, `bits from ${shift} on: ${used.size}`);
    }
  });
});

describe('key rows', () => {
  const part = fc.constantFrom('', 'a', '\0', 'ÿ', 'Ā', '\ud83d', 'x'.repeat(15), 'x'.repeat(31), 'x'.repeat(300));
  const text = fc.tuple(part, part).map((parts) => parts.join(''));

  test('are found by their text and listed oldest first after any insertions and deletions', () => {
    const action = fc.tuple(text, fc.constantFrom('put', 'delete', 'renew'));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 100, size: 'max' }), (actions) => {
        const rows = new KeyRows(3);
        const expected = new Map<string, { ordinal: number; windows: RunWindows }>();
        for (const [n, [key, action]] of actions.entries()) {
          const row = rows.find(key);
          assert.equal(row !== NO_KEY, expected.has(key));
          if (row === NO_KEY) {
            const windows: RunWindows = [{ step: 0, runs: 2, events: [n as EventRow] }];
            rows.insert(key, n, n / 8, windows);
            expected.set(key, { ordinal: n, windows });
          } else if (action === 'delete') {
            rows.delete(row);
            expected.delete(key);
          } else if (action === 'renew') {
            rows.renew(row, n, n / 8);
            const { windows } = expected.get(key)!;
            expected.delete(key);
            expected.set(key, { ordinal: n, windows });
          }
          const found: [string, { ordinal: number; windows: RunWindows }][] = [];
          for (let stored = rows.oldest; stored !== NO_KEY; stored = rows.youngerThan(stored)) {
            assert.equal(rows.find(rows.textOf(stored)), stored);
            assert.equal(rows.sinceOf(stored), rows.ordinalOf(stored) / 8);
            found.push([rows.textOf(stored), { ordinal: rows.ordinalOf(stored), windows: rows.windowsOf(stored) }]);
          }
          assert.deepEqual(found, [...expected]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('start empty although the previous key of the row left values in it', () => {
    const rows = new KeyRows(3);
    const [old] = ['p', 'q'].map((key) => rows.insert(key, 0, 0, []));
    rows.words.fill(9, old! + HELD, old! + HEAD + 3);
    rows.setClosed(old!, 9);
    rows.delete(old!);
    const row = rows.insert('r', 0, 0, []);
    assert.equal(row, old);
    assert.equal(rows.closedOf(row), Number.NEGATIVE_INFINITY);
    assert.equal(rows.textOf(row), 'r');
    assert.equal(
      rows.words.subarray(row + HELD, row + HEAD + 3).every((word) => word === 0),
      true,
    );
  });
});
