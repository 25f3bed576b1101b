/** A kernel module of a test's own, built for a kernel that a guest is booted with. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached, digest, findProgram, runTool, TestServerError } from '@ringfence/dev-servers/tools';
import type { TestKernel } from './debian.ts';
import { Packages } from './packages.ts';

const COMPILER = 'gcc';
/** the names of the other packages with parts of the headers, which are named after the ABI, not the release */
const PARTS = /linux-(?:headers-\S+-common|kbuild-[^\s,]+)/g;

/** Why no module can be built here; undefined: one can. */
export function moduleMissing(): string | undefined {
  for (const name of ['make', COMPILER]) if (findProgram(name) === undefined) return `there is no ${name}`;
  return undefined;
}

async function fetch(name: string, into: string): Promise<string> {
  await mkdir(into);
  try {
    return await (await Packages.of('x64')).download(name, into);
  } catch (cause) {
    throw new TestServerError('ERR_TESTKIT_KERNEL', `${name} can't be fetched: ${(cause as Error).message}`);
  }
}

/** Debian's headers below the directory. @returns where modules are built */
async function unpackHeaders(release: string, directory: string): Promise<string> {
  const unpack = async (name: string): Promise<string> => {
    const deb = await fetch(name, join(directory, name));
    await runTool('dpkg-deb', ['-x', deb, directory]);
    return deb;
  };
  const deb = await unpack(`linux-headers-${release}`);
  const needs = await runTool('dpkg-deb', ['-f', deb, 'Depends']);
  for (const name of new Set(needs.match(PARTS))) await unpack(name);
  const place = join(directory, `usr/src/linux-headers-${release}`);
  const makefile = join(place, 'Makefile');
  // it names the common part by where that would be installed
  await writeFile(makefile, (await readFile(makefile, 'utf8')).replaceAll(' /usr/src/', ` ${directory}/usr/src/`));
  return place;
}

async function build(release: string, source: string, made: string): Promise<void> {
  const aside = await mkdtemp(join(tmpdir(), 'ringfence-module-'));
  try {
    const module = join(aside, 'module');
    await cp(source, module, { recursive: true });
    const headers = await unpackHeaders(release, aside);
    // types of the kernel itself, which the headers lack, would be needed for BTF
    const settings = [`M=${module}`, `CC=${COMPILER}`, 'CONFIG_DEBUG_INFO_BTF_MODULES='];
    await runTool('make', ['-C', headers, ...settings, 'modules']);
    for (const name of await readdir(module)) if (name.endsWith('.ko')) await cp(join(module, name), join(made, name));
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/**
 * Builds a module by Debian's headers of that kernel, which are fetched, and keeps it in the cache. Throws ERR_TESTKIT_KERNEL when they can't be had,
 * ERR_TESTKIT_TOOL when it doesn't build.
 * @param source a directory with a Kbuild file
 * @returns the module's file
 */
export async function buildModule({ release, architecture }: TestKernel, source: string): Promise<string> {
  if (architecture !== 'x64') throw new TestServerError('ERR_TESTKIT_KERNEL', `no module is built for ${architecture}`);
  const names = (await readdir(source)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(source, name))));
  const directory = await cached(`module-${release}`, digest(...names, ...texts), (made) =>
    build(release, source, made),
  );
  const [file] = await readdir(directory);
  if (file === undefined) throw new TestServerError('ERR_TESTKIT_KERNEL', `${source} makes no module`);
  return join(directory, file);
}
