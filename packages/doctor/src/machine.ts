import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import { messageOf } from '@ringfence/base';
import type { Config } from '@ringfence/config';
import { libbpfVersion } from '@ringfence/libbpf-ts';
import { kernelCommand, kernelUpgradeCommand, osReleaseOf } from '@ringfence/runtime/host';
import { type Check, failed, passed } from './check.ts';

const MIN_FREE_BYTES = 1 << 30;

/**
 * Checks this machine, except for hooks and privileges.
 *
 * @param mounts text of /proc/mounts
 */
export function checkMachine(config: Config, mounts: string): Check[] {
  const { hostRoot } = config.collector;
  return [
    checkKernel(hostRoot),
    checkKernelTypes(hostRoot),
    checkLockdown(),
    checkKernelAddresses(),
    ...checkMounts(mounts),
    checkLibbpf(),
    checkStateDirectory(config.stateDir),
  ];
}

/** @param version as uname prints it: 6.1.0-18-amd64 */
export function checkKernel(hostRoot: string, version: string = release()): Check {
  const upgrade = kernelUpgradeCommand(hostRoot, version);
  if (upgrade === null) return passed('kernel', `Linux ${version} ${process.arch}`);
  return failed(
    'kernel',
    `Linux ${version}`,
    'kernels older than 6.1 are not supported (Debian 12, Ubuntu 24.04 and RHEL 10 have 6.1 or newer)',
    upgrade,
  );
}

function checkKernelTypes(hostRoot: string): Check {
  const name = 'kernel types (BTF)';
  const path = '/sys/kernel/btf/vmlinux';
  if (existsSync(path)) return passed(name, path);
  return failed(name, 'none', 'the sensor cannot be adapted to this kernel', kernelCommand(osReleaseOf(hostRoot)));
}

const LOCKDOWN = '/sys/kernel/security/lockdown';

/** The file is missing when the kernel has no lockdown or securityfs is not mounted; both count as no lockdown. */
function checkLockdown(): Check {
  const name = 'kernel lockdown';
  const mode = existsSync(LOCKDOWN) ? /\[(\w+)\]/.exec(readFileSync(LOCKDOWN, 'utf8'))?.[1] : undefined;
  if (mode !== 'confidentiality') return passed(name, mode ?? 'none');
  return failed(
    name,
    mode,
    'the sensor cannot be loaded: it reads kernel memory, which this mode hides from root',
    'remove lockdown=confidentiality from the kernel command line (lockdown=integrity may stay), and reboot',
  );
}

/** Value of kernel.kptr_restrict that hides addresses from root, too. */
const HIDDEN_FROM_ROOT = '2';

function checkKernelAddresses(): Check {
  const name = 'kernel addresses';
  const restriction = readFileSync('/proc/sys/kernel/kptr_restrict', 'utf8').trim();
  if (restriction !== HIDDEN_FROM_ROOT) return passed(name, 'visible to root');
  return failed(
    name,
    'hidden from every user',
    'integrity checks do not find hooked system calls and interrupts',
    'sysctl -w kernel.kptr_restrict=1',
  );
}

const FILE_SYSTEMS = [
  {
    name: 'BPF file system',
    type: 'bpf',
    costs: 'the sensor does not outlive the agent: events are lost while the agent restarts',
    fix: 'mount -t bpf bpf /sys/fs/bpf',
  },
  {
    name: 'tracefs',
    type: 'tracefs',
    costs: 'files, connections and changes of credentials are not seen',
    fix: 'mount -t tracefs tracefs /sys/kernel/tracing',
  },
  {
    name: 'cgroup v2',
    type: 'cgroup2',
    costs: 'containers are not recognized',
    fix: 'mount -t cgroup2 cgroup2 /sys/fs/cgroup',
  },
] as const;

function checkMounts(mounts: string): Check[] {
  const fields = mounts.split('\n').map((line) => line.split(' '));
  return FILE_SYSTEMS.map(({ name, type, costs, fix }) => {
    const path = fields.find(([, , mounted]) => mounted === type)?.[1];
    return path === undefined ? failed(name, 'not mounted', costs, fix) : passed(name, path);
  });
}

function checkLibbpf(): Check {
  try {
    return passed('libbpf', libbpfVersion());
  } catch (error) {
    const [problem = ''] = messageOf(error).split('\n');
    return failed('libbpf', problem, 'the sensor cannot be loaded', 'apt-get install libbpf1');
  }
}

/** Checks that this process may write its state directory, and the free space there. */
export function checkStateDirectory(stateDir: string): Check {
  const name = 'state directory';
  let path = stateDir;
  while (!existsSync(path) && path !== dirname(path)) path = dirname(path);
  try {
    accessSync(path, constants.W_OK);
  } catch {
    const fix = 'run as root, or set stateDir to a folder that you may write';
    return failed(name, `${path} is not writable`, 'no state can be stored', fix);
  }
  const { bavail, bsize } = statfsSync(path);
  const freeBytes = bavail * bsize;
  const found = `${(freeBytes / 2 ** 30).toFixed(1)} GiB free for ${stateDir}`;
  if (freeBytes >= MIN_FREE_BYTES) return passed(name, found);
  const costs = 'the log and the audit trail will soon fill the disk';
  return failed(name, found, costs, 'free some space, or set stateDir to a folder on another disk');
}
