import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { kernelCommand, kernelUpgradeCommand, newerKernelCommand, osReleaseOf } from '../../src/host/kernel-package.ts';

test('a kernel from 6.1 on needs no upgrade, an older kernel does', () => {
  for (const version of ['6.1.0-18-amd64', '6.12.3', '6.18.44', '7.0.0-rc1', '10.0'])
    assert.equal(kernelUpgradeCommand('/', version), null, version);
  for (const version of ['6.0.19', '5.15.0-91-generic', '4.19.0'])
    assert.equal(kernelUpgradeCommand('/', version), newerKernelCommand(osReleaseOf('/')), version);
});

test('the command for a kernel with BTF is that of the distribution, or of the one it derives from', () => {
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
  for (const unknown of ['', 'ID=nixos\n', 'ID=constructor\n'])
    assert.match(kernelCommand(unknown), /^boot a kernel .*CONFIG_DEBUG_INFO_BTF=y/);
});

test('the command for a newer kernel is that of the release, or an upgrade to a release that has one', () => {
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
  // Linux Mint 22 is derived from Ubuntu, but its number is not Ubuntu's.
  assert.match(newerKernelCommand('ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"'), /^boot a kernel/);
});

test('os-release is read below the folder that has the host’s files, without following links out of it', (t) => {
  const host = mkdtempSync(join(tmpdir(), 'rf-host-'));
  t.after(() => rmSync(host, { recursive: true }));
  assert.equal(osReleaseOf(host), '');
  for (const folder of ['etc', 'usr/lib']) mkdirSync(join(host, folder), { recursive: true });
  writeFileSync(join(host, 'usr/lib/os-release'), 'ID=debian\nVERSION_ID="11"\n');
  symlinkSync('/usr/lib/os-release', join(host, 'etc/os-release'));
  assert.match(kernelUpgradeCommand(host, '5.10.0') ?? '', /Debian 12/);
});
