import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { guardSource } from '../src/source.ts';

describe('a failing source', () => {
  it('is reported once per message, and its error does not reach the caller', () => {
    const errors: string[] = [];
    const broken = {
      name: 'broken',
      start: () => undefined,
      tick: () => {
        throw new Error('no');
      },
      close: () => undefined,
    };
    const source = guardSource(broken, (name, error) => errors.push(`${name}: ${error.message}`));
    source.tick();
    source.tick();
    assert.deepEqual(errors, ['broken: no']);
  });
});
