import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ARM = process.arch === 'arm64';

interface Distribution {
  /** brings the newest kernel that a release has, built with BTF */
  readonly install: string;
  /** what `install` doesn't bring that release: by VERSION_ID */
  readonly newer?: Readonly<Record<string, string>>;
  /** the first release whose kernel is 6.1 or newer, and what it is called; @default any that is looked after */
  readonly since?: { readonly version: string; readonly name: string };
  /** distributions made of it have its numbers */
  readonly sameNumbers?: true;
}

/** Of those whose root is read-only: packages go into the next snapshot. They say that they are like SUSE, and have numbers of their own. */
const INTO_SNAPSHOT = 'transactional-update --non-interactive pkg install kernel-default';

/** By what os-release calls them. */
const DISTRIBUTIONS: Readonly<Record<string, Distribution>> = {
  debian: {
    install: `apt-get install -y linux-image-${ARM ? 'arm64' : 'amd64'}`,
    since: { version: '12', name: 'Debian 12' },
  },
  ubuntu: {
    install: 'apt-get install -y linux-generic',
    newer: { '22.04': 'apt-get install -y linux-generic-hwe-22.04' },
    since: { version: '23.04', name: 'Ubuntu 24.04' },
  },
  fedora: { install: 'dnf upgrade -y kernel', since: { version: '36', name: 'Fedora 36' } },
  rhel: { install: 'dnf upgrade -y kernel', since: { version: '10', name: 'RHEL 10' }, sameNumbers: true },
  // Says that it is like Fedora, and has the numbers of RHEL.
  ol: { install: 'dnf upgrade -y kernel', since: { version: '10', name: 'Oracle Linux 10' } },
  amzn: { install: 'dnf install -y kernel6.12', since: { version: '2023', name: 'Amazon Linux 2023' } },
  suse: {
    install: 'zypper --non-interactive install kernel-default',
    since: { version: '15.6', name: 'openSUSE Leap 15.6 or SLES 15 SP6' },
    sameNumbers: true,
  },
  'opensuse-microos': { install: INTO_SNAPSHOT },
  'opensuse-leap-micro': { install: INTO_SNAPSHOT, since: { version: '6.0', name: 'openSUSE Leap Micro 6.0' } },
  'sle-micro': { install: INTO_SNAPSHOT, since: { version: '6.0', name: 'SUSE Linux Micro 6.0' } },
  'sl-micro': { install: INTO_SNAPSHOT },
  arch: { install: 'pacman -Syu --noconfirm linux' },
  alpine: { install: 'apk add linux-lts', since: { version: '3.18', name: 'Alpine 3.18' } },
};

const ANY = "boot a kernel of your distribution's that is 6.1 or newer and built with CONFIG_DEBUG_INFO_BTF=y";

/** The text of that file of the host, which an agent in a container sees below `hostRoot`; empty: it has none. */
export function osReleaseOf(hostRoot: string): string {
  // What /etc has is a link to the former, and might lead out of `hostRoot`.
  const path = ['usr/lib/os-release', 'etc/os-release'].map((name) => join(hostRoot, name)).find(existsSync);
  return path === undefined ? '' : readFileSync(path, 'utf8');
}

/** The command that brings the distribution's own kernel, with BTF, and boots it. */
export function kernelCommand(osRelease: string): string {
  const { distribution } = read(osRelease);
  return distribution === undefined ? ANY : `${distribution.install} && reboot`;
}

/** As `kernelCommand`, of a kernel that is 6.1 or newer; where the release has none, which one does. */
export function newerKernelCommand(osRelease: string): string {
  const { distribution, version } = read(osRelease);
  // One that is made of another may have numbers of its own, which say nothing.
  if (distribution === undefined || version === undefined) return ANY;
  const { install, newer = {}, since } = distribution;
  const command = Object.hasOwn(newer, version) ? newer[version] : undefined;
  if (command === undefined && since !== undefined && version !== '' && isBefore(version, since.version))
    return `upgrade the distribution: this release has no kernel 6.1, ${since.name} and newer ones have`;
  return `${command ?? install} && reboot`;
}

/** `version`: empty where the release has none, as what comes out every day; undefined where it isn't of that distribution's numbers. */
function read(osRelease: string): { distribution?: Distribution; version?: string } {
  const value = (name: string): string => {
    const { double, single, bare } =
      new RegExp(`^${name}=(?:"(?<double>[^"\n]*)"|'(?<single>[^'\n]*)'|(?<bare>[^"'\n]*))$`, 'm').exec(osRelease)
        ?.groups ?? {};
    return double ?? single ?? bare ?? '';
  };
  const id = value('ID');
  const known = [id, ...value('ID_LIKE').split(' ')].find((name) => Object.hasOwn(DISTRIBUTIONS, name));
  const distribution = known === undefined ? undefined : DISTRIBUTIONS[known];
  if (distribution === undefined) return {};
  return id === known || distribution.sameNumbers ? { distribution, version: value('VERSION_ID') } : { distribution };
}

/** '3.9' is before '3.18'. */
function isBefore(a: string, b: string): boolean {
  const [one, other] = [a, b].map((text) => text.split('.').map(Number)) as [number[], number[]];
  const [major = 0, minor = 0] = one;
  const [otherMajor = 0, otherMinor = 0] = other;
  return major === otherMajor ? minor < otherMinor : major < otherMajor;
}
