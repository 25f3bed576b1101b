/** The root of a guest of another architecture: Debian's busybox and libraries, and Node from npm's registry. */
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached, digest, runTool, TestServerError } from '@ringfence/dev-servers/tools';
import { makeDisk } from './disk.ts';
import { type Architecture, MACHINES } from './machine.ts';
import { Packages } from './packages.ts';
import { addBusyboxPrograms, FREE_MIB, skeletonKey, type UserSpace, writeSkeleton } from './user-space.ts';

const LIBRARIES = ['libc6', 'libgcc-s1', 'libstdc++6', 'zlib1g', 'libelf1', 'libbpf1'];
const BUSYBOX = 'busybox-static';

async function unpackTo(packages: Packages, name: string, root: string): Promise<void> {
  const temporary = await mkdtemp(join(tmpdir(), 'ringfence-package-'));
  try {
    const tree = join(temporary, 'tree');
    await runTool('dpkg-deb', ['-x', await packages.download(name, temporary), tree]);
    // In the root /lib and /bin are links; in the package they may be directories.
    for (const top of await readdir(tree)) {
      const into = top === 'usr' ? join(root, 'usr') : join(root, 'usr', top);
      if (['usr', 'lib', 'lib64', 'bin', 'sbin'].includes(top))
        await cp(join(tree, top), into, { recursive: true, verbatimSymlinks: true, force: true });
    }
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Unpacks a package of npm's registry into a directory. */
export async function unpackFromNpm(specifier: string, into: string): Promise<void> {
  const temporary = await mkdtemp(join(tmpdir(), 'ringfence-npm-'));
  try {
    await runTool('npm', ['pack', '--silent', '--ignore-scripts', specifier], { cwd: temporary });
    const file = (await readdir(temporary)).find((name) => name.endsWith('.tgz'));
    if (file === undefined) throw new TestServerError('ERR_TESTKIT_GUEST', `npm pack ${specifier} left no file`);
    await mkdir(into, { recursive: true });
    await runTool('tar', ['-xzf', join(temporary, file), '-C', into, '--strip-components=1']);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

export async function foreignUserSpace(architecture: Architecture): Promise<UserSpace> {
  const machine = MACHINES[architecture];
  const node = `node-linux-${architecture}@${process.versions.node}`;
  const key = digest(skeletonKey(machine), node, ...LIBRARIES);
  const directory = await cached(`guest-root-${architecture}`, key, async (target) => {
    const root = join(target, 'root');
    const packages = await Packages.of(architecture);
    await writeSkeleton(root, machine);
    for (const name of [...LIBRARIES, BUSYBOX]) await unpackTo(packages, name, root);
    await unpackFromNpm(node, join(target, 'node'));
    await cp(join(target, 'node/bin/node'), join(root, 'usr/local/bin/node'));
    await addBusyboxPrograms(root);
    await cp(join(root, 'usr/bin/busybox'), join(target, 'busybox'));
    await makeDisk(root, join(target, 'root.img'), FREE_MIB);
    await runTool('rm', ['-rf', root, join(target, 'node')]);
  });
  return { disk: join(directory, 'root.img'), busybox: join(directory, 'busybox') };
}
