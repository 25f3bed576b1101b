import assert from 'node:assert/strict';
import test from 'node:test';
import { newerKernelCommand, osReleaseOf } from '@ringfence/runtime/host';
import { checkKernel } from '../src/machine.ts';

test('a kernel from 6.1 on passes; an older kernel fails, with the command that installs a newer one', () => {
  assert.ok(checkKernel('/', '6.1.0-18-amd64').ok);
  const { ok, found, costs, fix } = checkKernel('/', '5.15.0-91-generic');
  assert.equal(ok, false);
  assert.match(found, /5\.15\.0-91-generic/);
  assert.match(costs, /6\.1/);
  assert.equal(fix, newerKernelCommand(osReleaseOf('/')));
});
