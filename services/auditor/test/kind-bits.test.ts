import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KIND } from '@ringfence/wire';
import { ALL_KINDS, hasKind, KindSet, kindBit } from '../src/kind-bits.ts';

test('every kind has its own bit, also above bit 31', () => {
  const kinds = Object.values(KIND);
  for (const kind of kinds) {
    const set = new KindSet();
    set.add(kind);
    assert.equal(set.bits, kindBit(kind));
    assert.deepEqual(
      kinds.filter((candidate) => hasKind(set.bits, candidate)),
      [kind],
    );
    assert.ok(hasKind(ALL_KINDS, kind));
  }
});
