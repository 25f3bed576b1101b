/**
 * Prepares the directory of a guest: sources of the sensor's tests, the object built here, and the programs that
 * provoke events.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BARRIER_OBJECT } from '@ringfence/barrier';
import { buildSensor } from '@ringfence/sensor/build';
import { type Architecture, type TestKernel, unpackFromNpm } from '@ringfence/testkit/kernels';
import { compileProgram, LIBRARIES } from '@ringfence/testkit/sensor';

const root = join(import.meta.dirname, '../../..');
const SOURCES = ['package.json', 'bpf', 'packages', 'test/kernel', 'test/kernels', 'tools'];
/** Workspace packages that the sensor's tests import; those that they depend on are added. */
const TESTED = ['packages/sensor', 'packages/host-facts', 'packages/barrier'];
/** Added without its dependencies: the sensor's tests use only the part that needs nothing from the registry. */
const TESTKIT = 'packages/testkit';
const SCOPE = '@ringfence/';
/** Sources of the whole program. */
const PROGRAM_SOURCES = ['package.json', 'packages', 'services', 'cli', 'deploy/bin', 'test/kernels'];
/** Sources that a guest needs to record actions of rules, beside the program. */
const LAB_SOURCES = ['rules', 'test/kernel', 'test/recordings', 'tools'];
const ENGINE = 'dist/engine';
const EXCLUDED = new Set(['node_modules', 'dist', 'bench']);

/** path in the guest's directory */
export const PREBUILT = 'prebuilt';
/** The sensor, and the programs of the network */
const OBJECTS = ['ringfence.bpf.o', BARRIER_OBJECT];
/** path of the module of test/kernels/module in the guest's directory */
export const MODULE: string = `${PREBUILT}/rf_rootkit.ko`;

interface Manifest {
  readonly dependencies?: { readonly [name: string]: string };
  readonly optionalDependencies?: { readonly [name: string]: string };
}

function dependencyNames(directory: string): string[] {
  const manifest = JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8')) as Manifest;
  return Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
}

/** Returns the directories of workspace packages, with those of all workspace packages that they depend on. */
function withWorkspaceDependencies(directories: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (directory: string): void => {
    if (found.has(directory)) return;
    found.add(directory);
    for (const name of dependencyNames(directory))
      if (name.startsWith(SCOPE)) visit(`packages/${name.slice(SCOPE.length)}`);
  };
  for (const directory of directories) visit(directory);
  return [...found];
}

/**
 * Returns the names of all registry packages that packages need directly or indirectly. Optional ones that are not
 * installed are left out.
 */
function registryDependencies(directories: readonly string[]): Set<string> {
  const found = new Set<string>();
  const visit = (directory: string): void => {
    for (const name of dependencyNames(directory)) {
      if (name.startsWith(SCOPE) || found.has(name) || !existsSync(join(root, 'node_modules', name))) continue;
      found.add(name);
      visit(join('node_modules', name));
    }
  };
  for (const directory of directories) visit(directory);
  return found;
}

function copy(directory: string, paths: readonly string[]): void {
  const filter = (path: string): boolean => !EXCLUDED.has(basename(path));
  for (const path of paths) cpSync(join(root, path), join(directory, path), { recursive: true, filter });
}

/** @param packages workspace packages whose registry dependencies are copied, and which can be imported by name */
function copySources(directory: string, sources: readonly string[], packages: readonly string[]): void {
  copy(directory, sources);
  for (const name of registryDependencies(packages))
    cpSync(join(root, 'node_modules', name), join(directory, 'node_modules', name), { recursive: true });
  mkdirSync(join(directory, 'node_modules/@ringfence'));
  for (const path of packages) linkPackage(directory, path);
}

function linkPackage(directory: string, path: string): void {
  symlinkSync(`../../${path}`, join(directory, 'node_modules/@ringfence', basename(path)));
}

/** Copies the sources of the sensor's tests. */
function copyTests(directory: string): void {
  copySources(directory, SOURCES, withWorkspaceDependencies(TESTED));
  linkPackage(directory, TESTKIT);
}

/** Fills the directory with the installed `ringfence` command. */
export async function writeProgram(directory: string): Promise<void> {
  copySources(directory, PROGRAM_SOURCES, globSync(['packages/*', 'services/*', 'cli'], { cwd: root }));
  const bin = join(directory, `node_modules/node-linux-${process.arch}/bin`);
  mkdirSync(bin, { recursive: true });
  symlinkSync('/usr/local/bin/node', join(bin, 'node'));
  await copyObjects(join(directory, 'dist/sensor'));
}

/** Copies what is compiled for this architecture, or for another one. */
async function copyObjects(directory: string, architecture = ''): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const from = join(dirname(await buildSensor()), architecture);
  for (const object of OBJECTS) copyFileSync(join(from, object), join(directory, object));
}

/**
 * Fills the directory for another architecture: with its object, and with its build of the one package that contains
 * machine code. The programs that provoke events are left out.
 */
export async function writeForeignTree(directory: string, architecture: Architecture): Promise<void> {
  copyTests(directory);
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/koffi/package.json'), 'utf8')) as {
    version: string;
  };
  const koffi = `@koromix/koffi-linux-${architecture}`;
  await unpackFromNpm(`${koffi}@${version}`, join(directory, 'node_modules', koffi));
  await copyObjects(join(directory, PREBUILT), architecture);
}

/**
 * Fills the directory with the sensor's tests.
 * @param kernel the kernel that the tests run on, and that one of them loads
 */
export async function writeTree(directory: string, kernel: TestKernel): Promise<void> {
  copyTests(directory);
  await copyObjects(join(directory, PREBUILT));
  copyFileSync(join(kernel.directory, 'vmlinuz'), join(directory, PREBUILT, 'vmlinuz'));
  compilePrograms(join(directory, PREBUILT));
}

function compilePrograms(directory: string): void {
  const programs = join(root, 'test/kernel/programs');
  for (const name of globSync('*.c', { cwd: programs }).map((file) => basename(file, '.c')))
    if (LIBRARIES[name] === undefined) compileProgram(name, join(directory, name));
}

/** Copies the container engine, with the libraries that it finds on this machine. */
function copyEngine(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  const output = execFileSync('ldd', [join(from, 'root/usr/sbin/dockerd')], { encoding: 'utf8' });
  for (const [, library = ''] of output.matchAll(/ => (\/\S+) \(0x/g)) {
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
  await copyObjects(join(directory, PREBUILT));
  compilePrograms(join(directory, PREBUILT));
}

/** Returns the command that runs a program of this repository in a guest. */
export function nodeCommand(file: string, args: readonly string[] = []): string {
  const flags = '--conditions=@ringfence/source --disable-warning=ExperimentalWarning';
  const environment = `RINGFENCE_TEST_PREBUILT=/program/${PREBUILT} NODE_COMPILE_CACHE=/tmp/compile-cache`;
  return `exec env ${environment} node ${flags} ${file} ${args.join(' ')}`;
}

export function testFiles(filters: readonly string[] = []): string[] {
  const found = globSync('test/kernel/sensor/*.test.ts', { cwd: root }).sort();
  return found.filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)));
}
