import assert from 'node:assert/strict';
import test from 'node:test';
import { UNSIGNED } from '@ringfence/wire';
import { alertLine } from '../src/lists/view.ts';
import { assertEscaped, HOSTILE, plain } from './support.ts';

test('an alert is printed on one line, with control characters escaped', () => {
  const line = alertLine(plain, {
    id: 'a',
    rule: `R${HOSTILE}`,
    description: '',
    priority: 'error',
    tactics: [],
    techniques: [],
    tags: [],
    action: 'alert',
    output: HOSTILE,
    hostId: '',
    bootId: '',
    timestamp: 1e15,
    ktime: 0,
    events: [],
    kind: 'exec',
    fields: {},
    lineage: [],
    container: null,
    cgroupPath: '',
    incident: '',
    hostname: '',
    ...UNSIGNED,
  });
  assert.equal(line.split('\n').length, 1);
  assertEscaped(line);
  assert.match(line, /a\\x1b\[2Jb\\x0ac/);
});
