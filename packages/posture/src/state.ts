import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { capabilityNames } from '@ringfence/fields';
import type { Inventory, InventoryContainer, InventoryMount } from '@ringfence/host-facts';
import { u64FromBigInt } from '@ringfence/wire';
import type { ContainerState, MountedPath } from './types.ts';

const NAMESPACES = ['pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup'] as const;
/** Made for the container, or shown to it: nothing of the host's files. */
const NO_FILES = ['proc', 'sysfs', 'devpts', 'mqueue', 'cgroup', 'cgroup2', 'devtmpfs'];

/** null: it has ended, or /proc doesn't show it. */
export function stateOf(container: InventoryContainer, inventory: Inventory): ContainerState | null {
  const members = inventory.processes.filter(({ pid }) => container.pids.includes(pid));
  const main = members.find(({ pidInNamespace }) => pidInNamespace === 1) ?? members[0];
  if (main === undefined) return null;
  try {
    return read(main.pid, main.euid, inventory, container);
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

function read(pid: number, euid: number, inventory: Inventory, container: InventoryContainer): ContainerState {
  const status = statusOf(readFileSync(`/proc/${pid}/status`, 'latin1'));
  const mounts = inventory.mountNamespaces.find(({ pids }) => pids.includes(pid))?.mounts ?? [];
  return {
    pid,
    euid,
    capabilities: capabilityNames(u64FromBigInt(BigInt(`0x${status.get('CapBnd') ?? '0'}`))),
    noNewPrivileges: status.get('NoNewPrivs') === '1',
    seccomp: status.get('Seccomp') === '2',
    confinement: confinementOf(pid),
    hostUsers: /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync(`/proc/${pid}/uid_map`, 'latin1')),
    hostNamespaces: NAMESPACES.filter((name) => namespaceOf(pid, name) === namespaceOf(hostPid(), name)),
    readOnlyRoot: has(mounts.findLast(({ point }) => point === '/')?.options, 'ro'),
    procWritable:
      mounts.length > 0 && !mounts.some(({ point, options }) => point === '/proc/sys' && has(options, 'ro')),
    mounts: mountedPaths(mounts, hostMounts(inventory), container),
  };
}

const has = (options: string | undefined, option: string): boolean => (options ?? '').split(',').includes(option);

export function statusOf(text: string): Map<string, string> {
  return new Map(
    text.split('\n').map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}

/** AppArmor's profile or SELinux's type; kernels have one or none. */
function confinementOf(pid: number): string | null {
  if (existsSync('/sys/fs/selinux/enforce')) return labelOf(`/proc/${pid}/attr/current`);
  if (!existsSync('/sys/module/apparmor/parameters/enabled')) return null;
  if (!readFileSync('/sys/module/apparmor/parameters/enabled', 'latin1').startsWith('Y')) return null;
  const path = `/proc/${pid}/attr/apparmor/current`;
  return labelOf(existsSync(path) ? path : `/proc/${pid}/attr/current`);
}

function labelOf(path: string): string {
  const label = readFileSync(path, 'latin1')
    .replace(/[\0\n]/g, '')
    .trim();
  return /^unconfined\b|:(?:unconfined|spc)_t:/.test(label) ? '' : label;
}

let host: number | undefined;
/** Of whoever is not in a container: pid 1, or, where it may not be looked at, ourselves. */
function hostPid(): number {
  host ??= namespaceOf(1, 'pid') === '' ? process.pid : 1;
  return host;
}

function namespaceOf(pid: number, name: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/${name}`);
  } catch {
    return '';
  }
}

const hostMounts = ({ mountNamespaces }: Inventory): readonly InventoryMount[] =>
  mountNamespaces.find(({ pids }) => pids.includes(hostPid()))?.mounts ??
  mountNamespaces.find(({ pids }) => pids.includes(process.pid))?.mounts ??
  [];

/** What the runtime says was mounted, and what the kernel shows beside: files of a file system that the host has mounted too. */
export function mountedPaths(
  mounts: readonly InventoryMount[],
  ofHost: readonly InventoryMount[],
  { mounts: told }: Pick<InventoryContainer, 'mounts'>,
): MountedPath[] {
  const seen = mounts
    .filter(({ point, filesystem }) => point !== '/' && !NO_FILES.includes(filesystem))
    .flatMap((mount) => {
      const source = pathOnHost(mount, ofHost);
      return source === null ? [] : [{ source, destination: mount.point, readonly: has(mount.options, 'ro') }];
    });
  const destinations = new Set(seen.map(({ destination }) => destination));
  return [...seen, ...told.filter(({ destination }) => !destinations.has(destination))];
}

/** Where the host sees the root of the mount: of all places, the one nearest to it. */
function pathOnHost({ device, root }: InventoryMount, ofHost: readonly InventoryMount[]): string | null {
  let best: InventoryMount | undefined;
  for (const mount of ofHost) {
    const inside = mount.root === '/' || root === mount.root || root.startsWith(`${mount.root}/`);
    if (mount.device === device && inside && mount.root.length > (best?.root.length ?? -1)) best = mount;
  }
  if (best === undefined) return null;
  const rest = best.root === '/' ? root : root.slice(best.root.length);
  return `${best.point === '/' ? '' : best.point}${rest === '/' ? '' : rest}` || '/';
}
