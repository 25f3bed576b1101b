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
  /** directory that becomes the guest's /program; the guest's changes are discarded */
  readonly program: string;
  /** command for the guest's shell, run in /program */
  readonly command: string;
  /** deadline, from the start of the machine */
  readonly timeoutMs: number;
  /** added to the kernel's command line */
  readonly kernelArguments?: string;
  /** let the clock count instructions, one per nanosecond, with one processor. @default false: real time */
  readonly countInstructions?: boolean;
  /** called with each line that the command prints */
  readonly onLine?: (line: string) => void;
  /** stops the machine at once */
  readonly signal?: AbortSignal;
}

export interface GuestResult {
  /** exit code of the command */
  readonly exitCode: number;
  /** messages of the kernel, and the command's standard error */
  readonly console: string;
}

const MEMORY_MIB = 1024;
const CPUS = 2;
const EXIT = /^ringfence-guest-exit (\d+)$/;
const SHOWN_LINES = 60;

/** Init of the initramfs: inserts modules until the root disk is available, and continues from there. */
const FIRST_INIT = `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs devtmpfs /dev
for module in /boot/*.ko; do [ -e "$module" ] && /bin/busybox insmod "$module"; done
until [ -b /dev/vdc ]; do /bin/busybox sleep 0.05; done
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /init
`;

/** Returns why no guest of that architecture can run here, or undefined. */
export function guestMissing(architecture: Architecture = 'x64'): string | undefined {
  const { emulator, emulatorPackage } = MACHINES[architecture];
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'guests are only supported on x86-64 Linux';
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
 * Uses KVM only if the processor itself supports virtualization: in a virtual machine, /dev/kvm may exist but boot no
 * kernel. All emulated processors share one thread, because with several of them, Node's compiled code ended with
 * SIGSEGV in one run of three (QEMU 7.2).
 */
function accelerators(architecture: Architecture, countInstructions: boolean): string[] {
  if (countInstructions) return ['-accel', 'tcg,thread=single', '-icount', 'shift=0,sleep=off', '-smp', '1'];
  const hasVirtualization =
    architecture === process.arch && /^flags\s*:.* (vmx|svm)( |$)/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
  return [...(hasVirtualization ? ['-accel', 'kvm'] : []), '-accel', 'tcg,thread=single', '-smp', String(CPUS)];
}

function disk(file: string): string[] {
  // The guest's changes go to a temporary file.
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
    // On a busy machine the emulated timer ticks too late for the kernel's check, which would then wait forever.
    ...[
      '-append',
      // ringfence.guest permits tests that change the machine. Kernels ignore arguments with a dot that belong to no
      // module.
      `console=${console} quiet loglevel=4 panic=-1 no_timer_check rdinit=/init ringfence.guest ${kernelArguments}`.trim(),
    ],
    ...disk(root.disk),
    ...disk(join(kernel.directory, 'modules.img')),
    ...disk(programDisk),
  ];
}

function start(emulator: string, args: readonly string[], place: string): ChildProcess {
  // The machine must end with this process, even if that is killed.
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

/**
 * Forwards the command's lines until the machine ends. Returns the command's exit code. Stops the machine at the
 * deadline and when the signal aborts.
 */
async function follow(
  child: ChildProcess,
  { timeoutMs, onLine, signal }: GuestOptions,
  log: string[],
): Promise<number | undefined> {
  let exitCode: number | undefined;
  const stop = (reason: string): void => {
    log.push(`the guest was stopped ${reason}`);
    child.kill('SIGKILL');
  };
  const timer = setTimeout(stop, timeoutMs, `after ${timeoutMs / 1000} s`);
  const onAbort = (): void => stop('by its caller');
  signal?.addEventListener('abort', onAbort);
  if (child.stdout === null || child.stderr === null) throw new TypeError('the machine has no pipes');
  createInterface(child.stdout).on('line', (line) => {
    const text = line.replaceAll('\r', '');
    const code = EXIT.exec(text)?.[1];
    if (code !== undefined) exitCode = Number(code);
    else onLine?.(text);
  });
  createInterface(child.stderr).on('line', (line) => log.push(`qemu: ${line}`));
  try {
    await once(child, 'close');
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    child.kill('SIGKILL');
  }
  return exitCode;
}

/**
 * Boots a kernel in QEMU (emulated without KVM) with this machine's programs and Node, runs a command in it, and
 * receives its lines over the serial line. The guest has no network. Throws ERR_TESTKIT_GUEST, with the end of the
 * console, if the machine ends before the command, at the deadline, or when `signal` aborts.
 */
export async function runInGuest(options: GuestOptions): Promise<GuestResult> {
  const place = createWorkplace('guest');
  try {
    const log: string[] = [];
    const { emulator } = MACHINES[options.kernel.architecture];
    const args = await machine(options, place);
    options.signal?.throwIfAborted();
    const exitCode = await follow(start(emulator, args, place), options, log);
    const console = `${await readFile(join(place, 'console'), 'utf8').catch(() => '')}${log.join('\n')}`;
    if (exitCode !== undefined) return { exitCode, console };
    const tail = console.split('\n').slice(-SHOWN_LINES).join('\n');
    throw new TestServerError('ERR_TESTKIT_GUEST', `the guest with ${options.kernel.release} did not finish:\n${tail}`);
  } finally {
    removeWorkplace(place);
  }
}
