import { cp, mkdir, readdir, realpath, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { cached, digest, findProgram, runTool } from '@ringfence/dev-servers/tools';
import { makeDisk } from './disk.ts';
import { MACHINES, type Machine } from './machine.ts';

/** Debian packages whose programs a guest gets, if they are installed on this machine. */
const PACKAGES = [
  ...[
    'coreutils',
    'util-linux',
    'util-linux-extra',
    'bsdutils',
    'mount',
    'bash',
    'dash',
    'sed',
    'grep',
    'findutils',
    'procps',
  ],
  ...['iproute2', 'hostname', 'libc-bin', 'e2fsprogs', 'bpftool', 'passwd', 'login'],
];
/** Libraries that programs open at run time. */
const LIBRARIES = [
  ...['libbpf.so.1', 'libnss_files.so.2', 'libgcc_s.so.1', 'libstdc++.so.6'],
  ...['libpam.so.0', 'security/pam_permit.so', 'security/pam_deny.so'],
];
const LIBRARY_DIRECTORIES = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib', '/usr/local/lib'];
const PROGRAM = /^(\/usr)?\/s?bin\/[^/]+$/;
const MERGED = ['bin', 'sbin', 'lib', 'lib64'];
/** Free space for tests. */
export const FREE_MIB = 256;

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n';
const ETC: Readonly<Record<string, string>> = {
  passwd: PASSWD,
  group: 'root:x:0:\nnogroup:x:65534:\n',
  hosts: '127.0.0.1 localhost guest\n::1 localhost\n',
  'pam.d/other': 'auth required pam_deny.so\naccount required pam_deny.so\n',
  // Identifies the distribution of the kernel.
  'os-release': 'ID=debian\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
};

/**
 * The first program of a guest. Prints the command's exit code on the line of results; the console has the kernel's
 * messages and the command's errors. A command that exceeds the deadline is stopped from outside.
 */
const initOf = ({ console, results }: Machine): string => `#!/bin/sh
export PATH=/usr/local/bin:/usr/bin:/usr/sbin HOME=/root TMPDIR=/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
mount -t securityfs securityfs /sys/kernel/security
ln -sf /proc/self/fd /dev/fd
# where the kernel looks for it when it needs a module
[ -e /sbin/modprobe ] || ln -s /usr/bin/busybox /sbin/modprobe
mount -t ext4 /dev/vdb /lib/modules
mount -t ext4 /dev/vdc /program
ip link set lo up
hostname guest
stty -F /dev/${results} raw -echo
cd /program
sh ./guest-command </dev/null >/dev/${results} 2>/dev/${console}
echo "ringfence-guest-exit $?" >/dev/${results}
busybox sleep 0.1
echo o >/proc/sysrq-trigger
sleep 60
`;

async function lines(command: string, args: readonly string[]): Promise<string[]> {
  return (await runTool(command, args)).split('\n').filter(Boolean);
}

async function programsOf(name: string): Promise<string[]> {
  try {
    return (await lines('dpkg', ['-L', name])).filter((path) => PROGRAM.test(path));
  } catch {
    // Not installed here: the guest lacks the program, or has busybox's.
    return [];
  }
}

/** Resolves the directory: /bin/sh becomes /usr/bin/sh on systems where /bin is a link. */
async function resolveParent(path: string): Promise<string> {
  return join(await realpath(dirname(path)), basename(path));
}

async function existing(paths: readonly string[]): Promise<string[]> {
  const checked = paths.map(async (path) => ((await isFile(path)) ? [await resolveParent(path)] : []));
  return (await Promise.all(checked)).flat();
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Returns the libraries that the dynamic linker would load for these files. */
async function librariesOf(files: readonly string[]): Promise<string[]> {
  // ldd fails for scripts and static programs.
  const output = await runTool('sh', ['-c', 'ldd "$@" 2>/dev/null; true', 'sh', ...files]);
  const found = [...output.matchAll(/^\s.*?(\/\S+) \(0x/gm)].map(([, path]) => path ?? '');
  return existing([...new Set(found)]);
}

async function place(root: string, path: string): Promise<void> {
  const real = await realpath(path);
  await mkdir(join(root, dirname(real)), { recursive: true });
  await cp(real, join(root, real), { force: true });
  if (real === path) return;
  await mkdir(join(root, dirname(path)), { recursive: true });
  await symlink(real, join(root, path));
}

/** Writes everything in a guest's root except for programs. */
export async function writeSkeleton(root: string, machine: Machine): Promise<void> {
  for (const name of [
    'proc',
    'sys',
    'dev',
    'run',
    'tmp',
    'root',
    'etc/pam.d',
    'var/tmp',
    'mnt',
    'program',
    'usr/lib/modules',
  ])
    await mkdir(join(root, name), { recursive: true });
  for (const name of MERGED) {
    await mkdir(join(root, 'usr', name), { recursive: true });
    await symlink(`usr/${name}`, join(root, name));
  }
  for (const [name, text] of Object.entries(ETC)) await writeFile(join(root, 'etc', name), text);
  await writeFile(join(root, 'init'), initOf(machine), { mode: 0o755 });
}

/** Cache key of the root without its programs. */
export const skeletonKey = (machine: Machine): string => `${initOf(machine)}${JSON.stringify(ETC)}`;

/** Adds links to busybox for programs that are missing. */
export async function addBusyboxPrograms(root: string): Promise<void> {
  const present = new Set([
    ...(await readdir(join(root, 'usr/bin'))),
    ...(await readdir(join(root, 'usr/sbin'))),
    ...(await readdir(join(root, 'usr/local/bin'))),
  ]);
  for (const name of await lines('busybox', ['--list']))
    if (!present.has(name)) await symlink('/usr/bin/busybox', join(root, 'usr/bin', name));
}

async function userSpaceFiles(): Promise<string[]> {
  const programs = (await Promise.all(PACKAGES.map(programsOf))).flat();
  const libraries = LIBRARIES.flatMap((name) => LIBRARY_DIRECTORIES.map((directory) => join(directory, name)));
  const start = await existing([...programs, '/bin/sh', findProgram('busybox') ?? '', ...libraries]);
  return [...new Set([...start, ...(await librariesOf([...start, process.execPath]))])].sort();
}

async function keyOf(files: readonly string[]): Promise<string> {
  const facts = await Promise.all(
    files.map(async (file) => {
      const { size, mtimeMs } = await stat(file);
      return `${file} ${size} ${mtimeMs}`;
    }),
  );
  return digest(skeletonKey(MACHINES.x64), ...facts);
}

export interface UserSpace {
  /** image of the root's file system */
  readonly disk: string;
  /** statically linked, of the guest's architecture */
  readonly busybox: string;
}

/**
 * Makes the root disk of guests: this machine's own basic programs, the libraries that they need, and this Node. Cached
 * until one of them changes.
 */
export async function userSpace(): Promise<UserSpace> {
  const files = await userSpaceFiles();
  const directory = await cached('guest-root', await keyOf([...files, process.execPath]), async (target) => {
    const root = join(target, 'root');
    await writeSkeleton(root, MACHINES.x64);
    for (const file of files) await place(root, file);
    await mkdir(join(root, 'usr/local/bin'), { recursive: true });
    await cp(await realpath(process.execPath), join(root, 'usr/local/bin/node'));
    await addBusyboxPrograms(root);
    await makeDisk(root, join(target, 'root.img'), FREE_MIB);
    await runTool('rm', ['-rf', root]);
  });
  return { disk: join(directory, 'root.img'), busybox: findProgram('busybox') ?? '' };
}
