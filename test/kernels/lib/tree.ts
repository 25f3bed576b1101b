/** What a guest is given: the sources that tests of the sensor use, the object built here, and the programs that provoke it. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { buildSensor } from '@ringfence/sensor/build';
import { type Architecture, type TestKernel, unpackFromNpm } from '@ringfence/testkit/kernels';
import { compileProgram, LIBRARIES } from '@ringfence/testkit/sensor';

const root = join(import.meta.dirname, '../../..');
const SOURCES = ['package.json', 'bpf', 'packages', 'services/collector', 'test/kernel', 'test/kernels', 'tools'];
/** of ours, that the sensor's tests import by name; what these need of the registry comes along */
const OWN = ['packages/config', 'packages/libbpf-ts', 'packages/wire'];
/** the same for the whole program */
const PROGRAM_SOURCES = ['package.json', 'packages', 'services', 'cli', 'deploy/bin', 'test/kernels'];
/** Sources that a guest needs to record actions of rules, beside the program. */
const LAB_SOURCES = ['rules', 'test/kernel', 'test/recordings', 'tools'];
const ENGINE = 'dist/engine';
const LEFT_OUT = new Set(['node_modules', 'dist', 'bench']);

/** relative to the tree */
export const PREBUILT = 'prebuilt';
const SENSOR = 'ringfence.bpf.o';
/** the module of test/kernels/module, where a guest is given it */
export const MODULE: string = `${PREBUILT}/rf_rootkit.ko`;

interface Manifest {
  readonly dependencies?: { readonly [name: string]: string };
  readonly optionalDependencies?: { readonly [name: string]: string };
}

/** Names of all packages of the registry that these directories' packages need, by way of others too. Optional ones may be absent. */
function dependenciesOf(directories: readonly string[]): Set<string> {
  const found = new Set<string>();
  const visit = (directory: string): void => {
    const manifest = JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8')) as Manifest;
    const names = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    for (const name of names.filter((name) => !name.startsWith('@ringfence/') && !found.has(name))) {
      if (!existsSync(join(root, 'node_modules', name))) continue;
      found.add(name);
      visit(join('node_modules', name));
    }
  };
  for (const directory of directories) visit(directory);
  return found;
}

function copy(directory: string, paths: readonly string[]): void {
  const filter = (path: string): boolean => !LEFT_OUT.has(basename(path));
  for (const path of paths) cpSync(join(root, path), join(directory, path), { recursive: true, filter });
}

/** @param own packages of ours that are imported by name */
function copySources(directory: string, sources: readonly string[], own: readonly string[]): void {
  copy(directory, sources);
  for (const name of dependenciesOf(own))
    cpSync(join(root, 'node_modules', name), join(directory, 'node_modules', name), { recursive: true });
  mkdirSync(join(directory, 'node_modules/@ringfence'));
  for (const path of own) symlinkSync(`../../${path}`, join(directory, 'node_modules/@ringfence', basename(path)));
}

/** Fills the directory with the `ringfence` command as it is installed. */
export async function writeProgram(directory: string): Promise<void> {
  copySources(directory, PROGRAM_SOURCES, globSync(['packages/*', 'services/*', 'cli'], { cwd: root }));
  mkdirSync(join(directory, 'node_modules/node/bin'), { recursive: true });
  symlinkSync('/usr/local/bin/node', join(directory, 'node_modules/node/bin/node'));
  mkdirSync(join(directory, 'dist/sensor'), { recursive: true });
  copyFileSync(await buildSensor(), join(directory, 'dist/sensor', SENSOR));
}

/** For another architecture: its object, and the one package with code of the machine. There are none of the programs that provoke things. */
export async function writeForeignTree(directory: string, architecture: Architecture): Promise<void> {
  copySources(directory, SOURCES, OWN);
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/koffi/package.json'), 'utf8')) as {
    version: string;
  };
  const koffi = `@koromix/koffi-linux-${architecture}`;
  await unpackFromNpm(`${koffi}@${version}`, join(directory, 'node_modules', koffi));
  mkdirSync(join(directory, PREBUILT));
  const object = join(dirname(await buildSensor()), architecture, SENSOR);
  copyFileSync(object, join(directory, PREBUILT, SENSOR));
}

/** Fills the directory with the sensor's tests. @param kernel that they run on, and load */
export async function writeTree(directory: string, kernel: TestKernel): Promise<void> {
  copySources(directory, SOURCES, OWN);
  mkdirSync(join(directory, PREBUILT));
  copyFileSync(await buildSensor(), join(directory, PREBUILT, SENSOR));
  copyFileSync(join(kernel.directory, 'vmlinuz'), join(directory, PREBUILT, 'vmlinuz'));
  compilePrograms(join(directory, PREBUILT));
}

function compilePrograms(directory: string): void {
  const programs = join(root, 'test/kernel/programs');
  for (const name of globSync('*.c', { cwd: programs }).map((file) => basename(file, '.c')))
    if (LIBRARIES[name] === undefined) compileProgram(name, join(directory, name));
}

/** With the libraries that it finds on this machine. */
function copyEngine(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  const said = execFileSync('ldd', [join(from, 'root/usr/sbin/dockerd')], { encoding: 'utf8' });
  for (const [, library = ''] of said.matchAll(/ => (\/\S+) \(0x/g)) {
    const place = join(to, 'root/usr/lib', basename(dirname(library)));
    mkdirSync(place, { recursive: true });
    copyFileSync(library, join(place, basename(library)));
  }
}

/**
 * Fills the directory with the program and the sources that record actions of rules.
 * @param withEngine adds the container engine
 */
export async function writeLab(directory: string, withEngine: boolean): Promise<void> {
  await writeProgram(directory);
  copy(directory, LAB_SOURCES);
  if (withEngine) copyEngine(join(root, ENGINE), join(directory, ENGINE));
  mkdirSync(join(directory, PREBUILT));
  copyFileSync(await buildSensor(), join(directory, PREBUILT, SENSOR));
  compilePrograms(join(directory, PREBUILT));
}

/** The command of a guest that runs a program of this repository there. */
export function nodeCommand(file: string, args: readonly string[] = []): string {
  const flags = '--conditions=@ringfence/source --disable-warning=ExperimentalWarning';
  const environment = `RINGFENCE_TEST_PREBUILT=/program/${PREBUILT} NODE_COMPILE_CACHE=/tmp/compile-cache`;
  return `exec env ${environment} node ${flags} ${file} ${args.join(' ')}`;
}

export function testFiles(filters: readonly string[] = []): string[] {
  const found = globSync('test/kernel/sensor/*.test.ts', { cwd: root }).sort();
  return found.filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)));
}
