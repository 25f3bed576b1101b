import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { OperatorError } from '@ringfence/base';
import { loadConfig } from '@ringfence/config';
import { kernelCommand, newerKernelCommand, osReleaseOf, prepareHost } from '@ringfence/runtime/host';
import { checkKernel } from '../src/checks.ts';

test('kernels from 6.1 on are taken, older ones are named with what to do', () => {
  for (const version of ['6.1.0-18-amd64', '6.12.3', '6.18.44', '7.0.0-rc1', '10.0'])
    assert.ok(checkKernel('/', version).ok, version);
  for (const version of ['6.0.19', '5.15.0-91-generic', '4.19.0']) {
    const check = checkKernel('/', version);
    assert.equal(check.ok, false, version);
    assert.match(check.found, new RegExp(version));
    assert.equal(check.fix, newerKernelCommand(osReleaseOf('/')));
    assert.match(check.costs, /6\.1/);
  }
});

test('up on an older kernel stops before it touches anything, and says why', () => {
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  assert.throws(
    () => prepareHost(silent, loadConfig({ file: '/dev/null', env: {} }), '5.15.0'),
    (error: unknown) => error instanceof OperatorError && /Linux 5\.15\.0 is too old/.test(error.message),
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
  assert.equal(
    kernelCommand('ID="sle-micro"\nID_LIKE="suse"\nVERSION_ID="5.5"\n'),
    'transactional-update --non-interactive pkg install kernel-default && reboot',
  );
  assert.equal(kernelCommand("ID='arch'\n"), 'pacman -Syu --noconfirm linux && reboot');
  for (const other of ['', 'ID=nixos\n', 'ID=constructor\n'])
    assert.match(kernelCommand(other), /^boot a kernel .*CONFIG_DEBUG_INFO_BTF=y/);
});

test('a kernel that is too old is mended by what the release has, else by another release', () => {
  const image = process.arch === 'arm64' ? 'linux-image-arm64' : 'linux-image-amd64';
  const commands = {
    [`apt-get install -y ${image} && reboot`]: ['ID=debian\nVERSION_ID="12"', 'ID=debian'],
    'apt-get install -y linux-generic-hwe-22.04 && reboot': ['ID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"'],
    'apt-get install -y linux-generic && reboot': ["ID=ubuntu\nID_LIKE=debian\nVERSION_ID='24.04'"],
    'dnf upgrade -y kernel && reboot': ['ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="10.0"'],
    'dnf install -y kernel6.12 && reboot': ['ID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"'],
    'zypper --non-interactive install kernel-default && reboot': [
      'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\nVERSION_ID="20240501"',
    ],
    'transactional-update --non-interactive pkg install kernel-default && reboot': [
      'ID="sl-micro"\nID_LIKE="suse"\nVERSION_ID="6.0"',
      'ID="opensuse-microos"\nID_LIKE="suse opensuse opensuse-tumbleweed microos sl-micro"\nVERSION_ID="20240228"',
      'ID="opensuse-leap-micro"\nID_LIKE="suse opensuse opensuse-leap"\nVERSION_ID="6.1"',
    ],
    'apk add linux-lts && reboot': ['ID=alpine\nVERSION_ID=3.18.4'],
  };
  for (const [command, releases] of Object.entries(commands))
    for (const release of releases) assert.equal(newerKernelCommand(`NAME=x\n${release}\n`), command, release);
  const upgrades = {
    'Debian 12': 'ID=debian\nVERSION_ID="11"',
    'Ubuntu 24.04': 'ID=ubuntu\nVERSION_ID="20.04"',
    'RHEL 10': "ID='almalinux'\nID_LIKE='rhel centos fedora'\nVERSION_ID='9.4'",
    'Oracle Linux 10': 'ID="ol"\nID_LIKE="fedora"\nVERSION_ID="9.5"',
    'Amazon Linux 2023': 'ID="amzn"\nID_LIKE="centos rhel fedora"\nVERSION_ID="2"',
    'openSUSE Leap Micro 6.0': 'ID="opensuse-leap-micro"\nID_LIKE="suse opensuse opensuse-leap"\nVERSION_ID="5.5"',
    'SUSE Linux Micro 6.0': 'ID="sle-micro"\nID_LIKE="suse"\nVERSION_ID="5.5"',
    'Leap 15.6': 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.5"',
    'Alpine 3.18': 'ID=alpine\nVERSION_ID=3.9.6',
  };
  for (const [name, release] of Object.entries(upgrades))
    assert.match(newerKernelCommand(release), new RegExp(`^upgrade the distribution: .*${name}`), release);
  // 22 is not Ubuntu's 22.04.
  assert.match(newerKernelCommand('ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"'), /^boot a kernel/);
});

test('what the host is stands below the folder in which an agent in a container sees it', (t) => {
  const host = mkdtempSync(join(tmpdir(), 'rf-host-'));
  t.after(() => rmSync(host, { recursive: true }));
  assert.equal(osReleaseOf(host), '');
  for (const folder of ['etc', 'usr/lib']) mkdirSync(join(host, folder), { recursive: true });
  writeFileSync(join(host, 'usr/lib/os-release'), 'ID=debian\nVERSION_ID="11"\n');
  symlinkSync('/usr/lib/os-release', join(host, 'etc/os-release'));
  assert.match(checkKernel(host, '5.10.0').fix, /Debian 12/);
});
