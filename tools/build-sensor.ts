/**
 * Compiles the kernel's side against the running kernel's types: dist/sensor/ringfence.bpf.o, the sensor, and trace.bpf.o, which `ringfence trace`
 * loads; and both for the other architecture, in dist/sensor/arm64 or x64. Does nothing when neither sources, kernel nor compiler have changed. Runs by itself too: `node tools/build-sensor.ts`.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { glob, mkdir, mkdtemp, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const sources = join(root, 'bpf');
const out = join(root, 'dist/sensor');
/** Each is made from bpf/NAME.bpf.c. The first is the sensor. */
const objects = ['ringfence', 'trace'] as const;
/** Of this machine's architecture they lie in `out` itself. */
const objectPath = (name: string, arch: string = process.arch): string =>
  join(arch === process.arch ? out : join(out, arch), `${name}.bpf.o`);
const stamp = join(out, 'stamp');
const kernelTypes = '/sys/kernel/btf/vmlinux';

/** clang-16 first: what it makes passes the verifier of every kernel from 6.1. */
const compilers = ['clang-16', 'clang-19', 'clang'];
const architectures: Readonly<Record<string, string>> = { x64: 'x86', arm64: 'arm64' };

/** What of a kernel's types the sensor needs and only one architecture has: where they lie is looked up in the running kernel when the object is loaded. */
const registers: Readonly<Record<string, string>> = {
  x64: `struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};`,
  arm64: `struct user_pt_regs {
	__u64 regs[31];
	__u64 sp, pc, pstate;
};

struct pt_regs {
	union {
		struct user_pt_regs user_regs;
		struct {
			u64 regs[31];
			u64 sp, pc, pstate;
		};
	};
	u64 orig_x0;
	s32 syscallno;
};`,
};
/** With whatever stands before it that is ours to write. */
const REGISTERS = /\n(?:struct user_pt_regs \{\n[^}]*\};\n+)?struct pt_regs \{\n[\s\S]*?\n\};\n/;

export class SensorBuildError extends Error {
  readonly code = 'ERR_SENSOR_BUILD';
  /** what the failing tool wrote */
  readonly output: string;

  constructor(message: string, output: string, cause: unknown) {
    super(output === '' ? message : `${message}\n${output}`, { cause });
    this.name = 'SensorBuildError';
    this.output = output;
  }
}

async function tool(file: string, args: readonly string[], failure: string): Promise<string> {
  try {
    return (await run(file, args, { maxBuffer: 64 << 20 })).stdout;
  } catch (cause) {
    const output = (cause as { stderr?: string }).stderr ?? '';
    throw new SensorBuildError(failure, output.trim(), cause);
  }
}

const foreign = Object.keys(architectures).filter((arch) => arch !== process.arch);
const builds = Object.keys(architectures).flatMap((arch) => objects.map((name) => [arch, name] as const));

/** The first compiler that is there, with its version line. Rejects with SensorBuildError. */
export async function findCompiler(): Promise<{ name: string; version: string }> {
  for (const name of compilers) {
    try {
      return { name, version: (await run(name, ['--version'])).stdout };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new SensorBuildError(`None of ${compilers.join(', ')} is installed: apt-get install clang-16`, '', undefined);
}

async function sourceFiles(): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob('**/*.{c,h}', { cwd: sources })) files.push(join(sources, file));
  return files.sort();
}

/** Of everything the object depends on. */
async function fingerprint(compilerVersion: string): Promise<string> {
  const hash = createHash('sha256').update(compilerVersion);
  try {
    await pipeline(createReadStream(kernelTypes), hash, { end: false });
  } catch (cause) {
    throw new SensorBuildError(`This kernel has no BTF at ${kernelTypes}: it needs CONFIG_DEBUG_INFO_BTF=y`, '', cause);
  }
  for (const file of [...(await sourceFiles()), import.meta.filename]) hash.update(file).update(await readFile(file));
  return hash.digest('hex');
}

