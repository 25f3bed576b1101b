import type { ContainerDescription } from '@ringfence/host-kit';

/** An end of a socket. IPv6 addresses have no brackets. */
export interface End {
  readonly address: string;
  readonly port: number;
}

export interface OpenSocket {
  readonly fd: number;
  readonly inode: number;
  /** inet, inet6, unix, netlink, packet, …, or the number */
  readonly family: string;
  /** stream, dgram, raw, …, or the number */
  readonly type: string;
  /** tcp, udp, …, or the number; '' for unix sockets */
  readonly protocol: string;
  /** listen, established, …; '' except for TCP and unix streams */
  readonly state: string;
  /** only for inet and inet6 */
  readonly local: End | null;
  readonly peer: End | null;
  /** path of a unix socket; an abstract name begins with @; '' if it has no name */
  readonly path: string;
}

export interface InventoryProcess {
  readonly pid: number;
  readonly parentPid: number;
  /** its pid in its own pid namespace */
  readonly pidInNamespace: number;
  /** µs since the epoch */
  readonly startedAt: number;
  /** '' for a kernel thread */
  readonly executable: string;
  /** name of a kernel thread, otherwise '' */
  readonly name: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** real and effective user id */
  readonly uid: number;
  readonly euid: number;
  /** names of its effective capabilities */
  readonly capabilities: readonly string[];
  /** inode numbers in nsfs */
  readonly namespaces: { readonly mnt: number; readonly pid: number; readonly net: number; readonly user: number };
  /** path of its cgroup; '' if unknown */
  readonly cgroup: string;
  /** id of its container; null on the host */
  readonly container: string | null;
  /** true if the kernel has the process and /proc does not; null inside a pid namespace, where this is unknown */
  readonly hidden: boolean | null;
  readonly sockets: readonly OpenSocket[];
}

export interface InventoryMount {
  readonly device: number;
  readonly root: string;
  readonly point: string;
  readonly filesystem: string;
  readonly source: string;
  readonly options: string;
}

export interface MountNamespace {
  readonly namespace: number;
  readonly pids: readonly number[];
  /** null if /proc shows no process of this namespace */
  readonly mounts: readonly InventoryMount[] | null;
}

export interface InventoryContainer extends Omit<ContainerDescription, 'capabilities'> {
  readonly id: string;
  /** names of the capabilities that its processes may have; null if unknown */
  readonly capabilities: readonly string[] | null;
  readonly runtime: string;
  readonly cgroup: string;
  readonly pids: readonly number[];
}

export interface Inventory {
  readonly processes: readonly InventoryProcess[];
  readonly mountNamespaces: readonly MountNamespace[];
  readonly containers: readonly InventoryContainer[];
}
