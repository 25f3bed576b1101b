export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** A weakness of a container or of the host. The properties are those of `ringfence posture --json`. */
export interface Finding {
  /** Stable name for scripts: privileged, mount, capabilities, … */
  readonly id: string;
  readonly severity: Severity;
  /** The weakness. */
  readonly what: string;
  /** How an attacker can use it. */
  readonly why: string;
  /** Flags of `docker run` and `podman run`, or a command on the host. Empty when the operator must decide. */
  readonly instead: readonly string[];
}

export interface MountedPath {
  /** Path on the host. */
  readonly source: string;
  readonly destination: string;
  readonly readonly: boolean;
}

/** State of a container's main process, from /proc. */
export interface ContainerState {
  readonly pid: number;
  /** The bounding set: names with CAP_. */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  /** Whether seccomp filters system calls. */
  readonly seccomp: boolean;
  /** Name of the AppArmor or SELinux profile; '' when unconfined, null when this kernel has neither. */
  readonly confinement: string | null;
  readonly euid: number;
  /** User 0 of the container is user 0 of the host. */
  readonly hostUsers: boolean;
  /** Namespaces that it shares with the host, of pid, net, ipc, uts, mnt and cgroup. */
  readonly hostNamespaces: readonly string[];
  readonly readOnlyRoot: boolean;
  /** /proc/sys is writable; engines mount it read-only by default. */
  readonly procWritable: boolean;
  readonly mounts: readonly MountedPath[];
}

/** Capabilities that a container used while an agent watched it. */
export interface UsedCapabilities {
  /** Names with CAP_. */
  readonly names: ReadonlySet<string>;
  readonly watchedSeconds: number;
}
