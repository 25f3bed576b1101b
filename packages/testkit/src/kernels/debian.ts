import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { cached, cacheRoot, runTool, TestServerError } from '@ringfence/dev-servers/tools';
import { makeDisk } from './disk.ts';
import { type Architecture, MACHINES } from './machine.ts';
import { Packages } from './packages.ts';

/** A kernel for a guest. */
export interface TestKernel {
  readonly architecture: Architecture;
  /** `6.1` */
  readonly series: string;
  /** like the output of `uname -r` */
  readonly release: string;
  /**
   * directory in the cache with vmlinuz, modules.img, and boot/ with the modules to insert, in order, before a disk is
   * available
   */
  readonly directory: string;
}

interface Candidate {
  readonly series: string;
  readonly release: string;
}

const packagePattern = (debian: string): RegExp =>
  new RegExp(`^linux-image-(((\\d+\\.\\d+)\\.\\d\\S*)-cloud-${debian})$`);
const cachedPattern = (debian: string): RegExp => new RegExp(`^kernel-(((\\d+\\.\\d+)\\.\\d\\S*)-cloud-${debian})-1$`);
/** Modules that make the disk of a guest available. Built-in ones are not among the package's modules. */
const BOOT_MODULES = ['virtio_pci', 'virtio_blk'];

function candidates(names: readonly string[], pattern: RegExp): Candidate[] {
  return names.flatMap((name) => {
    const [, release, , series] = pattern.exec(name) ?? [];
    return release === undefined || series === undefined ? [] : [{ release, series }];
  });
}

function byVersion(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** Returns the newest kernel of each series, oldest series first. */
export function newestOfEach(all: readonly Candidate[]): Candidate[] {
  const newest = new Map<string, Candidate>();
  for (const kernel of all.toSorted((a, b) => byVersion(a.release, b.release))) newest.set(kernel.series, kernel);
  return [...newest.values()].sort((a, b) => byVersion(a.series, b.series));
}

async function cachedNames(): Promise<string[]> {
  try {
    return await readdir(cacheRoot());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function offeredByApt(packages: Packages, pattern: RegExp): Promise<Candidate[]> {
  const known = candidates(await packages.names('linux-image-'), pattern);
  if (known.length > 0) return known;
  // A fresh system image has no package lists.
  await packages.update();
  return candidates(await packages.names('linux-image-'), pattern);
}

/**
 * Fetches Debian's cloud kernels, the newest of each series that apt offers (bookworm: 6.1, and 6.12 from its backports
 * or security archive), into the cache. Uses a cached kernel of the series if fetching fails. Throws ERR_TESTKIT_KERNEL
 * if there is none at all.
 * @param series only these series. @default all
 */
export async function debianKernels(
  series?: readonly string[],
  architecture: Architecture = 'x64',
): Promise<TestKernel[]> {
  const { debian } = MACHINES[architecture];
  const packages = await Packages.of(architecture);
  const wanted = (kernel: Candidate): boolean => series === undefined || series.includes(kernel.series);
  const failures: string[] = [];
  const kernels: TestKernel[] = [];
  const known = await offeredByApt(packages, packagePattern(debian)).catch((error: Error) => {
    failures.push(error.message);
    return [];
  });
  const old = candidates(await cachedNames(), cachedPattern(debian));
  for (const kernel of newestOfEach([...old, ...known].filter(wanted))) {
    const alternatives = [kernel, ...newestOfEach(old).filter((candidate) => candidate.series === kernel.series)];
    const found = await firstAvailable(packages, alternatives, failures);
    if (found !== undefined) kernels.push({ architecture, ...found });
  }
  if (kernels.length > 0) return kernels;
  const reason = failures.length > 0 ? failures.join('\n') : `apt offers no linux-image-*-cloud-${debian}`;
  throw new TestServerError('ERR_TESTKIT_KERNEL', `no kernel could be fetched: ${reason}`);
}

async function firstAvailable(
  packages: Packages,
  kernels: readonly Candidate[],
  failures: string[],
): Promise<Omit<TestKernel, 'architecture'> | undefined> {
  for (const { release, series } of kernels) {
    try {
      const directory = await cached(`kernel-${release}`, '1', (place) => unpack(packages, release, place));
      return { series, release, directory };
    } catch (error) {
      if (!(error instanceof TestServerError)) throw error;
      failures.push(error.message);
    }
  }
  return undefined;
}

async function unpack(packages: Packages, release: string, place: string): Promise<void> {
  const temporary = await mkdtemp(join(tmpdir(), 'ringfence-kernel-'));
  try {
    const tree = join(temporary, 'tree');
    const deb = await packages.download(`linux-image-${release}`, temporary);
    await runTool('dpkg-deb', ['-x', deb, tree]);
    await runTool('busybox', ['depmod', '-b', tree, release]);
    await cp(join(tree, 'boot', `vmlinuz-${release}`), join(place, 'vmlinuz'));
    await takeBootModules(join(tree, 'lib/modules', release), join(place, 'boot'));
    await makeDisk(join(tree, 'lib/modules'), join(place, 'modules.img'));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function moduleName(file: string): string {
  return basename(file)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}

/**
 * Returns the files of modules and of their dependencies, in the order in which they must be inserted.
 * @param dependencies contents of modules.dep: a module's file, then those it needs, the first to insert at the end
 */
export function insertionOrder(dependencies: string, names: readonly string[]): string[] {
  const files = new Map(
    dependencies.split('\n').map((line) => {
      const [file = '', needs = ''] = line.split(':');
      return [moduleName(file), [file, ...needs.split(' ').filter(Boolean)]] as const;
    }),
  );
  return [...new Set(names.flatMap((name) => (files.get(name) ?? []).toReversed()))];
}

async function takeBootModules(modules: string, into: string): Promise<void> {
  await mkdir(into);
  const files = insertionOrder(await readFile(join(modules, 'modules.dep'), 'utf8'), BOOT_MODULES);
  for (const [index, file] of files.entries()) {
    const from = join(modules, file.replace(/^.*?(?=kernel\/)/, ''));
    const to = join(into, `${String(index).padStart(2, '0')}-${moduleName(file)}.ko`);
    await cp(from, file.endsWith('.xz') ? `${to}.xz` : to);
    if (file.endsWith('.xz')) await runTool('busybox', ['unxz', `${to}.xz`]);
  }
}
