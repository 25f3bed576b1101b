import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KIND } from '@ringfence/wire';
import { ALL_KINDS, hasKind, KindSet, kindBit } from '../src/kind-bits.ts';

test('every kind has a bit of its own, those beyond the 31st too', () => {
  const kinds = Object.values(KIND);
  for (const kind of kinds) {
    const set = new KindSet();
    set.add(kind);
    assert.equal(set.bits, kindBit(kind));
    assert.deepEqual(
      kinds.filter((other) => hasKind(set.bits, other)),
      [kind],
    );
    assert.ok(hasKind(ALL_KINDS, kind));
  }
});
