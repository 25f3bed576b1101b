export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** One thing that gives a container, or the host, away. */
export interface Finding {
  /** privileged, mount, capabilities, …: what scripts go by */
  readonly id: string;
  readonly severity: Severity;
  /** what was found */
  readonly what: string;
  /** what somebody inside makes of it */
  readonly why: string;
  /** flags of `docker run` and `podman run`, or a command on the host; none: it is for whoever runs it to decide */
  readonly instead: readonly string[];
}

export interface MountedPath {
  /** path on the host */
  readonly source: string;
  readonly destination: string;
  readonly readonly: boolean;
}

/** What the kernel says about a container's own program. */
export interface ContainerState {
  readonly pid: number;
  /** capabilities that a process in it may have: names, CAP_ in front */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  /** whether system calls are filtered */
  readonly seccomp: boolean;
  /** name of the profile; '': unconfined; null: this kernel has none at all */
  readonly confinement: string | null;
  readonly euid: number;
  /** user 0 in it is user 0 of the host */
  readonly hostUsers: boolean;
  /** pid, net, ipc, uts, mnt, cgroup: those that are the host's */
  readonly hostNamespaces: readonly string[];
  readonly readOnlyRoot: boolean;
  /** what of /proc is hidden or read-only in other containers can be written to */
  readonly procWritable: boolean;
  readonly mounts: readonly MountedPath[];
}

/** Which capabilities a container has been seen using while it was watched. What is granted and not in the set is unused. */
export interface UsedCapabilities {
  /** CAP_ in front */
  readonly names: ReadonlySet<string>;
  /** seconds that it has been watched */
  readonly watched: number;
}
