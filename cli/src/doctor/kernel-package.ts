import { existsSync, readFileSync } from 'node:fs';

const OS_RELEASE = '/etc/os-release';
const ARM = process.arch === 'arm64';

/** By what os-release calls a distribution: brings the newest kernel that it has, built with BTF. */
const COMMANDS: Readonly<Record<string, string>> = {
  debian: `apt-get install -y linux-image-${ARM ? 'arm64' : 'amd64'}`,
  ubuntu: 'apt-get install -y linux-generic',
  fedora: 'dnf upgrade -y kernel',
  rhel: 'dnf upgrade -y kernel',
  amzn: 'dnf install -y kernel6.12',
  suse: 'zypper --non-interactive install kernel-default',
  opensuse: 'zypper --non-interactive install kernel-default',
  arch: 'pacman -Syu --noconfirm linux',
  alpine: 'apk add linux-lts',
};

/** The command that brings this distribution's own kernel and boots it. @param osRelease the text of that file; empty: there is none */
export function kernelCommand(
  osRelease: string = existsSync(OS_RELEASE) ? readFileSync(OS_RELEASE, 'utf8') : '',
): string {
  const value = (name: string): string => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(osRelease)?.[1] ?? '';
  const names = [value('ID'), ...value('ID_LIKE').split(' ')];
  const known = names.find((name) => Object.hasOwn(COMMANDS, name));
  const install = known === undefined ? undefined : COMMANDS[known];
  return install === undefined
    ? "boot a kernel of your distribution's that is 6.1 or newer and built with CONFIG_DEBUG_INFO_BTF=y"
    : `${install} && reboot`;
}
