import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { capabilityNames } from '@ringfence/fields';
import type { Inventory, InventoryContainer, InventoryMount } from '@ringfence/host-facts';
import { u64FromBigInt } from '@ringfence/wire';
import type { ContainerState, MountedPath } from './types.ts';

const NAMESPACES = ['pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup'] as const;
/** File systems that the kernel generates: a mount of them gives no access to files of the host. */
const VIRTUAL_FILE_SYSTEMS = ['proc', 'sysfs', 'devpts', 'mqueue', 'cgroup', 'cgroup2', 'devtmpfs'];

/** Returns null when the container has ended, or when /proc does not show its processes. */
export function containerStateOf(container: InventoryContainer, inventory: Inventory): ContainerState | null {
  const members = inventory.processes.filter(({ pid }) => container.pids.includes(pid));
  const main = members.find(({ pidInNamespace }) => pidInNamespace === 1) ?? members[0];
  if (main === undefined) return null;
  try {
    return readState(main.pid, main.euid, inventory, container);
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

function readState(pid: number, euid: number, inventory: Inventory, container: InventoryContainer): ContainerState {
  const status = parseStatus(readFileSync(`/proc/${pid}/status`, 'latin1'));
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
    readOnlyRoot: hasOption(mounts.findLast(({ point }) => point === '/')?.options, 'ro'),
    procWritable:
      mounts.length > 0 && !mounts.some(({ point, options }) => point === '/proc/sys' && hasOption(options, 'ro')),
    mounts: mountedPaths(mounts, hostMounts(inventory), container),
  };
}

const hasOption = (options: string | undefined, option: string): boolean => (options ?? '').split(',').includes(option);

function parseStatus(text: string): Map<string, string> {
  return new Map(
    text.split('\n').map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}

/** Returns the AppArmor profile or the SELinux context; a kernel has at most one of both. */
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

let cachedHostPid: number | undefined;
/** A process outside of all containers: pid 1, or this process when it may not read the namespaces of pid 1. */
function hostPid(): number {
  cachedHostPid ??= namespaceOf(1, 'pid') === '' ? process.pid : 1;
  return cachedHostPid;
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

/**
 * Returns the paths of the host in a container: mounts of file systems that the host has mounted, too, and further
 * mounts that only the runtime lists. For the same destination the kernel's list wins.
 */
export function mountedPaths(
  mounts: readonly InventoryMount[],
  hostMountList: readonly InventoryMount[],
  { mounts: runtimeMounts }: Pick<InventoryContainer, 'mounts'>,
): MountedPath[] {
  const fromKernel = mounts
    .filter(({ point, filesystem }) => point !== '/' && !VIRTUAL_FILE_SYSTEMS.includes(filesystem))
    .flatMap((mount) => {
      const source = pathOnHost(mount, hostMountList);
      return source === null ? [] : [{ source, destination: mount.point, readonly: hasOption(mount.options, 'ro') }];
    });
  const destinations = new Set(fromKernel.map(({ destination }) => destination));
  return [...fromKernel, ...runtimeMounts.filter(({ destination }) => !destinations.has(destination))];
}

/** Returns the host's path of the root of a mount, by the host's mount of the same device whose root is deepest. */
function pathOnHost({ device, root }: InventoryMount, hostMountList: readonly InventoryMount[]): string | null {
  let deepest: InventoryMount | undefined;
  for (const mount of hostMountList) {
    const isInside = mount.root === '/' || root === mount.root || root.startsWith(`${mount.root}/`);
    if (mount.device === device && isInside && mount.root.length > (deepest?.root.length ?? -1)) deepest = mount;
  }
  if (deepest === undefined) return null;
  const rest = deepest.root === '/' ? root : root.slice(deepest.root.length);
  return `${deepest.point === '/' ? '' : deepest.point}${rest === '/' ? '' : rest}` || '/';
}
