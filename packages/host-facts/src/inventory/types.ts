import type { ContainerDescription } from '@ringfence/host-kit';

/** One end of a socket; IPv6 without brackets. */
export interface End {
  readonly address: string;
  readonly port: number;
}

export interface OpenSocket {
  readonly fd: number;
  readonly inode: number;
  /** inet, inet6, unix, netlink, packet, …; else the number */
  readonly family: string;
  /** stream, dgram, raw, …; else the number */
  readonly type: string;
  /** tcp, udp, …; else the number. Of unix sockets none */
  readonly protocol: string;
  /** listen, established, …; of TCP and unix streams, else '' */
  readonly state: string;
  /** of inet and inet6 */
  readonly local: End | null;
  readonly peer: End | null;
  /** of a unix socket; an abstract one begins with @; '' when it has no name */
  readonly path: string;
}

export interface InventoryProcess {
  readonly pid: number;
  readonly parentPid: number;
  /** its number in its own pid namespace */
  readonly pidInNamespace: number;
  /** µs since the epoch */
  readonly startedAt: number;
  /** '' of a kernel thread */
  readonly executable: string;
  /** of a kernel thread, else '' */
  readonly name: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** real and effective */
  readonly uid: number;
  readonly euid: number;
  /** names of the effective ones */
  readonly capabilities: readonly string[];
  /** nsfs inode numbers */
  readonly namespaces: { readonly mnt: number; readonly pid: number; readonly net: number; readonly user: number };
  /** path of its cgroup; '' when it is not known */
  readonly cgroup: string;
  /** id; null: on the host */
  readonly container: string | null;
  /** the kernel has it and /proc doesn't; null: can't be said from inside a pid namespace */
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
  /** null: no process of it can be asked, since /proc shows none */
  readonly mounts: readonly InventoryMount[] | null;
}

export interface InventoryContainer extends Omit<ContainerDescription, 'capabilities'> {
  readonly id: string;
  /** names of those that a process of it may have; null: its runtime doesn't say */
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
