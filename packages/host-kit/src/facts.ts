export interface HostFact {
  readonly hostname: string;
  /** 32 hex digits; empty if the host has none */
  readonly machineId: string;
  /** addresses of all interfaces except loopback */
  readonly addresses: readonly string[];
  /** whether executables are hashed: if so, a missing hash is pending */
  readonly hashing: boolean;
}

export interface ContainerFact extends ContainerDescription {
  readonly cgroupId: bigint;
  /** empty if the container is gone */
  readonly id: string;
  readonly runtime: string;
  /** false if the runtime has not written the container's description yet */
  readonly described: boolean;
  /** path of the cgroup from the root of the hierarchy */
  readonly path: string;
}

export interface MountFact {
  /** inode number in nsfs */
  readonly mountNamespace: number;
  /** kernel dev_t */
  readonly device: number;
  readonly root: Buffer;
  readonly point: Buffer;
  readonly filesystem: string;
  readonly source: Buffer;
  readonly options: string;
}

export interface ContainerMount {
  /** path on the host, or the type of a file system of its own: tmpfs */
  readonly source: string;
  /** path in the container */
  readonly destination: string;
  readonly readonly: boolean;
}

/** Properties of a container as its runtime wrote them. Unknown ones are empty or null. */
export interface ContainerDescription {
  readonly name: string;
  /** image reference as the user gave it */
  readonly image: string;
  readonly privileged: boolean | null;
  readonly labels: Readonly<Record<string, string>>;
  /** digest of the image's configuration: sha256:… */
  readonly imageId: string;
  /** digests of the image's manifest, which registries use: sha256:… */
  readonly imageDigests: readonly string[];
  /** bit n: processes of the container may have capability n */
  readonly capabilities: bigint | null;
  /** mounts of host paths and volumes, without those that every container has (proc, sysfs, …) */
  readonly mounts: readonly ContainerMount[];
  /** namespaces that the container shares: `pid=host`, `network=shared` */
  readonly namespaces: readonly string[];
  readonly pod: string;
  readonly podUid: string;
  /** Kubernetes namespace */
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly podLabels: Readonly<Record<string, string>>;
  /** µs since the epoch; 0 if unknown */
  readonly startedAt: number;
}

/** Number of events that a cgroup lost. */
export interface LostCount {
  readonly cgroup: bigint;
  readonly lane: number;
  /** enum rf_kind in lower case */
  readonly kind: string;
  /** throttled: the cgroup was over its share; ring_full: it was not, but the security ring was full */
  readonly cause: 'throttled' | 'ring_full';
  readonly count: number;
}

/** Losses of a cgroup since the previous report, or the end of a flood. */
export interface ThrottledCount extends LostCount {
  /** From the hierarchy's root; empty when the cgroup is gone */
  readonly path: string;
  /** All events of this lane that the cgroup lost since the sensor was loaded */
  readonly total: number;
  /** The cgroup has lost no more events for a while; `count` is 0 */
  readonly over: boolean;
}

/** A difference from an untouched kernel or host. */
export interface Finding {
  /**
   * `container-name`: a cgroup has the name of a container, and its processes are the host's;
   * `container-unknown`: no runtime knows the container that the name claims
   */
  readonly check: CheckName | 'container-name' | 'container-unknown';
  /** a module, a path, a process, a system call, … */
  readonly subject: string;
  /** what is wrong, for people */
  readonly detail: string;
  /** on the first of several findings on what the kernel hides: the text of all of them. @default empty */
  readonly list?: string;
}

/** The integrity checks, with the condition that each one verifies. */
export const CHECKS = {
  'syscall-dispatch': 'system calls lead into the kernel’s own code',
  'interrupt-table': 'interrupts and exceptions lead into the kernel’s own code',
  'function-hooks': 'no ftrace or kprobe hook sits on the entry of a system call',
  'hidden-module': 'every module is in the list of modules',
  'hidden-process': 'every process is in /proc',
  'bpf-program': 'every loaded BPF program is known',
  taint: 'no module was forced in, is unsigned, or comes from outside of the kernel’s tree',
  preload: 'no library is put into every program by ld.so.preload',
  'core-pattern': 'core dumps go to a file, or to a program that only root can change',
  helper: 'only root can change the programs that the kernel starts',
  'release-agent': 'no cgroup starts a program when it becomes empty',
} as const;
export type CheckName = keyof typeof CHECKS;
