import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  children,
  createWorkplace,
  findProgram,
  removeWorkplace,
  runTool,
  TestServerError,
} from '@ringfence/dev-servers/tools';
import type { TestKernel } from './debian.ts';
import { makeDisk } from './disk.ts';
import { foreignUserSpace } from './foreign-user-space.ts';
import { type Architecture, MACHINES } from './machine.ts';
import { type UserSpace, userSpace } from './user-space.ts';

export interface GuestOptions {
  readonly kernel: TestKernel;
  /** a directory that the guest has as /program; what it writes there is gone with it */
  readonly program: string;
  /** run by the guest's shell in /program */
  readonly command: string;
  /** from the start of the machine */
  readonly timeoutMs: number;
  /** added to the kernel's command line */
  readonly kernelArguments?: string;
  /** its clock counts instructions, a nanosecond each, on one processor. @default false: it is this machine's */
  readonly countInstructions?: boolean;
  /** gets each line that the command prints, as it comes */
  readonly onLine?: (line: string) => void;
  /** ends the machine at once */
  readonly signal?: AbortSignal;
}

export interface GuestResult {
  /** of the command */
  readonly exitCode: number;
  /** what the kernel and the command's standard error said */
  readonly console: string;
}

const MEMORY_MIB = 1024;
const CPUS = 2;
const EXIT = /^ringfence-guest-exit (\d+)$/;
const SHOWN_LINES = 60;

/** The root disk is there once the modules are; everything else is on it. */
const FIRST_INIT = `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs devtmpfs /dev
for module in /boot/*.ko; do [ -e "$module" ] && /bin/busybox insmod "$module"; done
until [ -b /dev/vdc ]; do /bin/busybox sleep 0.05; done
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /init
`;

/** Why no guest of that architecture can be run here; undefined: one can. */
export function guestMissing(architecture: Architecture = 'x64'): string | undefined {
  const { emulator, emulatorPackage } = MACHINES[architecture];
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'guests are known to work on x86-64 Linux only';
  if (findProgram(emulator) === undefined) return `there is no ${emulator} (${emulatorPackage})`;
  if (findProgram('busybox') === undefined) return 'there is no busybox (busybox-static)';
  for (const name of ['apt-get', 'dpkg-deb', 'mke2fs', 'ldd'])
    if (findProgram(name) === undefined) return `there is no ${name}`;
  return undefined;
}

async function makeInitramfs(kernel: TestKernel, busybox: string, place: string): Promise<string> {
  const tree = join(place, 'initramfs');
  for (const name of ['bin', 'dev', 'root']) await mkdir(join(tree, name), { recursive: true });
  await cp(busybox, join(tree, 'bin/busybox'), { dereference: true });
  await cp(join(kernel.directory, 'boot'), join(tree, 'boot'), { recursive: true });
  await writeFile(join(tree, 'init'), FIRST_INIT, { mode: 0o755 });
  const file = `${tree}.cpio`;
  await runTool('sh', ['-c', 'find . | busybox cpio -o -H newc >"$1" 2>/dev/null', 'sh', file], { cwd: tree });
  return file;
}

/**
 * A virtual machine may have a /dev/kvm that boots no kernel as it is: only where the processor itself says so. Emulated, all of a guest's processors take
 * turns on one thread: on several, Node's compiled code ended by SIGSEGV in one run of three (QEMU 7.2).
 */
function accelerators(architecture: Architecture, countInstructions: boolean): string[] {
  if (countInstructions) return ['-accel', 'tcg,thread=single', '-icount', 'shift=0,sleep=off', '-smp', '1'];
  const real =
    architecture === process.arch && /^flags\s*:.* (vmx|svm)( |$)/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
  return [...(real ? ['-accel', 'kvm'] : []), '-accel', 'tcg,thread=single', '-smp', String(CPUS)];
}

function disk(file: string): string[] {
  // what the guest writes goes to a file without a name
  return ['-drive', `file=${file},format=raw,if=virtio,snapshot=on`];
}

