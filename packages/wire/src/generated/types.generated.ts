// Generated from packages/wire/avro by tools/generate-types.ts: edit the schemas, not this file.

export type U64 = Uint8Array;

/** nsfs inode numbers */
export interface Namespaces {
  readonly mnt: number;
  readonly pid: number;
  readonly net: number;
  readonly user: number;
  readonly uts: number;
  readonly ipc: number;
  readonly cgroup: number;
  readonly pidInNs: number;
}

/** a new process; the header is the child */
export interface Fork {
  readonly parentTgid: number;
  readonly parentStart: U64;
  readonly namespaces: Namespaces;
  /** CLONE_* without the exit signal; 0: fork, or a kernel thread */
  readonly flags: U64;
  /** forks that this event stands for: this one, and those of the same parent merged since the last */
  readonly count: number;
}

export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly euid: number;
  readonly egid: number;
  readonly suid: number;
  readonly sgid: number;
  readonly fsuid: number;
  readonly fsgid: number;
  readonly capEffective: U64;
  readonly capPermitted: U64;
  readonly capInheritable: U64;
}

/** kernel text; a cut one keeps its head and its tail, half each */
export interface Text {
  readonly bytes: Uint8Array;
  /** true length in bytes */
  readonly length: number;
}

/** a process runs an executable; also each process found at start (snapshot) */
export interface Exec {
  /** read by the collector at start, not seen happening */
  readonly snapshot: boolean;
  readonly parentTgid: number;
  readonly parentStart: U64;
  readonly inode: U64;
  readonly device: number;
  /** µs since the epoch */
  readonly ctime: number;
  /** µs since the epoch */
  readonly mtime: number;
  /** st_mode of the executable */
  readonly mode: number;
  /** uid */
  readonly owner: number;
  /** enum rf_exec_flag */
  readonly flags: number;
  readonly credentials: Credentials;
  readonly namespaces: Namespaces;
  /** 4294967295 when unset */
  readonly loginuid: number;
  readonly sessionId: number;
  /** kernel dev_t, 0: none */
  readonly tty: number;
  readonly argc: number;
  /** bit n: descriptor n is a socket */
  readonly stdioSockets: number;
  readonly path: Text;
  readonly filename: Text;
  readonly cwd: Text;
  /** NUL-separated */
  readonly argv: Text;
  /** NAME=value of chosen names, NUL-separated; a cut one keeps its head; none in a snapshot */
  readonly environment: Text;
  /** as the interpreter line names it, or the binary format */
  readonly interpreter: Text;
  /** path of the file that the interpreter is for, from the kernel; empty: none, or only `filename` says it */
  readonly script: Text;
  /** of that file; 0: none, or the profile doesn't know it */
  readonly scriptInode: U64;
  readonly scriptDevice: number;
  /** µs since the epoch */
  readonly scriptCtime: number;
}

export interface Exit {
  readonly code: number;
  /** 0: none */
  readonly signal: number;
  readonly core: boolean;
  /** µs since start */
  readonly duration: number;
}

export interface CredentialsChange {
  readonly before: Credentials;
  readonly after: Credentials;
  /** supplementary groups, four bytes each, little-endian, ascending, where setgroups has changed them; the lowest 32; of the initial user namespace */
  readonly groupsBefore: Text;
  /** likewise */
  readonly groupsAfter: Text;
}

export interface Open {
  readonly inode: U64;
  readonly device: number;
  /** O_* */
  readonly flags: number;
  /** descriptor, or -errno */
  readonly result: number;
  /** st_mode; 0 when the open failed */
  readonly mode: number;
  /** the path is the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  readonly path: Text;
  /** opens that this event stands for: this one, and equal ones merged since the last */
  readonly count: number;
}

export interface Connect {
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
  /** network order: 4 or 16 bytes, none for unix */
  readonly address: Uint8Array;
  readonly port: number;
  /** 0, or -errno */
  readonly result: number;
  /** unix only */
  readonly path: Text;
  /** as `address`; none: not bound */
  readonly localAddress: Uint8Array;
  readonly localPort: number;
  /** the address is the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** µs the call took; 0: not known, since it was refused before the kernel came to the address, or began before the sensor */
  readonly duration: number;
  /** calls that this event stands for: this one, and equal ones merged since the last */
  readonly count: number;
}

/** one a second; every timer runs on these */
export interface Tick {
  /** µs to add to a ktime to get the wall clock */
  readonly wallOffset: number;
  /** the agent ends in order: no tick is to be expected after this one */
  readonly last: boolean;
}

