import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import { libbpfVersion } from '@ringfence/libbpf-ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** what was found */
  readonly found: string;
  /** what doesn't work without it; empty when it is there */
  readonly costs: string;
  /** a command that mends it; empty when it is there */
  readonly fix: string;
}

const OLDEST_KERNEL = [6, 1] as const;
const MIN_FREE_BYTES = 1 << 30;
/** Has given what CAP_BPF and CAP_PERFMON give since before they were there; older container engines know no others. */
const CAP_SYS_ADMIN = 1n << 21n;

/** Capabilities the agent needs, by bit (include/uapi/linux/capability.h), and what for. */
const CAPABILITIES: readonly { readonly bit: number; readonly name: string; readonly for: string }[] = [
  { bit: 39, name: 'CAP_BPF', for: 'load the sensor' },
  { bit: 38, name: 'CAP_PERFMON', for: 'attach to tracepoints and read kernel memory' },
  { bit: 12, name: 'CAP_NET_ADMIN', for: 'attach to cgroups' },
  { bit: 19, name: 'CAP_SYS_PTRACE', for: 'read processes that run already' },
  { bit: 2, name: 'CAP_DAC_READ_SEARCH', for: "follow cgroups, read other users' files" },
  { bit: 5, name: 'CAP_KILL', for: 'stop processes' },
];

export const ok = (name: string, found: string): Check => ({ name, ok: true, found, costs: '', fix: '' });
export const bad = (name: string, found: string, costs: string, fix: string): Check => ({
  name,
  ok: false,
  found,
  costs,
  fix,
});

/** What this machine brings, apart from the hooks. `mounts`: /proc/mounts. */
export function checkMachine(stateDir: string, mounts: string): Check[] {
  return [checkKernel(), btf(), ...capabilities(), ...mountChecks(mounts), libbpf(), disk(stateDir)];
}

/** `version` as uname says it: 6.1.0-18-amd64 */
export function checkKernel(version: string = release()): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const old = major < OLDEST_KERNEL[0] || (major === OLDEST_KERNEL[0] && minor < OLDEST_KERNEL[1]);
  if (!old) return ok('kernel', `Linux ${version} ${process.arch}`);
  return bad(
    'kernel',
    `Linux ${version}`,
    'Ringfence promises nothing below 6.1',
    'install a kernel 6.1 or newer (Debian 12, Ubuntu 24.04, RHEL 10)',
  );
}

function btf(): Check {
  const path = '/sys/kernel/btf/vmlinux';
  if (existsSync(path)) return ok('kernel types (BTF)', path);
  return bad(
    'kernel types (BTF)',
    'none',
    'the sensor cannot be fitted to this kernel',
    'boot a kernel built with CONFIG_DEBUG_INFO_BTF=y (stock kernels are)',
  );
}

/** Capabilities that this process needs and lacks; one good check when there are none. */
export function capabilities(): Check[] {
  const text = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const effective = BigInt(`0x${text}`);
  const implied = (effective & CAP_SYS_ADMIN) === 0n ? 0n : (1n << 39n) | (1n << 38n);
  const missing = CAPABILITIES.filter(({ bit }) => (((effective | implied) >> BigInt(bit)) & 1n) === 0n);
  if (missing.length === 0) return [ok('privileges', 'every capability that is needed')];
  return missing.map((one) =>
    bad(`privilege ${one.name}`, 'not given', `can't ${one.for}`, 'run as root: sudo npm start'),
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
