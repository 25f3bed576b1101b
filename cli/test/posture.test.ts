import assert from 'node:assert/strict';
import test from 'node:test';
import type { InventoryContainer } from '@ringfence/host-facts';
import { type ContainerPosture, postureOf } from '@ringfence/posture';
import { postureText } from '../src/posture/view.ts';
import { assertEscaped, HOSTILE, plain } from './support.ts';

const container = {
  ...{ id: 'c0ffee', name: HOSTILE, runtime: 'docker', image: 'nginx:1.27', pod: '', namespace: '' },
} as InventoryContainer;

test('posture shows the findings of a container with the flags that fix them, and escapes its name', () => {
  const ended = postureOf({ ...container, name: 'ended' }, null, null);
  const posture: ContainerPosture = {
    ...ended,
    container,
    state: {} as NonNullable<ContainerPosture['state']>,
    findings: [{ id: 'root', severity: 'medium', what: 'it runs as root', why: 'root is powerful', instead: [] }],
    flags: ['--user 1000', '--read-only'],
  };
  const text = postureText({ containers: [posture, ended], host: [] }, plain);
  assertEscaped(text);
  assert.match(text, /a\\x1b\[2J.*\n {2}medium {3}it runs as root\n +root is powerful/);
  assert.match(text, /start it with:\n +--user 1000 --read-only\n +\(the capabilities that it uses are unknown/);
  assert.match(text, /ended.*\n +ended during the check/);
});
