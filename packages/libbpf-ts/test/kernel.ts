import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isBpfFileSystem } from '../src/index.ts';

export const programs: string = join(import.meta.dirname, 'programs');

const clangs = ['clang-16', 'clang', 'clang-19', 'clang-15', 'clang-14'];

export const clang: string | undefined = clangs.find((name) => isInstalled(name, '--version'));

function isInstalled(command: string, argument: string): boolean {
  try {
    execFileSync(command, [argument], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** For `test(..., { skip })`: the reason to skip tests of BPF, or false. */
export const skip: string | false = skipReason() ?? false;

function skipReason(): string | undefined {
  if (process.getuid?.() !== 0) return 'loading BPF programs needs root';
  if (!existsSync('/sys/kernel/btf/vmlinux')) return 'the kernel has no BTF';
  if (clang === undefined) return 'no clang to compile the test programs with';
  return undefined;
}

export const skipPins: string | false =
  skip ||
  (existsSync('/sys/fs/bpf') && isBpfFileSystem('/sys/fs/bpf')
    ? false
    : '/sys/fs/bpf is not mounted (mount -t bpf bpf /sys/fs/bpf)');

/** Creates a temporary directory, which dispose removes. */
export function scratch(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'libbpf-ts-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

/** Compiles a program of this folder's programs/ and returns the path of the object. */
export function compile(name: string, directory: string): string {
  return compileFile(join(programs, `${name}.bpf.c`), join(directory, `${name}.bpf.o`));
}

export function compileFile(source: string, output: string): string {
  const [arch, include] = process.arch === 'arm64' ? ['arm64', 'aarch64-linux-gnu'] : ['x86', 'x86_64-linux-gnu'];
  const flags = ['-g', '-O2', '-target', 'bpf', `-D__TARGET_ARCH_${arch}`, `-I/usr/include/${include}`];
  execFileSync(clang ?? 'clang', [...flags, '-c', source, '-o', output]);
  return output;
}

/** Returns the mount point of cgroup v2, which is not /sys/fs/cgroup on systems in hybrid mode. */
export function cgroup2(): string | undefined {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .find((fields) => fields[2] === 'cgroup2')?.[1];
}

export const bpftool: string | undefined = ['bpftool', '/usr/sbin/bpftool'].find((name) =>
  isInstalled(name, 'version'),
);
