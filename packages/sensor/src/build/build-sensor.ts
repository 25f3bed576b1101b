/**
 * Compiles the BPF programs against the types of the running kernel: dist/sensor/ringfence.bpf.o, the sensor,
 * trace.bpf.o, which `ringfence trace` loads, and barrier.bpf.o, which blocks and isolates. Compiles them for the other
 * architecture too, to dist/sensor/arm64 or dist/sensor/x64. Does nothing if sources, kernel and compiler are
 * unchanged. Also a script: `node packages/sensor/src/build/build-sensor.ts`.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { glob, mkdir, mkdtemp, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../../..');
const sources = join(root, 'bpf');
const outputDirectory = join(root, 'dist/sensor');
/** Each object is compiled from bpf/NAME.bpf.c. The first is the sensor. */
const objects = ['ringfence', 'trace', 'barrier'] as const;
/** Objects for this machine's architecture are in the output directory itself. */
const objectPath = (name: string, arch: string = process.arch): string =>
  join(arch === process.arch ? outputDirectory : join(outputDirectory, arch), `${name}.bpf.o`);
const stamp = join(outputDirectory, 'stamp');
const kernelTypes = '/sys/kernel/btf/vmlinux';

/** Prefers clang-16, whose output passes the verifier of every kernel from 6.1. */
const compilers = ['clang-16', 'clang-19', 'clang'];
const architectures: Readonly<Record<string, string>> = { x64: 'x86', arm64: 'arm64' };

/**
 * The kernel types that the sensor needs and that differ by architecture. The offsets of their fields need not match a
 * kernel: loading the object relocates them.
 */
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
/** Matches struct pt_regs, including a preceding struct user_pt_regs. */
const REGISTERS = /\n(?:struct user_pt_regs \{\n[^}]*\};\n+)?struct pt_regs \{\n[\s\S]*?\n\};\n/;

export type SensorBuildErrorCode =
  /** The sensor could not be compiled. Install what the message names (clang, bpftool, libbpf), then build again. */
  'ERR_SENSOR_BUILD';

export class SensorBuildError extends Error {
  readonly code: SensorBuildErrorCode = 'ERR_SENSOR_BUILD';
  /** stderr of the failed tool */
  readonly output: string;

  constructor(message: string, output: string, cause: unknown) {
    super(output === '' ? message : `${message}\n${output}`, { cause });
    this.name = 'SensorBuildError';
    this.output = output;
  }
}

async function runTool(file: string, args: readonly string[], failure: string): Promise<string> {
  try {
    return (await run(file, args, { maxBuffer: 64 << 20 })).stdout;
  } catch (cause) {
    const output = (cause as { stderr?: string }).stderr ?? '';
    throw new SensorBuildError(failure, output.trim(), cause);
  }
}

const otherArchitectures = Object.keys(architectures).filter((arch) => arch !== process.arch);
const builds = Object.keys(architectures).flatMap((arch) => objects.map((name) => [arch, name] as const));

/** Returns the first installed compiler with its version. Rejects with SensorBuildError if none is installed. */
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

/** Returns a hash of everything that the objects depend on. */
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

async function isCurrent(expected: string): Promise<boolean> {
  try {
    for (const [arch, name] of builds) await stat(objectPath(name, arch));
    return (await readFile(stamp, 'utf8')) === expected;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function writeKernelHeader(directory: string): Promise<void> {
  const header = await open(join(directory, 'vmlinux.h'), 'w');
  try {
    const text = await runTool(
      'bpftool',
      ['btf', 'dump', 'file', kernelTypes, 'format', 'c'],
      'bpftool could not write the kernel header (apt-get install bpftool; it needs root)',
    );
    await header.writeFile(text);
  } finally {
    await header.close();
  }
}

/** Writes the kernel's types with the registers of another architecture. */
async function writeForeignHeader(arch: string, directory: string): Promise<void> {
  const header = await readFile(join(directory, 'vmlinux.h'), 'utf8');
  const replaced = header.replace(REGISTERS, () => `\n${registers[arch]}\n`);
  if (replaced === header) throw new SensorBuildError("The kernel's types have no struct pt_regs", '', undefined);
  await mkdir(join(directory, arch));
  await writeFile(join(directory, arch, 'vmlinux.h'), replaced);
}

async function compile(arch: string, name: string, compiler: string, top: string): Promise<string> {
  const directory = arch === process.arch ? top : join(top, arch);
  const compiled = join(directory, `${name}.compiled.o`);
  const linked = join(directory, `${name}.bpf.o`);
  await runTool(
    compiler,
    [
      ...['-target', 'bpf', '-mcpu=v3', '-O2', '-g', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter'],
      ...['-Wno-sign-compare', `-D__TARGET_ARCH_${architectures[arch]}`, `-I${directory}`],
      ...['-c', join(sources, `${name}.bpf.c`), '-o', compiled],
    ],
    `${compiler} could not compile bpf/${name}.bpf.c for ${arch} (for its headers: apt-get install libbpf-dev)`,
  );
  // Linking also drops DWARF, which is five sixths of the file.
  await runTool('bpftool', ['gen', 'object', linked, compiled], 'bpftool could not link the object');
  return linked;
}

let built: Promise<string> | undefined;

/**
 * Builds the sensor and returns its path. Calls `progress` with a line per step. Rejects with SensorBuildError. Builds
 * only once per process: checking that nothing has changed takes 150 ms, and tests call this for each sensor that they
 * start.
 */
export function buildSensor(progress: (line: string) => void = () => {}): Promise<string> {
  built ??= build(progress);
  return built;
}

async function build(progress: (line: string) => void): Promise<string> {
  if (architectures[process.arch] === undefined)
    throw new SensorBuildError(`The sensor supports x64 and arm64; this is ${process.arch}`, '', undefined);
  const compiler = await findCompiler();
  const wanted = await fingerprint(compiler.version);
  if (await isCurrent(wanted)) {
    progress('sensor: up to date');
    return objectPath(objects[0]);
  }
  await mkdir(outputDirectory, { recursive: true });
  // Build in a temporary directory and rename, because other processes may build or load the objects.
  const directory = await mkdtemp(join(outputDirectory, 'build-'));
  try {
    progress("sensor: writing the kernel's types");
    await writeKernelHeader(directory);
    progress(`sensor: compiling with ${compiler.name}`);
    for (const arch of otherArchitectures) await writeForeignHeader(arch, directory);
    const linkedObjects = await Promise.all(
      builds.map(([arch, name]) => compile(arch, name, compiler.name, directory)),
    );
    // Remove objects that another machine built for this architecture: they would take precedence over ours.
    await rm(join(outputDirectory, process.arch), { recursive: true, force: true });
    for (const arch of otherArchitectures) await mkdir(join(outputDirectory, arch), { recursive: true });
    for (const [index, [arch, name]] of builds.entries())
      await rename(linkedObjects[index] ?? '', objectPath(name, arch));
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
