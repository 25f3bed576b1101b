import assert from 'node:assert/strict';
import test from 'node:test';
import { loadConfig } from '@ringfence/config';
import { prepareHost } from '../src/app/host.ts';
import { checkKernel } from '../src/doctor/checks.ts';
import { CliError } from '../src/errors.ts';

test('kernels from 6.1 on are taken, older ones are named with what to do', () => {
  for (const version of ['6.1.0-18-amd64', '6.12.3', '6.18.44', '7.0.0-rc1', '10.0'])
    assert.ok(checkKernel(version).ok, version);
  for (const version of ['6.0.19', '5.15.0-91-generic', '4.19.0']) {
    const check = checkKernel(version);
    assert.equal(check.ok, false, version);
    assert.match(check.found, new RegExp(version));
    assert.match(check.fix, /6\.1/);
  }
});

test('up on an older kernel stops before it touches anything, and says why', () => {
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  assert.throws(
    () => prepareHost(silent, loadConfig({ file: '/dev/null', env: {} }), checkKernel('5.15.0')),
    (error: unknown) => error instanceof CliError && /Linux 5\.15\.0 is too old/.test(error.message),
  );
});
