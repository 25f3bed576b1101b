import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import type { Config } from '@ringfence/config';
import { libbpfVersion } from '@ringfence/libbpf-ts';
import { kernelCommand, kernelUpgradeCommand, osReleaseOf } from '@ringfence/runtime/host';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** what was found */
  readonly found: string;
  /** what doesn't work without it; empty when it is there */
  readonly costs: string;
  /** a command that mends it, or what to do where there is none; empty when it is there */
  readonly fix: string;
}

const MIN_FREE_BYTES = 1 << 30;
export const ok = (name: string, found: string): Check => ({ name, ok: true, found, costs: '', fix: '' });
export const bad = (name: string, found: string, costs: string, fix: string): Check => ({
  name,
  ok: false,
  found,
  costs,
  fix,
});

/** What this machine brings, apart from the hooks and privileges. `mounts`: /proc/mounts. */
export function checkMachine(config: Config, mounts: string): Check[] {
  const { stateDir } = config;
  const { hostRoot } = config.collector;
  return [
    checkKernel(hostRoot),
    btf(hostRoot),
    lockdown(),
    addresses(),
    ...mountChecks(mounts),
    libbpf(),
    disk(stateDir),
  ];
}

/** `version` as uname prints it: 6.1.0-18-amd64 */
export function checkKernel(hostRoot: string, version: string = release()): Check {
  const upgrade = kernelUpgradeCommand(hostRoot, version);
  if (upgrade === null) return ok('kernel', `Linux ${version} ${process.arch}`);
  return bad(
    'kernel',
    `Linux ${version}`,
    'Ringfence promises nothing below 6.1 (Debian 12, Ubuntu 24.04 and RHEL 10 have it)',
    upgrade,
  );
}

function btf(hostRoot: string): Check {
  const path = '/sys/kernel/btf/vmlinux';
  if (existsSync(path)) return ok('kernel types (BTF)', path);
  return bad(
    'kernel types (BTF)',
    'none',
    'the sensor cannot be fitted to this kernel',
    kernelCommand(osReleaseOf(hostRoot)),
  );
}

const LOCKDOWN = '/sys/kernel/security/lockdown';

/** `confidentiality` hides the kernel's memory from root as well. A kernel without the module, or whose securityfs isn't mounted, doesn't say. */
function lockdown(): Check {
  const name = 'kernel lockdown';
  const mode = existsSync(LOCKDOWN) ? /\[(\w+)\]/.exec(readFileSync(LOCKDOWN, 'utf8'))?.[1] : undefined;
  if (mode !== 'confidentiality') return ok(name, mode ?? 'none');
  return bad(
    name,
    mode,
    "the sensor cannot be loaded: it reads the kernel's memory",
    'take lockdown=confidentiality from the command line of the kernel (lockdown=integrity may stay), and reboot',
  );
}

const HIDDEN_FROM_ALL = '2';

function addresses(): Check {
  const name = 'kernel addresses';
  const restriction = readFileSync('/proc/sys/kernel/kptr_restrict', 'utf8').trim();
  if (restriction !== HIDDEN_FROM_ALL) return ok(name, 'shown to root');
  return bad(
    name,
    'hidden from everybody',
    'hooked system calls and interrupts are not found by checks of integrity',
    'sysctl -w kernel.kptr_restrict=1',
  );
}

function mountChecks(mounts: string): Check[] {
  const point = (type: string): string | undefined =>
    mounts
      .split('\n')
      .find((line) => line.split(' ')[2] === type)
      ?.split(' ')[1];
  const mounted = (name: string, type: string, costs: string, fix: string): Check => {
    const path = point(type);
    return path === undefined ? bad(name, 'not mounted', costs, fix) : ok(name, path);
  };
  return [
    mounted(
      'BPF file system',
      'bpf',
      'nothing outlives the agent: events are lost while it restarts',
      'mount -t bpf bpf /sys/fs/bpf',
    ),
    mounted(
      'tracefs',
      'tracefs',
      'files, connections and credentials are not seen',
      'mount -t tracefs tracefs /sys/kernel/tracing',
    ),
    mounted('cgroup v2', 'cgroup2', 'containers are not told apart', 'mount -t cgroup2 cgroup2 /sys/fs/cgroup'),
  ];
}

function libbpf(): Check {
  try {
    return ok('libbpf', libbpfVersion());
  } catch (error) {
    return bad(
      'libbpf',
      (error as Error).message.split('\n')[0] ?? '',
      'the sensor cannot be loaded',
      'apt-get install libbpf1',
    );
  }
}

/** Where this process keeps its state. */
export function disk(stateDir: string): Check {
  let path = stateDir;
  while (!existsSync(path) && path !== dirname(path)) path = dirname(path);
  try {
    accessSync(path, constants.W_OK);
  } catch {
    return bad(
      'state directory',
      `${path} can't be written`,
      'nothing can be kept',
      `run as root, or set stateDir to a folder of yours`,
    );
  }
  const { bavail, bsize } = statfsSync(path);
  const free = bavail * bsize;
  const text = `${(free / 2 ** 30).toFixed(1)} GiB free for ${stateDir}`;
  return free >= MIN_FREE_BYTES
    ? ok('state directory', text)
    : bad(
        'state directory',
        text,
        'the log and the audit trail will be full soon',
        'free some space, or set stateDir to another disk',
      );
}
