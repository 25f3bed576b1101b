import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runStep, say } from './progress.mjs';

const PROGRAM_DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const LIBRARY_DIRECTORIES = ['/usr/local/lib', '/usr/local/lib64', '/usr/lib', '/usr/lib64', '/lib', '/lib64'];
const JVMS = '/usr/lib/jvm';

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there and not executable mean the same here: it can't be used.
    return false;
  }
}

function hasProgram(...names) {
  const directories = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...PROGRAM_DIRECTORIES];
  return names.some((name) => directories.some((directory) => isExecutable(join(directory, name))));
}

/** Debian and Ubuntu keep libraries one level down, in /usr/lib/ARCH-linux-gnu. */
function hasLibrary(name) {
  return LIBRARY_DIRECTORIES.filter((directory) => existsSync(directory)).some(
    (directory) =>
      existsSync(join(directory, name)) ||
      readdirSync(directory).some((child) => child.endsWith('-linux-gnu') && existsSync(join(directory, child, name))),
  );
}

/** Whether one of the installed Javas is of this version or newer. */
function hasJava(oldest) {
  const homes = existsSync(JVMS) ? readdirSync(JVMS).map((name) => join(JVMS, name, 'release')) : [];
  return homes
    .filter((release) => existsSync(release))
    .some((release) => Number(/JAVA_VERSION="(\d+)/.exec(readFileSync(release, 'utf8'))?.[1]) >= oldest);
}

/** The programs and libraries behind the needs of needs.mjs, and the package that brings each. Of several apt packages the first that exists is taken. */
const REQUIREMENTS = [
  {
    what: 'clang (builds the sensor)',
    need: 'clang',
    present: () => hasProgram('clang-16', 'clang-19', 'clang'),
    apt: ['clang-16', 'clang'],
    dnf: 'clang',
    pacman: 'clang',
    zypper: 'clang',
  },
  {
    what: 'bpftool (reads the kernel type information)',
    need: 'clang',
    present: () => hasProgram('bpftool'),
    apt: ['bpftool', 'linux-tools-generic'],
    dnf: 'bpftool',
    pacman: 'bpf',
    zypper: 'bpftool',
  },
  {
    what: 'libbpf headers (bpf/bpf_helpers.h)',
    need: 'clang',
    present: () => existsSync('/usr/include/bpf/bpf_helpers.h'),
    apt: ['libbpf-dev'],
    dnf: 'libbpf-devel',
    pacman: 'libbpf',
    zypper: 'libbpf-devel',
  },
  {
    what: 'libbpf (libbpf.so.1, loads the sensor)',
    need: 'libbpf',
    present: () => hasLibrary('libbpf.so.1'),
    apt: ['libbpf1'],
    dnf: 'libbpf',
    pacman: 'libbpf',
    zypper: 'libbpf1',
  },
  {
    what: 'a C compiler and libc headers (builds test programs)',
    need: 'compiler',
    present: () => hasProgram('cc', 'gcc') && existsSync('/usr/include/stdio.h'),
    apt: ['gcc'],
    dnf: 'gcc glibc-devel',
    pacman: 'gcc',
    zypper: 'gcc glibc-devel',
    more: ['libc6-dev'],
  },
  {
    what: 'Maven with Java 17 or newer (fetches and runs Kafka and Elasticsearch)',
    need: 'servers',
    present: () => hasProgram('mvn') && hasProgram('java'),
    apt: ['maven'],
    dnf: 'maven',
    pacman: 'maven',
    zypper: 'maven',
  },
  {
    what: 'Java 21 or newer, or pip to bring one (runs Elasticsearch)',
    need: 'servers',
    present: () => hasJava(21) || hasProgram('pip3', 'pip'),
    apt: ['openjdk-21-jre-headless', 'python3-pip'],
    dnf: 'java-21-openjdk-headless',
    pacman: 'jre21-openjdk-headless',
    zypper: 'java-21-openjdk-headless',
  },
  {
    // Debian's redis-server would start a service; its program is in the tools, under another name.
    what: 'Redis (redis-server)',
    need: 'servers',
    present: () => hasProgram('redis-server', 'redis-check-rdb'),
    apt: ['redis-tools'],
    dnf: 'redis',
    pacman: 'redis',
    zypper: 'redis',
  },
  {
    what: 'QEMU (qemu-system-x86_64, boots other kernels)',
    need: 'guests',
    present: () => hasProgram('qemu-system-x86_64'),
    apt: ['qemu-system-x86'],
    dnf: 'qemu-system-x86-core',
    pacman: 'qemu-system-x86',
    zypper: 'qemu-x86',
  },
  {
    what: 'QEMU for arm64 (qemu-system-aarch64, boots kernels of that architecture)',
    need: 'guests',
    present: () => hasProgram('qemu-system-aarch64'),
    apt: ['qemu-system-arm'],
    dnf: 'qemu-system-aarch64-core',
    pacman: 'qemu-system-aarch64',
    zypper: 'qemu-arm',
  },
  {
    what: 'a static busybox (starts those kernels)',
    need: 'guests',
    present: () => hasProgram('busybox'),
    apt: ['busybox-static'],
    dnf: 'busybox',
    pacman: 'busybox',
    zypper: 'busybox-static',
  },
  {
    what: 'make (builds the kernel module that tests put into them)',
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

/** Where apt has never fetched its lists (fresh images), no package is known. */
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
    say(result.output.trimEnd().split('\n').slice(-8).join('\n'));
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
  say('Missing on this system:');
  for (const { what } of missing) say(`  - ${what}`);
  if (command !== undefined) say(`Install it as root with: ${command}`);
  const needs = new Set(missing.map(({ need }) => need));
  if (needs.has('clang') || needs.has('libbpf')) say('Going on: what needs the sensor will not work until then.');
  else say('Going on: what needs it will say so; tests that do will be skipped.');
}

function isRoot() {
  return process.getuid?.() === 0;
}

function isMusl() {
  return existsSync('/etc/alpine-release') && readFileSync('/etc/alpine-release', 'utf8').length > 0;
}

/**
 * Looks at files only when all is there; asks apt for the rest where it may, else says what is missing and goes on.
 * @param {ReadonlySet<string>} needs of needs.mjs
 * @returns {Promise<boolean>} whether the sensor can be built here
 */
export async function bringSystemPackages(needs) {
  if (process.platform !== 'linux') return false;
  if (isMusl()) say('This is a musl system; Ringfence is tried on glibc only.');
  const lacking = () => REQUIREMENTS.filter(({ need, present }) => needs.has(need) && !present());
  let missing = lacking();
  if (missing.length > 0 && isRoot() && hasProgram('apt-get')) {
    await installWithApt(missing);
    missing = lacking();
  }
  if (missing.length > 0) report(missing);
  if (!needs.has('sensor') || missing.some(({ need }) => need === 'clang')) return false;
  if (existsSync('/sys/kernel/btf/vmlinux')) return true;
  say('This kernel has no type information (/sys/kernel/btf/vmlinux): going on without building the sensor.');
  return false;
}