async function machine(options: GuestOptions, place: string): Promise<string[]> {
  const { kernel, program, command, kernelArguments = '', countInstructions = false } = options;
  await writeFile(join(program, 'guest-command'), `${command}\n`);
  const programDisk = join(place, 'program.img');
  await makeDisk(program, programDisk, 32);
  const { architecture } = kernel;
  const { console, arguments: ofMachine } = MACHINES[architecture];
  const root: UserSpace = architecture === process.arch ? await userSpace() : await foreignUserSpace(architecture);
  return [
    ...[...accelerators(architecture, countInstructions), ...ofMachine(join(place, 'console'))],
    ...['-m', String(MEMORY_MIB), '-nodefaults', '-display', 'none', '-no-reboot'],
    ...['-kernel', join(kernel.directory, 'vmlinuz'), '-initrd', await makeInitramfs(kernel, root.busybox, place)],
    // on a busy machine the emulated timer ticks too late for the kernel's check, which then waits for ever
    ...[
      '-append',
      // the last one is for tests that may change a guest and nothing else: kernels pass over what has a dot and is no module's
      `console=${console} quiet loglevel=4 panic=-1 no_timer_check rdinit=/init ringfence.guest ${kernelArguments}`.trim(),
    ],
    ...disk(root.disk),
    ...disk(join(kernel.directory, 'modules.img')),
    ...disk(programDisk),
  ];
}

function start(emulator: string, args: readonly string[], place: string): ChildProcess {
  // It must not outlive this process, however that ends.
  const command = [findProgram(emulator) ?? '', ...args];
  const child = spawn(findProgram('setpriv') ?? 'setpriv', ['--pdeathsig', 'KILL', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, TMPDIR: place },
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Its lines until it has ended; the command's exit code. It is killed when it takes too long, or is not wanted any more. */
async function follow(
  child: ChildProcess,
  { timeoutMs, onLine, signal }: GuestOptions,
  said: string[],
): Promise<number | undefined> {
  let exitCode: number | undefined;
  const end = (why: string): void => {
    said.push(`the guest was ended ${why}`);
    child.kill('SIGKILL');
  };
  const late = setTimeout(end, timeoutMs, `after ${timeoutMs / 1000} s`);
  const unwanted = (): void => end('by who had started it');
  signal?.addEventListener('abort', unwanted);
  if (child.stdout === null || child.stderr === null) throw new TypeError('the machine has no pipes');
  createInterface(child.stdout).on('line', (line) => {
    const text = line.replaceAll('\r', '');
    const code = EXIT.exec(text)?.[1];
    if (code !== undefined) exitCode = Number(code);
    else onLine?.(text);
  });
  createInterface(child.stderr).on('line', (line) => said.push(`qemu: ${line}`));
  try {
    await once(child, 'close');
  } finally {
    clearTimeout(late);
    signal?.removeEventListener('abort', unwanted);
    child.kill('SIGKILL');
  }
  return exitCode;
}

/**
 * Boots a kernel in a machine of its own (QEMU; without KVM it is emulated), with this machine's programs and Node, runs a command there and takes
 * its lines over the serial line. No network. Throws ERR_TESTKIT_GUEST, with the end of the console, when the machine ends before the command has, or
 * takes longer than `timeoutMs`, or when `signal` aborts.
 */
export async function runInGuest(options: GuestOptions): Promise<GuestResult> {
  const place = createWorkplace('guest');
  try {
    const said: string[] = [];
    const { emulator } = MACHINES[options.kernel.architecture];
    const args = await machine(options, place);
    options.signal?.throwIfAborted();
    const exitCode = await follow(start(emulator, args, place), options, said);
    const console = `${await readFile(join(place, 'console'), 'utf8').catch(() => '')}${said.join('\n')}`;
    if (exitCode !== undefined) return { exitCode, console };
    const tail = console.split('\n').slice(-SHOWN_LINES).join('\n');
    throw new TestServerError('ERR_TESTKIT_GUEST', `the guest with ${options.kernel.release} did not finish:\n${tail}`);
  } finally {
    removeWorkplace(place);
  }
}