/** records of one lane and CPU that never arrived */
export interface Gap {
  readonly ofLane: number;
  readonly ofCpu: number;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** what the host's user database says */
export interface UserContext {
  readonly uid: number;
  readonly name: string;
}

export interface ContainerMount {
  /** on the host */
  readonly source: string;
  /** in the container */
  readonly destination: string;
  readonly readonly: boolean;
}

/** which container a cgroup is */
export interface ContainerContext {
  readonly cgroupId: U64;
  /** empty: the container is gone */
  readonly id: string;
  readonly runtime: string;
  readonly name: string;
  readonly image: string;
  readonly privileged: null | boolean;
  readonly labels: { readonly [key: string]: string };
  /** of the cgroup, from its root */
  readonly path: string;
  /** of the image's configuration: sha256:... */
  readonly imageId: string;
  /** under which registries know it: sha256:... */
  readonly imageDigests: readonly string[];
  /** bit n: capability n may be had in it; null: unknown */
  readonly capabilities: null | U64;
  /** what comes from outside of the image */
  readonly mounts: readonly ContainerMount[];
  /** those that are not its own: pid=host, ipc=shared */
  readonly namespaces: readonly string[];
  /** of Kubernetes */
  readonly pod: string;
  readonly podUid: string;
  /** of Kubernetes */
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly podLabels: { readonly [key: string]: string };
  /** µs since the epoch; 0: unknown */
  readonly startedAt: number;
  /** false: its runtime had not said yet what it is */
  readonly described: boolean;
}

export interface MountContext {
  readonly mountNamespace: number;
  readonly device: number;
  readonly root: Uint8Array;
  readonly point: Uint8Array;
  readonly filesystem: string;
  readonly source: Uint8Array;
  readonly options: string;
}

/** a line of a log, parsed where its program is known; empty or 0: not said */
export interface Log {
  /** file, journald, filebeat */
  readonly origin: string;
  /** of the file, or the unit */
  readonly path: string;
  /** of the line in its file, bytes; -1: none */
  readonly offset: number;
  /** sshd */
  readonly program: string;
  readonly pid: number;
  readonly message: Text;
  /** ECS event.category: authentication, session, process, iam */
  readonly category: string;
  /** ECS event.action: ssh-login, sudo-command, cron-command */
  readonly action: string;
  /** ECS event.outcome: success, failure */
  readonly outcome: string;
  /** who did it */
  readonly user: string;
  /** as whom */
  readonly targetUser: string;
  readonly sourceAddress: string;
  readonly sourcePort: number;
  /** publickey, password */
  readonly method: string;
  /** of a key: SHA256:... */
  readonly fingerprint: string;
  readonly command: string;
  readonly workingDirectory: string;
  readonly tty: string;
}

/** names and addresses of the host */
export interface HostContext {
  readonly hostname: string;
  readonly machineId: string;
  /** of its interfaces, loopback left out, separated by spaces */
  readonly addresses: string;
  /** the agent hashes executables: of one that nothing has been said of yet the hash is pending */
  readonly hashing: boolean;
}

/** a connection was accepted: the other end of a Connect */
export interface Accept {
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
  /** the peer's; network order: 4 or 16 bytes */
  readonly address: Uint8Array;
  /** the peer's */
  readonly port: number;
  readonly localAddress: Uint8Array;
  readonly localPort: number;
  /** the new descriptor, or -errno: then there is no peer */
  readonly result: number;
}

/** a name, an attribute or the content of a file changes, or fails to */
export interface FileChange {
  /** of what was changed, 0: not known */
  readonly inode: U64;
  readonly device: number;
  /** enum rf_file_operation */
  readonly operation: number;
  /** 0, or -errno */
  readonly result: number;
  /** chmod, mkdir, mknod: as asked for */
  readonly mode: number;
  /** chown: 4294967295 when it stays */
  readonly uid: number;
  readonly gid: number;
  /** of the system call */
  readonly flags: number;
  /** a text is the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  readonly path: Text;
  /** rename, link: the new path; symlink: what it points to; xattr: the attribute's name */
  readonly target: Text;
  /** truncate: bytes it has then; splice: bytes asked for */
  readonly length: U64;
  /** mknod: kernel dev_t of a character or block device */
  readonly special: number;
}

/** what is mounted where, and where a task's root is, changes or fails to */
export interface MountChange {
  /** enum rf_mount_operation */
  readonly operation: number;
  /** 0 or a descriptor, or -errno */
  readonly result: number;
  /** MS_*, MNT_*, MOVE_MOUNT_* */
  readonly flags: number;
  /** a text is the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** device, or the path that is moved or bound */
  readonly source: Text;
  /** mount point; pivot_root, chroot: the new root */
  readonly target: Text;
  readonly filesystem: Text;
  readonly options: Text;
  /** MOUNT_ATTR_*: fsmount, mount_setattr: that are set */
  readonly attributes: number;
  /** mount_setattr: MOUNT_ATTR_* that are taken away */
  readonly cleared: number;
}

/** memory becomes executable that can be, or could be, written; or a file that only memory has is made */
export interface Memory {
  readonly address: U64;
  /** bytes */
  readonly length: U64;
  /** of the mapped file */
  readonly inode: U64;
  readonly device: number;
  /** enum rf_memory_operation */
  readonly operation: number;
  /** 0 or a descriptor, or -errno */
  readonly result: number;
  /** PROT_* */
  readonly protection: number;
  /** MAP_*, MFD_* */
  readonly flags: number;
  /** a text is the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** of the mapped or new file; of a memfd_create that failed, the name */
  readonly path: Text;
  /** calls that this event stands for: this one, and those merged since the last */
  readonly count: number;
}

/** a signal is sent to a process of somebody else; the header is the sender */
export interface Signal {
  readonly targetStart: U64;
  readonly targetTgid: number;
  readonly targetUid: number;
  readonly signal: number;
  /** si_code */
  readonly code: number;
  /** 0: delivered; 1 ignored, 2 pending already, 3 and 4 lost; of a call that failed -errno */
  readonly result: number;
  /** signals that this event stands for: this one, and equal ones merged since the last */
  readonly count: number;
}

/** the kernel sends a thread a signal because of what it did: SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS */
export interface Fault {
  /** that was touched, or of the instruction */
  readonly address: U64;
  /** the instruction pointer */
  readonly instruction: U64;
  readonly signal: number;
  /** si_code */
  readonly code: number;
  /** of its executable's faults, this one among them, whatever processes had them, since a minute went by without any */
  readonly count: number;
  /** SIGSYS: its number; else -1 */
  readonly systemCall: number;
}

/** one process looks into another, or writes there */
export interface ProcessAccess {
  readonly targetStart: U64;
  /** in the target */
  readonly address: U64;
  /** bytes */
  readonly length: U64;
  readonly targetTgid: number;
  /** enum rf_access_operation */
  readonly operation: number;
  /** PTRACE_*; of an open, its O_*; pidfd_getfd: the target's descriptor */
  readonly request: number;
  /** bytes or a descriptor, or -errno */
  readonly result: number;
  /** calls that this event stands for: this one, and equal ones merged since the last */
  readonly count: number;
}

/** a thread changes what confines it */
export interface Isolation {
  /** setns, unshare: CLONE_NEW*; prctl: PR_*; seccomp: SECCOMP_SET_MODE_*; personality: the persona */
  readonly option: U64;
  /** of prctl, the first; seccomp: flags; personality: the persona before */
  readonly argument: U64;
  /** afterwards */
  readonly namespaces: Namespaces;
  /** enum rf_isolation_operation */
  readonly operation: number;
  readonly result: number;
  /** calls that this event stands for: this one, and equal ones merged since the last */
  readonly count: number;
}

/** the kernel asks whether a task has a capability */
export interface Capability {
  /** CAP_* */
  readonly capability: number;
  /** 0: yes; -1 (EPERM): no */
  readonly result: number;
  /** nsfs inode of the one that was asked about */
  readonly userNamespace: number;
  /** how many were merged into this one */
  readonly count: number;
}

/** a kernel module is loaded or unloaded, or fails to be */
export interface Module {
  readonly inode: U64;
  readonly device: number;
  /** enum rf_module_operation */
  readonly operation: number;
  readonly result: number;
  /** MODULE_INIT_*, O_* */
  readonly flags: number;
  /** no file is known: init_module */
  readonly fromMemory: boolean;
  /** of the module, when it was loaded */
  readonly taints: number;
  readonly name: Text;
  readonly path: Text;
  /** the caller's memory */
  readonly parameters: Text;
  /** enum rf_module_name */
  readonly nameSource: number;
}

/** the system call bpf */
export interface Bpf {
  /** enum bpf_cmd */
  readonly command: number;
  /** enum bpf_prog_type, or of a map enum bpf_map_type */
  readonly programType: number;
  /** enum bpf_attach_type */
  readonly attachType: number;
  /** descriptor or 0, or -errno */
  readonly result: number;
  /** a text is the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** of the program, map or tracepoint; OBJ_PIN, OBJ_GET: the path */
  readonly name: Text;
  /** of the program or map, 0: not known */
  readonly id: number;
  /** of the command */
  readonly flags: number;
}

/** a rarely used system call that changes, or shows, what is everybody's */
export interface SystemChange {
  /** the system call's arguments, where they aren't texts */
  readonly first: U64;
  readonly second: U64;
  readonly third: U64;
  /** enum rf_system_operation */
  readonly operation: number;
  readonly result: number;
  /** a text is the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** a path, a key's description, a name */
  readonly text: Text;
  /** kexec_file_load: the command line; add_key, request_key: the key's type */
  readonly detail: Text;
}

/** a sysctl is about to be written; whether the value is taken comes later */
export interface Sysctl {
  /** kernel/core_pattern */
  readonly name: Text;
  readonly before: Text;
  /** as written */
  readonly after: Text;
}

/** an operation that a task has left to io_uring */
export interface IoUring {
  readonly inode: U64;
  readonly device: number;
  /** enum rf_io_operation, the kernel's io_uring_op */
  readonly opcode: number;
  /** O_* of an open; mkdir: the mode; listen: the backlog; socket: the type; uring_cmd: the command; else the operation's flags */
  readonly flags: number;
  readonly result: number;
  /** a kernel thread took it (SQPOLL) */
  readonly submissionThread: boolean;
  readonly family: number;
  readonly port: number;
  /** of connect and bind; network order */
  readonly address: Uint8Array;
  /** of the file; a name that is not opened stands behind its directory's path, links not followed */
  readonly path: Text;
  /** rename, link: the new path; symlink: what it points to; xattr: the attribute's name */
  readonly target: Text;
  /** the address is the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** the caller wanted no completion: it was submitted, what came of it nobody hears */
  readonly resultUnknown: boolean;
}

/** a socket is made, bound or listens, or fails to */
export interface Socket {
  /** AF_* */
  readonly family: number;
  /** SOCK_* */
  readonly type: number;
  readonly protocol: number;
  /** bind, listen; network order */
  readonly address: Uint8Array;
  /** bind, listen */
  readonly port: number;
  /** bind, listen: of a vsock */
  readonly contextId: number;
  /** enum rf_socket_operation */
  readonly operation: number;
  readonly result: number;
  /** listen */
  readonly backlog: number;
  /** the address is the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** bind, listen: of a unix socket; alg: type and name, NUL between them */
  readonly path: Text;
}

/** datagrams between two ends: one event for the first, and one for what followed within a time; of unix sockets those that are sent */
export interface Datagram {
  /** bytes; unix: of the last one */
  readonly sent: U64;
  /** bytes */
  readonly received: U64;
  readonly family: number;
  readonly protocol: number;
  /** the peer's */
  readonly port: number;
  readonly localPort: number;
  /** the peer's */
  readonly address: Uint8Array;
  readonly localAddress: Uint8Array;
  /** of a send that failed: -errno */
  readonly result: number;
  /** datagrams */
  readonly count: number;
  /** unix: of the peer; an abstract name begins with NUL */
  readonly path: Text;
  /** the first of them came from the peer */
  readonly incoming: boolean;
  /** the peer is the caller's memory: of a send that failed, or to a unix socket by its name */
  readonly sourceCaller: boolean;
}

/** the beginning of a packet whose content matters */
export interface Packet {
  readonly family: number;
  readonly protocol: number;
  /** the peer's */
  readonly port: number;
  readonly localPort: number;
  /** the peer's */
  readonly address: Uint8Array;
  readonly localAddress: Uint8Array;
  /** enum rf_packet_content */
  readonly content: number;
  /** it leaves */
  readonly egress: boolean;
  /** its first 512 bytes of DNS, 2,048 of a hello: the head only */
  readonly payload: Text;
}

/** a connection is over */
export interface Flow {
  /** µs since it was established */
  readonly duration: number;
  /** bytes */
  readonly sent: U64;
  /** bytes */
  readonly received: U64;
  readonly family: number;
  readonly protocol: number;
  /** the peer's */
  readonly port: number;
  readonly localPort: number;
  /** the peer's */
  readonly address: Uint8Array;
  readonly localAddress: Uint8Array;
  /** it was accepted */
  readonly incoming: boolean;
  /** errno: why it ended, 0: in peace */
  readonly error: number;
}

/** kernel or host are not as they should be: what a check of their integrity has found */
export interface Finding {
  /** syscall-dispatch, hidden-module, preload, ... */
  readonly check: string;
  /** what it is about: a module, a path, a process, a system call */
  readonly subject: string;
  /** what is wrong with it */
  readonly detail: string;
}

/** somebody was asked to prove who they are */
export interface Authentication {
  /** PAM_*: 0 success, 7 not proved, 10 no such user */
  readonly result: number;
  /** always: texts are the caller's memory */
  readonly sourceCaller: boolean;
  /** of PAM: sshd, login, su */
  readonly service: Text;
  /** who they say they are */
  readonly user: Text;
  readonly remoteHost: Text;
  readonly tty: Text;
}

/** a line typed into a shell */
export interface ShellLine {
  /** device number, 0: none */
  readonly tty: number;
  /** always: the line is the shell's memory */
  readonly sourceCaller: boolean;
  readonly line: Text;
}

/** what a program gave to or got from libssl */
export interface TlsData {
  /** it was sent; else received */
  readonly egress: boolean;
  /** before encryption or after decryption: the first 1,024 bytes */
  readonly payload: Text;
}

/** what the executable of a process is, or the script that it was started as, or why nobody knows; the header is the process, or empty when it is said of the file alone */
export interface Hash {
  readonly inode: U64;
  readonly device: number;
  /** µs since the epoch; what is said holds for this inode at this time */
  readonly ctime: number;
  /** bytes of the file; 0: it was not looked at */
  readonly size: number;
  /** 32 bytes; empty: it was skipped */
  readonly sha256: Uint8Array;
  /** why: too big, changed, gone, queue full, ...; empty: it was not */
  readonly skipped: string;
  /** it holds for every exec of the file, not for this one alone */
  readonly lasting: boolean;
  /** of the file, as the exec told it */
  readonly path: Text;
  /** the file is the script that the process was started as, not its executable */
  readonly script: boolean;
}

/** events that a cgroup had beyond its share while a ring was filling up, since the last one told; the header has the cgroup */
export interface Throttled {
  readonly ofLane: number;
  /** open, file_change, ... */
  readonly ofKind: string;
  readonly count: number;
}

/** something is done to the agent or its sensor */
export interface Tampering {
  /** of the process that it is done to: the agent, or the one beside it */
  readonly victimStart: U64;
  readonly victimTgid: number;
  /** enum rf_tampering_operation */
  readonly operation: number;
  /** number of the signal; of an exit its code; of an access enum rf_access_operation; of a link its id */
  readonly detail: number;
  /** PTRACE_*; of an exit the signal that ended it */
  readonly request: number;
  /** 0, or -errno */
  readonly result: number;
  /** of who does it */
  readonly uid: number;
  /** how often this was done in a row */
  readonly count: number;
  /** the sensor's, whose link it is */
  readonly program: Text;
  /** what the actor's thread is called */
  readonly command: Text;
  /** name of the actor's executable, without its directory */
  readonly executable: Text;
}

/** a probe that the user has defined has fired */
export interface Probe {
  /** enum rf_probe_place */
  readonly place: number;
  /** arguments are the caller's memory or registers, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** as the user has called it */
  readonly name: Text;
  /** struct rf_probe_argument of bpf/ringfence.h, one behind the other, each followed by the bytes that it keeps */
  readonly arguments: Text;
}

/** a host's agent should tick, and doesn't; or does again */
export interface Silence {
  /** 1: silent; 2: heard again */
  readonly operation: number;
  /** µs, CLOCK_BOOTTIME: of the last tick before the silence */
  readonly lastTick: number;
}

/** a fork, an exec or a change of credentials that failed: nothing came of it */
export interface Attempt {
  /** of a fork its CLONE_* without the exit signal; capset: the effective set; set*id: an id, 4294967295 when it is to stay or the call has none; setgroups: how many */
  readonly first: U64;
  /** capset: the permitted set; set*id: an id */
  readonly second: U64;
  /** capset: the inheritable set; set*id: an id */
  readonly third: U64;
  /** enum rf_attempt_operation */
  readonly operation: number;
  /** enum rf_attempt_call */
  readonly call: number;
  /** -errno; setfsuid and setfsgid don't tell: -EPERM */
  readonly result: number;
  /** what was asked for is the caller's memory, not the kernel's copy: of exec, clone3, capset and setgroups */
  readonly sourceCaller: boolean;
  /** calls that this event stands for: this one, and equal ones merged since the last */
  readonly count: number;
  /** there were more arguments, or the last one is longer */
  readonly argvCut: boolean;
  /** of an exec: the caller's text, made absolute */
  readonly path: Text;
  /** of an exec: NUL-separated; the head only, at most 4,096 bytes */
  readonly argv: Text;
  /** setgroups: four bytes each, little-endian, as the caller's user namespace counts them; the first 32 */
  readonly groups: Text;
}

/** a standard stream became a socket that is no unix socket, or should have and the call failed */
export interface Redirect {
  /** AF_*; but for IPv4 (2) and IPv6 (10) there are no addresses */
  readonly family: number;
  /** SOCK_* */
  readonly type: number;
  /** IPPROTO_* */
  readonly protocol: number;
  /** the peer's; 0: not connected */
  readonly port: number;
  /** the peer's; network order: 4 or 16 bytes */
  readonly address: Uint8Array;
  readonly localAddress: Uint8Array;
  /** 0: not bound */
  readonly localPort: number;
  /** the peer has connected, as far as how the port was taken tells */
  readonly incoming: boolean;
  /** the task shares its descriptors: another thread may have put another file there meanwhile */
  readonly sourceCaller: boolean;
  /** that is copied */
  readonly sourceDescriptor: number;
  /** 0 to 2 */
  readonly targetDescriptor: number;
  /** enum rf_redirect_call */
  readonly call: number;
  /** targetDescriptor, or -errno */
  readonly result: number;
  /** calls that this event stands for: this one, and equal ones merged since the last */
  readonly count: number;
}

/** One event of one host. Its identity is (hostId, bootId, run, lane, cpu, sequence); the first three are the batch's. */
export interface Event {
  /** 0 security, 1 bulk (kernel); 16 and above are made in user space */
  readonly lane: number;
  readonly cpu: number;
  /** from 1, per lane and CPU */
  readonly sequence: number;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
  /** arrived after later events of its lanes had been sent */
  readonly late: boolean;
  /** 0 when no process did it */
  readonly tgid: number;
  readonly tid: number;
  /** ns, CLOCK_BOOTTIME, little-endian: start of the thread group leader */
  readonly start: U64;
  /** cgroup v2 id */
  readonly cgroup: U64;
  /** how many execs the task has behind it */
  readonly execId: number;
  readonly body: { readonly 'ringfence.Fork': Fork }
    | { readonly 'ringfence.Exec': Exec }
    | { readonly 'ringfence.Exit': Exit }
    | { readonly 'ringfence.CredentialsChange': CredentialsChange }
    | { readonly 'ringfence.Open': Open }
    | { readonly 'ringfence.Connect': Connect }
    | { readonly 'ringfence.Tick': Tick }
    | { readonly 'ringfence.Gap': Gap }
    | { readonly 'ringfence.UserContext': UserContext }
    | { readonly 'ringfence.ContainerContext': ContainerContext }
    | { readonly 'ringfence.MountContext': MountContext }
    | { readonly 'ringfence.Log': Log }
    | { readonly 'ringfence.HostContext': HostContext }
    | { readonly 'ringfence.Accept': Accept }
    | { readonly 'ringfence.FileChange': FileChange }
    | { readonly 'ringfence.MountChange': MountChange }
    | { readonly 'ringfence.Memory': Memory }
    | { readonly 'ringfence.Signal': Signal }
    | { readonly 'ringfence.Fault': Fault }
    | { readonly 'ringfence.ProcessAccess': ProcessAccess }
    | { readonly 'ringfence.Isolation': Isolation }
    | { readonly 'ringfence.Capability': Capability }
    | { readonly 'ringfence.Module': Module }
    | { readonly 'ringfence.Bpf': Bpf }
    | { readonly 'ringfence.SystemChange': SystemChange }
    | { readonly 'ringfence.Sysctl': Sysctl }
    | { readonly 'ringfence.IoUring': IoUring }
    | { readonly 'ringfence.Socket': Socket }
    | { readonly 'ringfence.Datagram': Datagram }
    | { readonly 'ringfence.Packet': Packet }
    | { readonly 'ringfence.Flow': Flow }
    | { readonly 'ringfence.Finding': Finding }
    | { readonly 'ringfence.Authentication': Authentication }
    | { readonly 'ringfence.ShellLine': ShellLine }
    | { readonly 'ringfence.TlsData': TlsData }
    | { readonly 'ringfence.Hash': Hash }
    | { readonly 'ringfence.Throttled': Throttled }
    | { readonly 'ringfence.Tampering': Tampering }
    | { readonly 'ringfence.Probe': Probe }
    | { readonly 'ringfence.Silence': Silence }
    | { readonly 'ringfence.Attempt': Attempt }
    | { readonly 'ringfence.Redirect': Redirect };
}

export interface LaneCounters {
  readonly lane: number;
  readonly cpu: number;
  /** last number taken */
  readonly sequence: number;
  /** by cause */
  readonly drops: { readonly [key: string]: number };
}

export type Ed25519Signature = Uint8Array;

/** One host's events in order. signature is the last field for ever: it signs every byte of the framed record before it. */
export interface RawBatch {
  /** UUID made at the agent's first start */
  readonly hostId: string;
  /** UUID of this boot */
  readonly bootId: string;
  /** random, made with the sensor's counters and pinned with them */
  readonly run: U64;
  readonly agentVersion: string;
  /** which interest map the sensor filtered with; 0: none */
  readonly interestVersion: number;
  /** µs to add to a ktime to get the wall clock */
  readonly wallOffset: number;
  /** µs since the epoch, by the host's clock, when the batch was signed */
  readonly sentAt: number;
  /** counters of every lane and CPU, with each tick */
  readonly lanes: readonly LaneCounters[];
  readonly events: readonly Event[];
  /** the enrolment key that signed */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

export interface Container {
  readonly cgroupId: U64;
  readonly id: string;
  readonly runtime: string;
  readonly name: string;
  readonly image: string;
  readonly privileged: null | boolean;
  readonly labels: { readonly [key: string]: string };
  readonly path: string;
  /** of the image's configuration: sha256:... */
  readonly imageId: string;
  /** under which registries know it: sha256:... */
  readonly imageDigests: readonly string[];
  /** bit n: capability n may be had in it; null: unknown */
  readonly capabilities: null | U64;
  /** what comes from outside of the image */
  readonly mounts: readonly ContainerMount[];
  /** those that are not its own: pid=host, ipc=shared */
  readonly namespaces: readonly string[];
  /** of Kubernetes */
  readonly pod: string;
  readonly podUid: string;
  /** of Kubernetes */
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly podLabels: { readonly [key: string]: string };
  /** µs since the epoch; 0: unknown */
  readonly startedAt: number;
  /** false: its runtime had not said yet what it is */
  readonly described: boolean;
}

export interface Peer {
  /** as rules write it */
  readonly address: string;
  /** id of the container whose events mean it; empty: the host's */
  readonly container: string;
  /** that programs asked a name server for and got it, the newest first */
  readonly names: readonly string[];
}

export type EntityId = Uint8Array;

/** a process image that events of this batch point at (one entry per entity, execId and credentials), or an ancestor of one as it was at the end of the batch */
export interface Process {
  readonly entityId: EntityId;
  readonly pid: number;
  /** ns, CLOCK_BOOTTIME */
  readonly start: U64;
  readonly execId: number;
  /** index in processes; -1: none or unknown */
  readonly parent: number;
  /** index in containers; -1: the host */
  readonly container: number;
  readonly cgroup: U64;
  readonly executable: Uint8Array;
  readonly executableInode: U64;
  readonly executableDevice: number;
  readonly execFlags: number;
  /** NUL-separated, at most 4,096 bytes; the exec event has the whole */
  readonly args: Uint8Array;
  readonly argsLength: number;
  readonly cwd: Uint8Array;
  readonly credentials: Credentials;
  /** name of the effective uid; empty: unknown */
  readonly user: string;
  readonly namespaces: Namespaces;
  readonly loginuid: number;
  readonly sessionId: number;
  readonly tty: number;
  readonly stdioSockets: number;
  /** µs since the epoch; 0: its host does not hash */
  readonly executableCtime: number;
  /** of the executable, 32 bytes; empty: hashState says why */
  readonly sha256: Uint8Array;
  /** hashed, pending, or why it was skipped; empty: its host does not hash */
  readonly hashState: string;
  /** of the script that its exec was for; 0: none, or unknown */
  readonly scriptInode: U64;
  readonly scriptDevice: number;
  /** µs since the epoch */
  readonly scriptCtime: number;
  /** as `sha256`, of the script */
  readonly scriptSha256: Uint8Array;
  /** as `hashState`; empty: no script, or its host does not hash it */
  readonly scriptHashState: string;
}

export interface EnrichedEvent {
  /** index in processes */
  readonly process: number;
  /** index in containers */
  readonly container: number;
  /** exec only: index of the process that last wrote the executable; -1: unknown */
  readonly writer: number;
  /** µs between that write and this exec; -1: unknown */
  readonly writtenAgo: number;
  /** why the enrichment is partial; empty: it is complete */
  readonly partial: string;
  readonly event: Event;
}

/** The events of one RawBatch, enriched; signature is the last field for ever. Contexts stand once per batch; events point at them by index, -1 for none. */
export interface EventBatch {
  readonly hostId: string;
  readonly bootId: string;
  readonly run: U64;
  /** µs to add to a ktime to get the wall clock */
  readonly wallOffset: number;
  /** of the RawBatch */
  readonly sentAt: number;
  /** µs since the epoch, when the bus took the RawBatch */
  readonly receivedAt: number;
  readonly lanes: readonly LaneCounters[];
  readonly containers: readonly Container[];
  /** what addresses of events in this batch were called */
  readonly peers: readonly Peer[];
  readonly processes: readonly Process[];
  readonly events: readonly EnrichedEvent[];
  /** whose signature it is; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

export const Priorities = ['debug', 'informational', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;
export type Priority = (typeof Priorities)[number];

export interface LineageProcess {
  /** hex */
  readonly entityId: string;
  readonly pid: number;
  readonly start: U64;
  readonly executable: string;
  /** joined by spaces, escaped, at most 512 characters */
  readonly args: string;
  readonly user: string;
  /** empty: the host */
  readonly containerId: string;
  readonly cgroup: U64;
}

/** One rule matched. id = hash of the rule and the identities of its events. */
export interface Alert {
  readonly id: string;
  readonly rule: string;
  readonly description: string;
  readonly priority: Priority;
  /** ATT&CK v19 short names, privilege-escalation */
  readonly tactics: readonly string[];
  /** T1059.004 */
  readonly techniques: readonly string[];
  readonly tags: readonly string[];
  /** what the rule asks for: alert, kill */
  readonly action: string;
  /** one line, control characters escaped */
  readonly output: string;
  readonly hostId: string;
  readonly bootId: string;
  /** µs since the epoch: of the event */
  readonly timestamp: number;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
  /** event ids: hostId/bootId/run/lane/cpu/sequence */
  readonly events: readonly string[];
  /** event.action of the event that completed it */
  readonly kind: string;
  /** the fields the condition and the output name, as text */
  readonly fields: { readonly [key: string]: string };
  /** the process, its parent, and on to the root */
  readonly lineage: readonly LineageProcess[];
  readonly container: null | Container;
  /** of the process, where known */
  readonly cgroupPath: string;
  /** whose signature it is; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

export const IncidentStates = ['open', 'closed', 'merged'] as const;
export type IncidentState = (typeof IncidentStates)[number];

export interface Stage {
  readonly tactic: string;
  readonly techniques: readonly string[];
  readonly firstSeen: number;
}

export interface ProcessName {
  readonly entityId: string;
  readonly pid: number;
  readonly executable: string;
  readonly user: string;
}

export interface IncidentAction {
  /** of the event, as rules name it: exec, open, file_change */
  readonly kind: string;
  /** event.action of the event: rename, ptrace */
  readonly operation: string;
  readonly failed: boolean;
  /** what it was done to, by field (docs/FIELDS.md): file.path, destination.ip; and peer.ip, peer.port; escaped and cut */
  readonly objects: { readonly [key: string]: string };
}

export const ReasonKinds = ['opened', 'repeated', 'process', 'written_file', 'connection', 'session', 'workload', 'same_file', 'guessed_login', 'login_origin', 'shared_edge'] as const;
export type ReasonKind = (typeof ReasonKinds)[number];

export interface IncidentReason {
  readonly kind: ReasonKind;
  /** of an earlier alert that the reason refers to; empty: none */
  readonly rule: string;
  /** that links: the common one, the writer, the client, the one that ran the same file */
  readonly process: null | ProcessName;
  /** the second one: where rule was raised, which ran the file, the server */
  readonly peer: null | ProcessName;
  /** generations from the alert's process up to process */
  readonly distance: number;
  /** what links, by field (docs/FIELDS.md): file.path, source.ip; and session, edge.kind, edge.detail */
  readonly objects: { readonly [key: string]: string };
  /** the alert opened this chain, which became part of the incident for this reason; empty: none */
  readonly mergedChain: string;
  /** rule of the alert that showed the reason; empty: no alert did */
  readonly mergedBy: string;
}

export interface IncidentTarget {
  readonly bootId: string;
  /** ns, CLOCK_BOOTTIME */
  readonly start: U64;
  /** empty: unknown */
  readonly cgroupPath: string;
  /** of the container; empty: none */
  readonly image: string;
}

export interface IncidentAlert {
  readonly id: string;
  readonly rule: string;
  readonly priority: Priority;
  readonly tactics: readonly string[];
  readonly timestamp: number;
  readonly entityId: string;
  readonly output: string;
  /** until 0.1.0: why it belongs, as a sentence; empty: reason has it */
  readonly why: string;
  readonly techniques: readonly string[];
  readonly hostId: string;
  /** that acted, as it was then; null: no process, or unknown */
  readonly process: null | ProcessName;
  /** empty: on the host */
  readonly containerId: string;
  readonly containerName: string;
  /** what happened; null: until 0.1.0, see story */
  readonly action: null | IncidentAction;
  /** why it belongs; null: until 0.1.0, see why */
  readonly reason: null | IncidentReason;
  /** alerts of the rule about the process, this one included */
  readonly count: number;
  /** µs since the epoch, of the last of them; 0: until 0.1.0 */
  readonly lastTimestamp: number;
  /** the process of the alert for the responder, with `process`; null: no process, or until 0.1.0 */
  readonly target: null | IncidentTarget;
}

export interface IncidentProcess {
  readonly entityId: string;
  /** empty: outside the story */
  readonly parentEntityId: string;
  readonly pid: number;
  readonly executable: string;
  readonly args: string;
  readonly user: string;
  readonly containerId: string;
}

export interface JoinedChain {
  /** the incident id it had or would have had */
  readonly id: string;
  readonly hostId: string;
  /** of the edge: connection, hash, key */
  readonly kind: string;
  /** until 0.1.0: as a sentence; empty: reason has it */
  readonly why: string;
  /** µs since the epoch */
  readonly at: number;
  /** as its agent reported it; empty: unknown */
  readonly hostname: string;
  /** null: until 0.1.0, see why */
  readonly reason: null | IncidentReason;
}

export const TriageStates = ['new', 'triaged', 'contained', 'closed'] as const;
export type TriageState = (typeof TriageStates)[number];

export const Verdicts = ['undecided', 'true_positive', 'false_positive'] as const;
export type Verdict = (typeof Verdicts)[number];

export interface StatusChange {
  readonly status: TriageState;
  readonly verdict: Verdict;
  /** who, as the command said; responder, detector */
  readonly by: string;
  readonly note: string;
  /** µs since the epoch */
  readonly at: number;
}

export interface IncidentLead {
  readonly rule: string;
  readonly tactics: readonly string[];
  /** empty: no process */
  readonly executable: string;
}

/** A connected part of the graph of alerts, whole each time. id = hash of the alert that opened it. Under 900 kB. */
export interface Incident {
  readonly id: string;
  /** from 1, with every change */
  readonly version: number;
  readonly state: IncidentState;
  /** empty unless merged */
  readonly mergedInto: string;
  readonly hostId: string;
  /** until 0.1.0: as text; empty: lead has it */
  readonly title: string;
  readonly severity: Priority;
  readonly score: number;
  /** µs since the epoch */
  readonly firstSeen: number;
  /** µs since the epoch */
  readonly lastSeen: number;
  /** in the order they were first seen */
  readonly stages: readonly Stage[];
  readonly alerts: readonly IncidentAlert[];
  /** alerts counted but not listed, to keep the record bounded */
  readonly omittedAlerts: number;
  /** every process of the story and what ties them */
  readonly processes: readonly IncidentProcess[];
  readonly container: null | Container;
  /** until 0.1.0: a sentence a step; empty: alerts and joined have it */
  readonly story: readonly string[];
  /** every host it reached, hostId first; empty: hostId alone */
  readonly hosts: readonly string[];
  /** chains of other hosts that are part of it */
  readonly joined: readonly JoinedChain[];
  /** how far people and the responder have come with it */
  readonly status: TriageState;
  readonly verdict: Verdict;
  /** of its status, oldest first; the latest 32 */
  readonly history: readonly StatusChange[];
  /** of hostId, as its agent reported it; empty: unknown */
  readonly hostname: string;
  /** of the most severe alert, which names the incident; null: until 0.1.0, see title */
  readonly lead: null | IncidentLead;
  /** whose signature it is; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

export const Actions = ['kill'] as const;
export type Action = (typeof Actions)[number];

export const Modes = ['observe', 'enforce'] as const;
export type Mode = (typeof Modes)[number];

/** What the responder ordered. id = hash of the incident or alert, action, target and ordinal. signature is the last field for ever and signs every byte of the framed record before it. */
export interface Command {
  readonly id: string;
  readonly action: Action;
  /** observe is recorded and never sent */
  readonly mode: Mode;
  /** id of the alert or incident it answers */
  readonly cause: string;
  readonly policy: string;
  readonly reason: string;
  readonly ordinal: number;
  readonly hostId: string;
  readonly bootId: string;
  readonly entityId: string;
  readonly pid: number;
  /** ns, CLOCK_BOOTTIME */
  readonly start: U64;
  /** for the record; a changed one is noted, never a reason to refuse */
  readonly executable: string;
  /** µs since the epoch */
  readonly issuedAt: number;
  /** µs since the epoch */
  readonly expiresAt: number;
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

export const Outcomes = ['executed', 'observed', 'refused', 'expired', 'failed', 'gone'] as const;
export type Outcome = (typeof Outcomes)[number];

/** What became of a command. id = the command's. */
export interface Result {
  readonly id: string;
  readonly hostId: string;
  readonly outcome: Outcome;
  /** of a refusal: a closed set, see ringfence doctor; else free text */
  readonly reason: string;
  /** of the target when the command was carried out */
  readonly executable: string;
  /** µs since the epoch */
  readonly at: number;
  /** whose signature it is, a responder's; empty: unsigned, as the agent says it on its stream */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

export const AuditKinds = ['alert', 'incident', 'command', 'result', 'gap', 'execution', 'events', 'dlq', 'enrolment'] as const;
export type AuditKind = (typeof AuditKinds)[number];

export type Sha256 = Uint8Array;

/** One entry of the audit trail. hash = sha256(prevHash, then the record's other fields as encoded); one chain per source partition and kind. */
export interface AuditRecord {
  readonly id: string;
  readonly kind: AuditKind;
  /** µs since the epoch */
  readonly timestamp: number;
  readonly hostId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** the framed record as it stood on the bus; of a batch of events that stays in Kafka, its sha256 */
  readonly payload: Uint8Array;
  readonly prevHash: Sha256;
}

/** What could not be processed. */
export interface DeadLetter {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** service and step */
  readonly stage: string;
  readonly code: string;
  readonly reason: string;
  readonly original: Uint8Array;
}

/** One end of what ties hosts together, seen by a chain of one of them. Keyed by edge. */
export interface Edge {
  /** hash of kind and detail: the same from every end */
  readonly edge: string;
  /** connection, key */
  readonly kind: string;
  /** of a connection: source or destination; empty: of what has no direction */
  readonly end: string;
  /** in plain words */
  readonly detail: string;
  readonly hostId: string;
  /** id of the incident it is or may become; empty: a sighting without a chain, which says how rare an edge is */
  readonly chainId: string;
  /** µs since the epoch: of the chain's first alert; 0: no chain */
  readonly openedAt: number;
  readonly alertId: string;
  /** µs since the epoch */
  readonly at: number;
  /** whose signature it is; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

export interface ChainRef {
  readonly chainId: string;
  readonly hostId: string;
  readonly openedAt: number;
}

export interface JoinedRule {
  readonly rule: string;
  /** what it added to the score when it first matched */
  readonly weight: number;
  /** µs since the epoch, when it last matched */
  readonly at: number;
}

/** Two chains of different hosts are one attack. Keyed by the host that has to act on it. First to the host of `into`, which answers for it and invites `from`; then, with each change of it, `from` whole. `into` and `from` the same: what it was folded into is gone, it stands alone again. */
export interface Join {
  /** who has to act on it */
  readonly hostId: string;
  readonly edge: string;
  readonly kind: string;
  /** until 0.1.0: as a sentence; empty: reason has it */
  readonly why: string;
  /** µs since the epoch */
  readonly at: number;
  /** opened first: it survives */
  readonly into: ChainRef;
  readonly from: ChainRef;
  /** all of `from`, when it is folded into `into`; null: the two have just been tied */
  readonly chain: null | Incident;
  /** of `chain`: what the score of the incident that it is part of adds up */
  readonly rules: readonly JoinedRule[];
  /** what both hosts saw; null: until 0.1.0, or it stands alone again */
  readonly reason: null | IncidentReason;
  /** whose signature it is; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

/** Events that somebody asks for. */
export interface Want {
  readonly kind: string;
  /** of the kind; empty: all of them */
  readonly form: string;
  /** host, container; empty: both */
  readonly scope: string;
  /** first and last in turn; none in either list: all */
  readonly peerPorts: readonly number[];
  readonly localPorts: readonly number[];
}

/** What the rules of one detector can match. Keyed by detector. */
export interface InterestRecord {
  readonly detector: string;
  readonly version: number;
  /** µs since the epoch; said again every minute, forgotten after five */
  readonly at: number;
  /** null: every open */
  readonly openPathPrefixes: null | readonly string[];
  readonly openNames: readonly string[];
  readonly openExecutables: readonly string[];
  /** of changes of files alone, beside those of opens */
  readonly changePathPrefixes: readonly string[];
  readonly changeNames: readonly string[];
  /** null: every kind */
  readonly wants: null | readonly Want[];
  /** whose signature it is; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

/** Who may speak as whom. Keyed by subject and key id; signed by the fleet's root key. */
export interface Enrolment {
  /** hostId of an agent, or the name of a service's instance */
  readonly subject: string;
  /** agent, enricher, detector, responder, auditor */
  readonly role: string;
  /** Ed25519, SPKI DER: signs what the subject writes */
  readonly publicKey: Uint8Array;
  readonly signingKeyId: string;
  /** hex: of the client certificates in use */
  readonly certificateSerials: readonly string[];
  /** µs since the epoch */
  readonly issuedAt: number;
  /** µs since the epoch; 0: in force. What was signed later, or by a clock that can not be told, is refused */
  readonly revokedAt: number;
  /** the higher one holds */
  readonly version: number;
  /** whose signature it is; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

/** How far the audit trail of a source partition reaches, and its hash there. */
export interface AuditHead {
  readonly topic: string;
  readonly partition: number;
  /** of the last record in it */
  readonly offset: number;
  /** records since the first */
  readonly count: number;
  readonly hash: Sha256;
  /** µs since the epoch */
  readonly at: number;
  /** of the records in it: what is derived from a batch has a chain of its own */
  readonly kind: string;
  /** which store: the first hash of a trail begun anew has nothing to do with the one before */
  readonly trail: string;
  /** whose signature it is; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

/** What somebody has decided about an incident, or the responder has done about it. Keyed by the incident's host; the detector takes it and publishes the incident anew. */
export interface Feedback {
  /** id of the incident, or of one of its alerts */
  readonly subject: string;
  readonly hostId: string;
  readonly change: StatusChange;
  /** its newest version, for when the detector has closed it already; null: then nothing can be done any more */
  readonly incident: null | Incident;
  /** whose signature it is; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

export interface RuleCount {
  readonly rule: string;
  /** that it had a part in */
  readonly chains: number;
  /** incidents with it that were judged so */
  readonly truePositives: number;
  readonly falsePositives: number;
}

/** How common each rule is among the chains of one partition's hosts, and what people said of those. Keyed by partition, whole each time; every detector adds up what all partitions say. */
export interface RuleCounts {
  readonly partition: number;
  /** µs since the epoch, by the bus's clock; of two the later one holds */
  readonly at: number;
  readonly rules: readonly RuleCount[];
  /** whose signature it is; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

export interface StateRarity {
  readonly rule: string;
  readonly chains: number;
}

export interface StateVerdict {
  readonly rule: string;
  readonly truePositives: number;
  readonly falsePositives: number;
}

export interface StateHole {
  readonly from: number;
  readonly to: number;
  readonly due: number;
}

export interface StateLane {
  /** lane * 65536 + cpu */
  readonly key: number;
  readonly highest: number;
  readonly holes: readonly StateHole[];
}

export interface StateRun {
  /** boot/run */
  readonly id: string;
  readonly lanes: readonly StateLane[];
}

/** What the detector remembers of one host, without its chains. */
export interface StateHost {
  readonly tick: number;
  readonly nextOrdinal: number;
  /** µs, CLOCK_BOOTTIME, of the last tick */
  readonly ktime: number;
  readonly hostname: string;
  readonly addresses: readonly string[];
  /** in how many chains a rule had a part */
  readonly rarity: readonly StateRarity[];
  /** on incidents with the rule */
  readonly verdicts: readonly StateVerdict[];
  /** sequence numbers that have arrived */
  readonly runs: readonly StateRun[];
}

export interface StateContainer {
  /** hex */
  readonly cgroupId: string;
  readonly id: string;
  readonly runtime: string;
  readonly name: string;
  readonly image: string;
  readonly privileged: null | boolean;
  readonly labels: { readonly [key: string]: string };
  readonly path: string;
}

export interface StateAlert {
  readonly id: string;
  readonly rule: string;
  readonly priority: Priority;
  readonly tactics: readonly string[];
  readonly techniques: readonly string[];
  /** µs since the epoch */
  readonly timestamp: number;
  readonly entityId: string;
  readonly output: string;
  /** null: unknown */
  readonly process: null | ProcessName;
  /** null: from an entry of 0.1.0 */
  readonly action: null | IncidentAction;
  /** null: from an entry of 0.1.0, see why */
  readonly reason: null | IncidentReason;
  readonly why: string;
  readonly container: null | StateContainer;
  readonly count: number;
  /** µs since the epoch */
  readonly lastTimestamp: number;
  /** of event time, in which sentInMinute were sent */
  readonly minute: number;
  readonly sentInMinute: number;
  /** null: no process, or from an entry of 0.1.0 */
  readonly target: null | IncidentTarget;
}

export interface StateRuleWeight {
  readonly rule: string;
  readonly weight: number;
  /** µs, CLOCK_BOOTTIME, of its last alert */
  readonly ktime: number;
}

export interface StateProcess {
  readonly entityId: string;
  /** empty: a hub, or unknown */
  readonly parentEntityId: string;
  readonly execId: number;
  readonly pid: number;
  readonly executable: string;
  readonly args: string;
  readonly user: string;
  readonly containerId: string;
}

export interface StateJoinCause {
  readonly edge: string;
  readonly kind: string;
  readonly why: string;
  /** µs since the epoch */
  readonly at: number;
  readonly reason: null | IncidentReason;
}

export interface StateSurvivor {
  readonly chainId: string;
  readonly hostId: string;
  readonly openedAt: number;
  readonly cause: StateJoinCause;
}

export interface StateTriage {
  readonly status: TriageState;
  readonly verdict: Verdict;
  readonly history: readonly StatusChange[];
}

/** One chain of the detector, without its members, which are Joins. */
export interface StateChain {
  readonly id: string;
  readonly hostId: string;
  readonly bootId: string;
  readonly ordinal: number;
  /** grows with each write of the chain or its counts; the higher one holds */
  readonly revision: number;
  /** last one published; 0: none */
  readonly version: number;
  /** µs since the epoch */
  readonly firstSeen: number;
  /** µs since the epoch */
  readonly lastSeen: number;
  /** µs, CLOCK_BOOTTIME */
  readonly lastKtime: number;
  readonly alerts: readonly StateAlert[];
  /** alerts beyond the listed ones */
  readonly omitted: number;
  readonly stages: readonly Stage[];
  readonly rules: readonly StateRuleWeight[];
  readonly processes: readonly StateProcess[];
  /** that link alerts to the chain */
  readonly keys: readonly string[];
  readonly stale: boolean;
  /** µs since the epoch */
  readonly openedAt: number;
  readonly published: boolean;
  readonly edges: readonly string[];
  /** entity ids of ancestors, hubs included */
  readonly above: readonly string[];
  /** chains of this host that other hosts may know */
  readonly mergedIds: readonly string[];
  /** the chain of another host that it is part of */
  readonly survivor: null | StateSurvivor;
  /** µs, CLOCK_BOOTTIME, when a member last changed */
  readonly touchedKtime: number;
  readonly triage: StateTriage;
}

export interface StateRuleTime {
  readonly rule: string;
  readonly ktime: number;
}

export interface StateAlertCounts {
  readonly count: number;
  readonly lastTimestamp: number;
  readonly minute: number;
  readonly sentInMinute: number;
}

/** The part of a chain that repetitions change: a flood writes nothing else. */
export interface StateChainCounts {
  readonly id: string;
  readonly hostId: string;
  readonly revision: number;
  readonly version: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly lastKtime: number;
  readonly omitted: number;
  readonly stale: boolean;
  readonly rules: readonly StateRuleTime[];
  /** in the order of the chain's */
  readonly alerts: readonly StateAlertCounts[];
}

export const EdgeKinds = ['connection', 'key'] as const;
export type EdgeKind = (typeof EdgeKinds)[number];

export const EdgeSides = ['none', 'source', 'destination'] as const;
export type EdgeSide = (typeof EdgeSides)[number];

export interface StateEdgeEnd {
  readonly kind: EdgeKind;
  readonly side: EdgeSide;
  readonly detail: string;
  /** address that a connection comes from; empty: a key */
  readonly source: string;
  /** µs since the epoch */
  readonly at: number;
}

export interface StateAccept {
  readonly end: StateEdgeEnd;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
  /** entity id of the process that serves it; empty: none yet */
  readonly by: string;
}

export interface StateFork {
  readonly entityId: string;
  readonly start: number;
}

export interface StateAcceptor {
  readonly accepts: readonly StateAccept[];
  readonly forks: readonly StateFork[];
}

export interface StateCaller {
  readonly lineage: readonly string[];
  readonly ends: readonly StateEdgeEnd[];
}

export interface StateServer {
  readonly root: string;
  readonly process: ProcessName;
  readonly clients: readonly string[];
}

export interface StatePeer {
  readonly root: string;
  readonly endpoint: string;
  readonly reason: IncidentReason;
  readonly ktime: number;
}

export interface StateSettled {
  readonly version: number;
  readonly triage: StateTriage;
}

/** One entry of a bounded table of a host. Exactly one value is there: that of its table. */
export interface StateMemory {
  /** in the order of the last change, over the table */
  readonly ordinal: number;
  /** where a chain went */
  readonly forward: null | ChainRef;
  /** connections that a process accepted, and processes that it started */
  readonly acceptor: null | StateAcceptor;
  /** that a process was started for */
  readonly session: null | readonly StateEdgeEnd[];
  /** connections that a process made */
  readonly caller: null | StateCaller;
  /** µs since the epoch, when the use of a key was published */
  readonly keyUse: null | number;
  readonly server: null | StateServer;
  readonly peers: null | readonly StatePeer[];
  /** sha256 of a file that a process ran */
  readonly copy: null | string;
  /** the sha256 is that of a program of the system */
  readonly installed: null | boolean;
  /** of an incident whose chain is closed */
  readonly settled: null | StateSettled;
}

/** One key of what a rule remembers on a host. */
export interface StateRuleMemory {
  readonly hostId: string;
  /** empty: all boots */
  readonly bootId: string;
  readonly key: string;
  /** as packages/rules encodes it */
  readonly value: Uint8Array;
}

/** Counts of rules of the other partitions, as they were last taken over. */
export interface StateRuleCounts {
  readonly rules: readonly RuleCount[];
}

export interface StateSighting {
  readonly chainId: string;
  readonly hostId: string;
  readonly openedAt: number;
  readonly end: string;
  /** µs since the epoch, by the host's clock */
  readonly at: number;
}

/** An edge in the memory of the detector's second stage. */
export interface StateEdge {
  /** in the order of the last change */
  readonly ordinal: number;
  readonly sightings: readonly StateSighting[];
  readonly hosts: readonly string[];
  /** µs since the epoch, by the bus's clock, of the last sighting */
  readonly at: number;
}

/** A command that was ordered, in the partition of its cause, under the command's id; the latest one for a process, under `entity/` and its entity id. */
export interface StateOrder {
  /** µs since the epoch, when the latest command was issued */
  readonly at: number;
  /** empty: from an entry of 0.1.0 */
  readonly commandId: string;
  /** the alert about the process, for traces; empty: unknown */
  readonly alertId: string;
}

/** Kills that were admitted on one host within the latest minute. */
export interface StateKillLimit {
  /** µs since the epoch, ascending */
  readonly kills: readonly number[];
}

export const StoredCommandStates = ['open', 'answered', 'done'] as const;
export type StoredCommandState = (typeof StoredCommandStates)[number];

/** An enforced command in the partition of its host. */
export interface StateCommand {
  /** answered: the answer was read before the command */
  readonly state: StoredCommandState;
  readonly hostId: string;
  /** µs since the epoch */
  readonly expiresAt: number;
  /** framed and signed, while it is open */
  readonly command: null | Uint8Array;
  /** framed and signed Result, while it is answered */
  readonly answer: null | Uint8Array;
}

export interface StateBootHole {
  readonly from: number;
  readonly to: number;
  readonly due: number;
}

export interface StateBootLane {
  /** lane * 65536 + cpu */
  readonly key: number;
  readonly highest: number;
  readonly holes: readonly StateBootHole[];
  /** lost records by cause, as last sent */
  readonly drops: { readonly [key: string]: number };
  /** the part of drops that has been reported as the reason of a gap */
  readonly explained: { readonly [key: string]: number };
}

export interface StateBootRun {
  /** hex */
  readonly id: string;
  readonly lanes: readonly StateBootLane[];
}

export interface StateLastTick {
  /** hex */
  readonly run: string;
  readonly sequence: number;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
  /** the agent announced its end */
  readonly isFinal: boolean;
}

/** Clock, counters and lanes of one boot in the enricher. */
export interface StateBoot {
  readonly tick: number;
  /** last sequence number of the gap lane */
  readonly gapSequence: number;
  /** number of its last batch among the batches of the partition */
  readonly lastActive: number;
  /** of a process */
  readonly nextOrdinal: number;
  /** of the exit of a process */
  readonly nextExitOrdinal: number;
  /** of written files */
  readonly nextSegment: number;
  /** µs to add to a ktime to get the wall clock */
  readonly wallOffset: number;
  /** whether its agent hashes executables */
  readonly hashing: boolean;
  /** the most recently used last */
  readonly runs: readonly StateBootRun[];
  /** null: no tick yet */
  readonly last: null | StateLastTick;
}

/** A process in the enricher. */
export interface StateKnownProcess {
  /** in the order of first events, over the boot */
  readonly ordinal: number;
  /** -1: it is running */
  readonly exitTick: number;
  readonly exitOrdinal: number;
  /** µs, CLOCK_BOOTTIME, of the event that the credentials come from */
  readonly credentialsAt: number;
  /** µs, CLOCK_BOOTTIME, of the event that the cgroup comes from */
  readonly cgroupAt: number;
  /** false: a placeholder until its fork, exec or snapshot arrives */
  readonly known: boolean;
  /** whether the image comes from its own exec, not from its parent */
  readonly ownImage: boolean;
  /** 0: unknown */
  readonly parentPid: number;
  /** ns, CLOCK_BOOTTIME */
  readonly parentStart: U64;
  /** without parent, container and user */
  readonly process: Process;
}

/** A container in the enricher. */
export interface StateKnownContainer {
  /** tick at which it was reported as gone; -1: it exists */
  readonly goneTick: number;
  readonly container: Container;
}

/** A user in the enricher. The key of the entry has the uid. */
export interface StateUser {
  readonly name: string;
}

/** The hash of a file in the enricher. The key of the entry has device and inode. */
export interface StateFileHash {
  /** in the order of the last change */
  readonly ordinal: number;
  /** µs since the epoch */
  readonly ctime: number;
  /** hashed, or the reason why it was skipped */
  readonly state: string;
  /** 32 bytes; empty if it is not hashed */
  readonly sha256: Uint8Array;
}

export interface StateAnsweredName {
  readonly name: string;
  /** µs, CLOCK_BOOTTIME, of the last answer */
  readonly at: number;
}

/** Names of an address in the enricher. The key of the entry has the address and the container. */
export interface StateAddressNames {
  /** in the order of the last change */
  readonly ordinal: number;
  /** the newest first */
  readonly names: readonly StateAnsweredName[];
}

export interface StateWrite {
  readonly device: number;
  /** low 32 bits */
  readonly inodeLow: number;
  /** high 32 bits */
  readonly inodeHigh: number;
  /** of the writer */
  readonly tgid: number;
  /** low 32 bits of the writer's start */
  readonly startLow: number;
  /** high 32 bits */
  readonly startHigh: number;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
}

/** Files that were opened for writing in one batch, in the enricher. */
export interface StateWrites {
  readonly writes: readonly StateWrite[];
}

/** Lines of Filebeat of one host in the enricher. */
export interface StateFilebeatHost {
  /** last sequence number of its lines */
  readonly sequence: number;
}

/** Lines of one file from Filebeat in the enricher. */
export interface StateFilebeatFile {
  /** highest offset of a line */
  readonly highest: number;
  /** fingerprints of the last lines, 6 bytes each, the latest last */
  readonly recent: Uint8Array;
}

export interface RecordTypes {
  readonly Event: Event;
  readonly RawBatch: RawBatch;
  readonly EventBatch: EventBatch;
  readonly Alert: Alert;
  readonly Incident: Incident;
  readonly Command: Command;
  readonly Result: Result;
  readonly AuditRecord: AuditRecord;
  readonly DeadLetter: DeadLetter;
  readonly Edge: Edge;
  readonly Join: Join;
  readonly InterestRecord: InterestRecord;
  readonly Enrolment: Enrolment;
  readonly AuditHead: AuditHead;
  readonly Feedback: Feedback;
  readonly RuleCounts: RuleCounts;
  readonly StateHost: StateHost;
  readonly StateChain: StateChain;
  readonly StateChainCounts: StateChainCounts;
  readonly StateMemory: StateMemory;
  readonly StateRuleMemory: StateRuleMemory;
  readonly StateRuleCounts: StateRuleCounts;
  readonly StateEdge: StateEdge;
  readonly StateOrder: StateOrder;
  readonly StateKillLimit: StateKillLimit;
  readonly StateCommand: StateCommand;
  readonly StateBoot: StateBoot;
  readonly StateKnownProcess: StateKnownProcess;
  readonly StateKnownContainer: StateKnownContainer;
  readonly StateUser: StateUser;
  readonly StateFileHash: StateFileHash;
  readonly StateAddressNames: StateAddressNames;
  readonly StateWrites: StateWrites;
  readonly StateFilebeatHost: StateFilebeatHost;
  readonly StateFilebeatFile: StateFilebeatFile;
}
