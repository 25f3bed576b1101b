export interface HostFact {
  readonly hostname: string;
  /** 32 hex digits; empty: it has none */
  readonly machineId: string;
  /** of its interfaces, loopback left out */
  readonly addresses: readonly string[];
  /** executables are hashed: what nothing has been said of is pending */
  readonly hashing: boolean;
}

export interface ContainerFact extends Description {
  readonly cgroupId: bigint;
  /** empty: the container is gone */
  readonly id: string;
  readonly runtime: string;
  /** false: its runtime has not said yet what it is */
  readonly described: boolean;
  /** of the cgroup, from the hierarchy's root */
  readonly path: string;
}

export interface MountFact {
  /** nsfs inode number */
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
  /** on the host; of a file system that is no part of another's, its kind: tmpfs */
  readonly source: string;
  /** in the container */
  readonly destination: string;
  readonly readonly: boolean;
}

/** What a container is, as its runtime wrote it down. Empty or null: not said. */
export interface Description {
  readonly name: string;
  /** as it was asked for */
  readonly image: string;
  readonly privileged: boolean | null;
  readonly labels: Readonly<Record<string, string>>;
  /** of the image's configuration: sha256:… */
  readonly imageId: string;
  /** of its manifest, as registries know it: sha256:… */
  readonly imageDigests: readonly string[];
  /** bit n: capability n may be had by a process of the container */
  readonly capabilities: bigint | null;
  /** what comes from outside of the image; what every container has (proc, sysfs, …) left out */
  readonly mounts: readonly ContainerMount[];
  /** those that are not its own: `pid=host`, `network=shared` */
  readonly namespaces: readonly string[];
  readonly pod: string;
  readonly podUid: string;
  /** of Kubernetes */
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly podLabels: Readonly<Record<string, string>>;
  /** µs since the epoch; 0: not said */
  readonly startedAt: number;
}

/** What of a cgroup was held back since the sensor was loaded. */
export interface ThrottledCount {
  readonly cgroup: bigint;
  readonly lane: number;
  /** enum rf_kind in lower case */
  readonly kind: string;
  readonly count: number;
}

/** Something that is not as an untouched kernel or host has it. */
export interface Finding {
  readonly check: CheckName;
  /** what it is about: a module, a path, a process, a system call */
  readonly subject: string;
  /** what is wrong with it, in words */
  readonly detail: string;
}

/** What each check looks for. */
export const CHECKS = {
  'syscall-dispatch': 'system calls lead into the kernel’s own code',
  'interrupt-table': 'interrupts and exceptions lead into the kernel’s own code',
  'function-hooks': 'no ftrace or kprobe hook sits on the entry of a system call',
  'hidden-module': 'every module is in the list of modules',
  'hidden-process': 'every process is in /proc',
  'bpf-program': 'every loaded BPF program is known',
  taint: 'no module was forced in, came unsigned, or from outside of the kernel’s tree',
  preload: 'no library is put into every program by ld.so.preload',
  'core-pattern': 'core dumps go where the system’s own files say',
  helper: 'the programs that the kernel starts are the system’s own',
  'release-agent': 'no cgroup starts a program when it is empty',
} as const;
export type CheckName = keyof typeof CHECKS;
