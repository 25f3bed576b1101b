import assert from 'node:assert/strict';
import test from 'node:test';
import { portClasses } from '../src/filter/port-classes.ts';

test('an interest with more ports than can be told apart in a tick makes every port wanted', () => {
  const peerPorts = Array.from({ length: 50 }, (_, index) => index * 1000);
  const rule = { bits: 1n, peer: peerPorts, local: [] };
  assert.notEqual(portClasses([rule], 255), null);
  assert.equal(
    portClasses(
      Array.from({ length: 1000 }, () => rule),
      255,
    ),
    null,
  );
});
