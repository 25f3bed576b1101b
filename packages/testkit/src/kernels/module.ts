/** Builds a kernel module of a test for the kernel of a guest. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached, digest, findProgram, runTool, TestServerError } from '@ringfence/dev-servers/tools';
import type { TestKernel } from './debian.ts';
import { Packages } from './packages.ts';

const COMPILER = 'gcc';
/** Names of the other packages that contain parts of the headers. They are named after the ABI, not the release. */
const PARTS = /linux-(?:headers-\S+-common|kbuild-[^\s,]+)/g;

/** Returns why no module can be built here, or undefined. */
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

/** Unpacks Debian's headers into the directory. @returns the directory in which modules are built */
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
  // The makefile refers to the common part by its installed path.
  await writeFile(makefile, (await readFile(makefile, 'utf8')).replaceAll(' /usr/src/', ` ${directory}/usr/src/`));
  return place;
}

async function build(release: string, source: string, target: string): Promise<void> {
  const temporary = await mkdtemp(join(tmpdir(), 'ringfence-module-'));
  try {
    const module = join(temporary, 'module');
    await cp(source, module, { recursive: true });
    const headers = await unpackHeaders(release, temporary);
    // BTF would need the types of the kernel itself, which the headers lack.
    const settings = [`M=${module}`, `CC=${COMPILER}`, 'CONFIG_DEBUG_INFO_BTF_MODULES='];
    await runTool('make', ['-C', headers, ...settings, 'modules']);
    for (const name of await readdir(module))
      if (name.endsWith('.ko')) await cp(join(module, name), join(target, name));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/**
 * Builds a module with Debian's headers of that kernel, which are fetched, and caches it. Throws ERR_TESTKIT_KERNEL if
 * the headers can't be fetched, ERR_TESTKIT_TOOL if the build fails.
 * @param source a directory with a Kbuild file
 * @returns the module's file
 */
export async function buildModule({ release, architecture }: TestKernel, source: string): Promise<string> {
  if (architecture !== 'x64') throw new TestServerError('ERR_TESTKIT_KERNEL', `no module is built for ${architecture}`);
  const names = (await readdir(source)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(source, name))));
  const directory = await cached(`module-${release}`, digest(...names, ...texts), (target) =>
    build(release, source, target),
  );
  const [file] = await readdir(directory);
  if (file === undefined) throw new TestServerError('ERR_TESTKIT_KERNEL', `${source} builds no module`);
  return join(directory, file);
}
