import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repeatedKeys } from '../src/repeated-keys.ts';

test('repeatedKeys finds a key that one object has twice, whatever its texts contain', () => {
  assert.deepEqual(repeatedKeys('{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}],"d":"{\\"a\\":1,\\"a\\":2}"}'), []);
  assert.deepEqual(repeatedKeys('{"service":"x","err":{"a":"\\\\","a":[1]},"service":"x"}'), ['a', 'service']);
  assert.deepEqual(repeatedKeys('[{"a":1,"\\u0061":2}]'), ['a']);
  assert.throws(() => repeatedKeys('{"a":1'), SyntaxError);
});
