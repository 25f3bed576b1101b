import assert from 'node:assert/strict';
import test from 'node:test';
import { OperatorError } from '@ringfence/base';
import { explainError } from '../../src/process/explain-error.ts';

const error = new OperatorError("there is no rule '\u001b[2J\u202e'.\n\tsh \u0007");

test('control characters in an error are escaped, except for line ends and tabs', () => {
  assert.equal(explainError(error), "there is no rule '\\x1b[2J\\u202e'.\n\tsh \\x07");
});

test('an error during clean-up does not hide the first error', () => {
  assert.match(explainError(new SuppressedError(new OperatorError('later'), error)), /^there is no rule '\\x1b/);
});