async function isCurrent(wanted: string): Promise<boolean> {
  try {
    for (const [arch, name] of builds) await stat(objectPath(name, arch));
    return (await readFile(stamp, 'utf8')) === wanted;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function writeKernelHeader(directory: string): Promise<void> {
  const header = await open(join(directory, 'vmlinux.h'), 'w');
  try {
    const text = await tool(
      'bpftool',
      ['btf', 'dump', 'file', kernelTypes, 'format', 'c'],
      'bpftool could not write the kernel header (apt-get install bpftool; it needs root)',
    );
    await header.writeFile(text);
  } finally {
    await header.close();
  }
}

/** The kernel's types as they are on the other architecture. */
async function writeForeignHeader(arch: string, directory: string): Promise<void> {
  const own = await readFile(join(directory, 'vmlinux.h'), 'utf8');
  const foreign = own.replace(REGISTERS, () => `\n${registers[arch]}\n`);
  if (foreign === own) throw new SensorBuildError("The kernel's types have no struct pt_regs", '', undefined);
  await mkdir(join(directory, arch));
  await writeFile(join(directory, arch, 'vmlinux.h'), foreign);
}

async function compile(arch: string, name: string, compiler: string, top: string): Promise<string> {
  const directory = arch === process.arch ? top : join(top, arch);
  const compiled = join(directory, `${name}.compiled.o`);
  const linked = join(directory, `${name}.bpf.o`);
  await tool(
    compiler,
    [
      ...['-target', 'bpf', '-mcpu=v3', '-O2', '-g', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter'],
      ...['-Wno-sign-compare', `-D__TARGET_ARCH_${architectures[arch]}`, `-I${directory}`],
      ...['-c', join(sources, `${name}.bpf.c`), '-o', compiled],
    ],
    `${compiler} could not compile bpf/${name}.bpf.c for ${arch} (its headers: apt-get install libbpf-dev)`,
  );
  // also drops DWARF, five sixths of the file
  await tool('bpftool', ['gen', 'object', linked, compiled], 'bpftool could not link the object');
  return linked;
}

let built: Promise<string> | undefined;

/**
 * Returns the path of this architecture's sensor. `progress` gets a line per step. Rejects with SensorBuildError. Within a process it is built once: to see
 * that nothing has changed takes 150 ms, and tests ask for each sensor they start.
 */
export function buildSensor(progress: (line: string) => void = () => {}): Promise<string> {
  built ??= build(progress);
  return built;
}

async function build(progress: (line: string) => void): Promise<string> {
  if (architectures[process.arch] === undefined)
    throw new SensorBuildError(`The sensor is written for x64 and arm64, this is ${process.arch}`, '', undefined);
  const compiler = await findCompiler();
  const wanted = await fingerprint(compiler.version);
  if (await isCurrent(wanted)) {
    progress('sensor: up to date');
    return objectPath(objects[0]);
  }
  await mkdir(out, { recursive: true });
  // built aside and moved into place: others may be building or loading it
  const directory = await mkdtemp(join(out, 'build-'));
  try {
    progress("sensor: writing the kernel's types");
    await writeKernelHeader(directory);
    progress(`sensor: compiling with ${compiler.name}`);
    for (const arch of foreign) await writeForeignHeader(arch, directory);
    const made = await Promise.all(builds.map(([arch, name]) => compile(arch, name, compiler.name, directory)));
    // of a build on another machine, which would go before ours
    await rm(join(out, process.arch), { recursive: true, force: true });
    for (const arch of foreign) await mkdir(join(out, arch), { recursive: true });
    for (const [index, [arch, name]] of builds.entries()) await rename(made[index] ?? '', objectPath(name, arch));
    await writeFile(join(directory, 'stamp'), wanted);
    await rename(join(directory, 'stamp'), stamp);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  const sensor = objectPath(objects[0]);
  progress(`sensor: ${sensor}`);
  return sensor;
}

if (import.meta.main) {
  try {
    await buildSensor((line) => process.stderr.write(`${line}\n`));
  } catch (error) {
    if (!(error instanceof SensorBuildError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
