import assert from 'node:assert/strict';
import test from 'node:test';
import { loadConfig } from '@ringfence/config';
import { prepareHost } from '../src/app/host.ts';
import { checkKernel } from '../src/doctor/checks.ts';
import { kernelCommand } from '../src/doctor/kernel-package.ts';
import { CliError } from '../src/errors.ts';

test('kernels from 6.1 on are taken, older ones are named with what to do', () => {
  for (const version of ['6.1.0-18-amd64', '6.12.3', '6.18.44', '7.0.0-rc1', '10.0'])
    assert.ok(checkKernel(version).ok, version);
  for (const version of ['6.0.19', '5.15.0-91-generic', '4.19.0']) {
    const check = checkKernel(version);
    assert.equal(check.ok, false, version);
    assert.match(check.found, new RegExp(version));
    assert.equal(check.fix, kernelCommand());
    assert.match(check.costs, /6\.1/);
  }
});

test('up on an older kernel stops before it touches anything, and says why', () => {
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  assert.throws(
    () => prepareHost(silent, loadConfig({ file: '/dev/null', env: {} }), checkKernel('5.15.0')),
    (error: unknown) => error instanceof CliError && /Linux 5\.15\.0 is too old/.test(error.message),
  );
});

test("the command for another kernel is the distribution's own, or its parent's", () => {
  const image = process.arch === 'arm64' ? 'linux-image-arm64' : 'linux-image-amd64';
  assert.equal(kernelCommand('NAME="Debian"\nID=debian\nVERSION_ID="12"\n'), `apt-get install -y ${image} && reboot`);
  assert.equal(kernelCommand('ID=ubuntu\nID_LIKE=debian\n'), 'apt-get install -y linux-generic && reboot');
  assert.equal(kernelCommand('ID="rocky"\nID_LIKE="rhel centos fedora"\n'), 'dnf upgrade -y kernel && reboot');
  assert.equal(
    kernelCommand('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n'),
    'zypper --non-interactive install kernel-default && reboot',
  );
  for (const other of ['', 'ID=nixos\n', 'ID=constructor\n'])
    assert.match(kernelCommand(other), /^boot a kernel .*CONFIG_DEBUG_INFO_BTF=y/);
});
