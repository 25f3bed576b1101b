import assert from 'node:assert/strict';
import test from 'node:test';
import { type ProcessRole, processRoleEnvironment, takeProcessRole } from '../../src/split/process-role.ts';

const roles: readonly ProcessRole[] = [
  { name: 'sensor', fd: 3, pid: 41, ownUser: true },
  { name: 'services', sensor: { fd: 20, pid: 42, ownUser: false } },
  { name: 'services', sensor: null },
];

for (const role of roles)
  test(`the role ${JSON.stringify(role)} is taken from the environment once`, () => {
    const environment: NodeJS.ProcessEnv = processRoleEnvironment(role);
    assert.deepEqual(takeProcessRole(environment), role);
    assert.equal(takeProcessRole(environment), null);
  });
