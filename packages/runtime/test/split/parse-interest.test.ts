import assert from 'node:assert/strict';
import test from 'node:test';
import { INITIAL_INTEREST, type Interest } from '@ringfence/interest';
import { parseInterest } from '../../src/split/parse-interest.ts';

const interest: Interest = {
  ...INITIAL_INTEREST,
  version: 7,
  openPathPrefixes: ['/etc/'],
  openNames: ['shadow'],
  wants: [{ kind: 'connect', form: '', scope: '', peerPorts: [22], localPorts: [] }],
};

test('a valid interest is returned without further properties', () => {
  assert.deepEqual(parseInterest({ ...interest, surplus: true }), interest);
});

test('an interest of the wrong shape is refused', () => {
  for (const change of [
    { version: 1.5 },
    { version: -1 },
    { version: -1e308 },
    { version: 2 ** 60 },
    { openNames: 'shadow' },
    { openNames: [1] },
    { environment: 'PATH' },
    { openPathPrefixes: Array.from({ length: 100_001 }, () => '/') },
    { wants: [{}] },
  ])
    assert.throws(() => parseInterest({ ...interest, ...change }), /an interest with invalid/);
});
