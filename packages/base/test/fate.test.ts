import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fateOf } from '../src/index.ts';

class FatedError extends Error {
  readonly fate: string;
  constructor(fate: string) {
    super(`this is ${fate}`);
    this.fate = fate;
  }
}

test('the fate of an error is its property fate; any other error is fatal', () => {
  assert.equal(fateOf(new FatedError('retriable')), 'retriable');
  assert.equal(fateOf(new FatedError('poison')), 'poison');
  assert.equal(fateOf(new FatedError('karma')), 'fatal');
  assert.equal(fateOf(new Error('plain')), 'fatal');
  assert.equal(fateOf('text'), 'fatal');
});
