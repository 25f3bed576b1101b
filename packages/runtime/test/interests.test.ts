import assert from 'node:assert/strict';
import test from 'node:test';
import { interestVersion } from '@ringfence/interest';
import { interestsOf } from '../src/status/host-interests.ts';
import type { Status } from '../src/status/status.ts';

test('interests of several processes add up the hosts of the enrichers, and take the current version from a responder', () => {
  const older = interestVersion(1_800_000_000, 'before');
  const newer = interestVersion(1_800_000_001, 'before');
  const current = interestVersion(1_800_000_060, 'after');
  const status = (name: string, stats: object): Status =>
    ({ services: [{ name, lag: 0, stats }] }) as unknown as Status;
  const statuses = [
    status('enricher', { interests: [{ version: older, hosts: 1, some: ['a'] }] }),
    status('enricher', { interests: [{ version: newer, hosts: 2, some: ['b', 'c'] }] }),
    status('collector', { hosts: 3 }),
  ];
  const groups = [{ version: newer, hosts: 3, some: ['a', 'b', 'c'] }];
  assert.deepEqual(interestsOf(statuses), { groups, current: null });
  const responder = status('responder', { interestVersion: current });
  assert.deepEqual(interestsOf([...statuses, responder]), { groups, current });
  assert.equal(interestsOf([responder]), null);
});
