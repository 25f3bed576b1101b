import assert from 'node:assert/strict';
import test from 'node:test';
import { LogThrottle } from '../src/log.ts';

test('each kind is logged once per interval, with the number of suppressed entries', () => {
  const throttle = new LogThrottle(1000);
  assert.deepEqual(
    [0, 10, 999, 1000, 1500, 2000].map((now) => throttle.shouldLog('a', now)),
    [0, null, null, 2, null, 1],
  );
  assert.equal(throttle.shouldLog('b', 10), 0);
});

test('the number of kinds is bounded: further kinds share one throttle', () => {
  const throttle = new LogThrottle(1000);
  for (let n = 0; n < 1000; n++) throttle.shouldLog(`kind ${n}`, 0);
  assert.equal(throttle.shouldLog('one more', 1), null);
});
