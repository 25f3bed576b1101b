import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';

const OLDEST_KERNEL = '6.1';
const isArm = process.arch === 'arm64';

interface Distribution {
  /** Command that installs the newest kernel of a release, built with BTF. */
  readonly install: string;
  /** By VERSION_ID, the command for a kernel 6.1 or newer where `install` brings an older one. */
  readonly newer?: Readonly<Record<string, string>>;
  /** First release with a kernel 6.1 or newer, and its name. @default every supported release */
  readonly since?: { readonly version: string; readonly name: string };
  /** Derived distributions number their releases like this one. */
  readonly sameNumbers?: true;
}

/** For a read-only root: packages go into the next snapshot. ID_LIKE names suse, whose releases have other numbers. */
const INTO_SNAPSHOT = 'transactional-update --non-interactive pkg install kernel-default';

/** By ID of os-release. */
const DISTRIBUTIONS: Readonly<Record<string, Distribution>> = {
  debian: {
    install: `apt-get install -y linux-image-${isArm ? 'arm64' : 'amd64'}`,
    since: { version: '12', name: 'Debian 12' },
  },
  ubuntu: {
    install: 'apt-get install -y linux-generic',
    newer: { '22.04': 'apt-get install -y linux-generic-hwe-22.04' },
    since: { version: '23.04', name: 'Ubuntu 24.04' },
  },
  fedora: { install: 'dnf upgrade -y kernel', since: { version: '36', name: 'Fedora 36' } },
  rhel: { install: 'dnf upgrade -y kernel', since: { version: '10', name: 'RHEL 10' }, sameNumbers: true },
  // ID_LIKE names fedora, but the releases are numbered like RHEL's.
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

const ANY_DISTRIBUTION = `boot a kernel from your distribution, ${OLDEST_KERNEL} or newer, built with CONFIG_DEBUG_INFO_BTF=y`;

/**
 * Returns the text of the host's os-release, or '' when there is none.
 *
 * @param hostRoot where an agent in a container sees the host's files
 */
export function osReleaseOf(hostRoot: string): string {
  // /usr/lib first: /etc/os-release is usually a link to it, and an absolute link would leave `hostRoot`.
  const path = ['usr/lib/os-release', 'etc/os-release'].map((name) => join(hostRoot, name)).find(existsSync);
  return path === undefined ? '' : readFileSync(path, 'utf8');
}

/**
 * Returns the command that installs a supported kernel, or null when the kernel is recent enough.
 *
 * @param version as uname prints it: 6.1.0-18-amd64
 */
export function kernelUpgradeCommand(hostRoot: string, version: string = release()): string | null {
  return isBefore(version, OLDEST_KERNEL) ? newerKernelCommand(osReleaseOf(hostRoot)) : null;
}

/** Returns the command that installs and boots the distribution's current kernel, which is built with BTF. */
export function kernelCommand(osRelease: string): string {
  const { distribution } = parseOsRelease(osRelease);
  return distribution === undefined ? ANY_DISTRIBUTION : `${distribution.install} && reboot`;
}

/** Returns the command for a kernel 6.1 or newer, or which release of the distribution has one. */
export function newerKernelCommand(osRelease: string): string {
  const { distribution, version } = parseOsRelease(osRelease);
  if (distribution === undefined || version === undefined) return ANY_DISTRIBUTION;
  const { install, newer = {}, since } = distribution;
  const command = Object.hasOwn(newer, version) ? newer[version] : undefined;
  if (command === undefined && since !== undefined && version !== '' && isBefore(version, since.version))
    return `upgrade the distribution: this release has no kernel ${OLDEST_KERNEL}; the first with one is ${since.name}`;
  return `${command ?? install} && reboot`;
}

/**
 * `version` is '' for a rolling release, which has no number, and undefined for a derived distribution that numbers
 * its releases differently.
 */
function parseOsRelease(osRelease: string): { distribution?: Distribution; version?: string } {
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

/** Compares major and minor as numbers: '3.9' is before '3.18'. */
function isBefore(version: string, reference: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [referenceMajor = 0, referenceMinor = 0] = reference.split('.').map(Number);
  return major === referenceMajor ? minor < referenceMinor : major < referenceMajor;
}
