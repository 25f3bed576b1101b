import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { printProgress, runStep } from './progress.mjs';

const PROGRAM_DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const LIBRARY_DIRECTORIES = ['/usr/local/lib', '/usr/local/lib64', '/usr/lib', '/usr/lib64', '/lib', '/lib64'];
const JVMS = '/usr/lib/jvm';

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // A missing program and a program that is not executable are equally unusable.
    return false;
  }
}

function hasProgram(...names) {
  const directories = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...PROGRAM_DIRECTORIES];
  return names.some((name) => directories.some((directory) => isExecutable(join(directory, name))));
}

/** Also searches /usr/lib/ARCH-linux-gnu, where Debian and Ubuntu keep libraries. */
function hasLibrary(name) {
  return LIBRARY_DIRECTORIES.filter((directory) => existsSync(directory)).some(
    (directory) =>
      existsSync(join(directory, name)) ||
      readdirSync(directory).some((child) => child.endsWith('-linux-gnu') && existsSync(join(directory, child, name))),
  );
}

/** Returns whether an installed Java has at least this major version. */
function hasJava(oldest) {
  const homes = existsSync(JVMS) ? readdirSync(JVMS).map((name) => join(JVMS, name, 'release')) : [];
  return homes
    .filter((release) => existsSync(release))
    .some((release) => Number(/JAVA_VERSION="(\d+)/.exec(readFileSync(release, 'utf8'))?.[1]) >= oldest);
}

/**
 * Programs and libraries for the needs of needs.mjs, with the package of each. The second apt package is the
 * alternative where the first does not exist.
 */
const REQUIREMENTS = [
  {
    description: 'clang (builds the sensor)',
    need: 'clang',
    present: () => hasProgram('clang-16', 'clang-19', 'clang'),
    apt: ['clang-16', 'clang'],
    dnf: 'clang',
    pacman: 'clang',
    zypper: 'clang',
  },
  {
    description: 'bpftool (reads the kernel type information)',
    need: 'clang',
    present: () => hasProgram('bpftool'),
    apt: ['bpftool', 'linux-tools-generic'],
    dnf: 'bpftool',
    pacman: 'bpf',
    zypper: 'bpftool',
  },
  {
    description: 'libbpf headers (bpf/bpf_helpers.h)',
    need: 'clang',
    present: () => existsSync('/usr/include/bpf/bpf_helpers.h'),
    apt: ['libbpf-dev'],
    dnf: 'libbpf-devel',
    pacman: 'libbpf',
    zypper: 'libbpf-devel',
  },
  {
    description: 'libbpf (libbpf.so.1, loads the sensor)',
    need: 'libbpf',
    present: () => hasLibrary('libbpf.so.1'),
    apt: ['libbpf1'],
    dnf: 'libbpf',
    pacman: 'libbpf',
    zypper: 'libbpf1',
  },
  {
    description: 'a C compiler and libc headers (builds test programs)',
    need: 'compiler',
    present: () => hasProgram('cc', 'gcc') && existsSync('/usr/include/stdio.h'),
    apt: ['gcc'],
    dnf: 'gcc glibc-devel',
    pacman: 'gcc',
    zypper: 'gcc glibc-devel',
    more: ['libc6-dev'],
  },
  {
    description: 'Maven with Java 17 or newer (fetches and runs Kafka and Elasticsearch)',
    need: 'servers',
    present: () => hasProgram('mvn') && hasProgram('java'),
    apt: ['maven'],
    dnf: 'maven',
    pacman: 'maven',
    zypper: 'maven',
  },
  {
    description: 'Java 21 or newer, or pip to bring one (runs Elasticsearch)',
    need: 'servers',
    present: () => hasJava(21) || hasProgram('pip3', 'pip'),
    apt: ['openjdk-21-jre-headless', 'python3-pip'],
    dnf: 'java-21-openjdk-headless',
    pacman: 'jre21-openjdk-headless',
    zypper: 'java-21-openjdk-headless',
  },
  {
    // Debian's package redis-server would start a service; redis-tools has the same program as redis-check-rdb.
    description: 'Redis (redis-server)',
    need: 'servers',
    present: () => hasProgram('redis-server', 'redis-check-rdb'),
    apt: ['redis-tools'],
    dnf: 'redis',
    pacman: 'redis',
    zypper: 'redis',
  },
  {
    description: 'btrfs-progs (mkfs.btrfs, makes file systems with subvolumes)',
    need: 'btrfs',
    present: () => hasProgram('mkfs.btrfs'),
    apt: ['btrfs-progs'],
    dnf: 'btrfs-progs',
    pacman: 'btrfs-progs',
    zypper: 'btrfsprogs',
  },
  {
    description: 'QEMU (qemu-system-x86_64, boots other kernels)',
    need: 'guests',
    present: () => hasProgram('qemu-system-x86_64'),
    apt: ['qemu-system-x86'],
    dnf: 'qemu-system-x86-core',
    pacman: 'qemu-system-x86',
    zypper: 'qemu-x86',
  },
  {
    description: 'QEMU for arm64 (qemu-system-aarch64, boots kernels of that architecture)',
    need: 'guests',
    present: () => hasProgram('qemu-system-aarch64'),
    apt: ['qemu-system-arm'],
    dnf: 'qemu-system-aarch64-core',
    pacman: 'qemu-system-aarch64',
    zypper: 'qemu-arm',
  },
  {
    description: 'a static busybox (the user space of guests)',
    need: 'guests',
    present: () => hasProgram('busybox'),
    apt: ['busybox-static'],
    dnf: 'busybox',
    pacman: 'busybox',
    zypper: 'busybox-static',
  },
  {
    description: 'make (builds the kernel module of guest tests)',
    need: 'guests',
    present: () => hasProgram('make'),
    apt: ['make'],
    dnf: 'make',
    pacman: 'make',
    zypper: 'make',
  },
];

const MANUAL = { dnf: 'dnf install -y', pacman: 'pacman -S --needed', zypper: 'zypper install -y' };

const APT_ENVIRONMENT = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };

/** Fresh images have no package lists. Without them apt finds no package. */
function aptListsEmpty() {
  const lists = '/var/lib/apt/lists';
  return (
    !existsSync(lists) || !readdirSync(lists).some((name) => name.endsWith('_Packages') || name.includes('_Packages.'))
  );
}

function aptInstall(names) {
  const args = ['install', '-y', '-q', '--no-install-recommends', ...names];
  return runStep(`System packages (apt-get install ${names.join(' ')})`, 'apt-get', args, { env: APT_ENVIRONMENT });
}

async function installWithApt(missing) {
  if (aptListsEmpty())
    await runStep('Package lists (apt-get update)', 'apt-get', ['update', '-q'], { env: APT_ENVIRONMENT });
  for (const alternative of [0, 1]) {
    const names = missing.flatMap(({ apt, more }) => [apt[alternative] ?? apt[0], ...(more ?? [])]);
    const result = await aptInstall(names);
    if (result.code === 0) return;
    printProgress(result.output.trimEnd().split('\n').slice(-8).join('\n'));
    if (!/Unable to locate package|has no installation candidate|404|Failed to fetch/.test(result.output)) return;
    await runStep('Package lists (apt-get update)', 'apt-get', ['update', '-q'], { env: APT_ENVIRONMENT });
    if (alternative === 0 && (await aptInstall(names)).code === 0) return;
  }
}

function manualCommand(missing) {
  if (hasProgram('apt-get')) {
    const names = missing.flatMap(({ apt, more }) => [apt[0], ...(more ?? [])]);
    return `apt-get install -y --no-install-recommends ${names.join(' ')}`;
  }
  const manager = Object.keys(MANUAL).find((name) => hasProgram(name));
  if (manager === undefined) return undefined;
  return `${MANUAL[manager]} ${[...new Set(missing.map((requirement) => requirement[manager]))].join(' ')}`;
}

function report(missing) {
  const command = manualCommand(missing);
  printProgress('Missing on this system:');
  for (const { description } of missing) printProgress(`  - ${description}`);
  if (command !== undefined) printProgress(`Install it as root with: ${command}`);
  const needs = new Set(missing.map(({ need }) => need));
  if (needs.has('clang') || needs.has('libbpf'))
    printProgress('Continuing: commands that need the sensor will fail until then.');
  else printProgress('Continuing: tests that need it are skipped.');
}

function isRoot() {
  return process.getuid?.() === 0;
}

function isMusl() {
  return existsSync('/etc/alpine-release') && readFileSync('/etc/alpine-release', 'utf8').length > 0;
}

/**
 * Installs missing system packages with apt if this is root; otherwise reports them and returns. Starts no process if
 * nothing is missing.
 * @param {ReadonlySet<string>} needs needs of needs.mjs
 * @returns {Promise<boolean>} whether the sensor can be built on this machine
 */
export async function installSystemPackages(needs) {
  if (process.platform !== 'linux') return false;
  if (isMusl()) printProgress('This is a musl system; Ringfence is tested on glibc only.');
  const findMissing = () => REQUIREMENTS.filter(({ need, present }) => needs.has(need) && !present());
  let missing = findMissing();
  if (missing.length > 0 && isRoot() && hasProgram('apt-get')) {
    await installWithApt(missing);
    missing = findMissing();
  }
  if (missing.length > 0) report(missing);
  if (!needs.has('sensor') || missing.some(({ need }) => need === 'clang')) return false;
  if (existsSync('/sys/kernel/btf/vmlinux')) return true;
  printProgress('This kernel has no type information (/sys/kernel/btf/vmlinux): the sensor is not built.');
  return false;
}
