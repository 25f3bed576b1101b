import assert from 'node:assert/strict';
import test from 'node:test';
import { OperatorError } from '@ringfence/base';
import { explain } from '../src/process/explain-error.ts';

test('what a terminal would take for orders is escaped in an error; its lines and columns stay', () => {
  const named = new OperatorError("there is no rule '\u001b[2J\u202e'.\n\tsh \u0007");
  assert.equal(explain(named), "there is no rule '\\x1b[2J\\u202e'.\n\tsh \\x07");
  assert.match(explain(new SuppressedError(new OperatorError('later'), named)), /^there is no rule '\\x1b/);
});
