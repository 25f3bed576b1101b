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

/** a new process. The header describes the child */
export interface Fork {
  readonly parentTgid: number;
  readonly parentStart: U64;
  readonly namespaces: Namespaces;
  /** CLONE_* without the exit signal; 0: fork, or a kernel thread */
  readonly flags: U64;
  /** forks in this event: this one and equal ones of the same parent, merged since the last event */
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

/** text from the kernel; a text that is too long keeps its head and its tail, half each */
export interface Text {
  readonly bytes: Uint8Array;
  /** true length in bytes */
  readonly length: number;
}

/** a process executed a file; also each process that was already running when the sensor started (snapshot) */
export interface Exec {
  /** true: the collector read the process at its start; no exec was observed */
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
  /** uid of the executable's owner */
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
  /** enum rf_stdio; bit n: descriptor n is a socket; bit n + 8: that socket is not a unix socket */
  readonly stdioSockets: number;
  readonly path: Text;
  readonly filename: Text;
  readonly cwd: Text;
  /** NUL-separated */
  readonly argv: Text;
  /** NAME=value of selected variables and of those that rules ask for, NUL-separated; when cut, the head is kept; empty in a snapshot */
  readonly environment: Text;
  /** as the interpreter line or the binary format names it */
  readonly interpreter: Text;
  /** path of the file that the interpreter runs, from the kernel; empty: none, or only `filename` names it */
  readonly script: Text;
  /** inode of the script; 0: none, or unknown in this profile */
  readonly scriptInode: U64;
  readonly scriptDevice: number;
  /** µs since the epoch */
  readonly scriptCtime: number;
  /** number of its leader in the process's own pid namespace; 0: the leader is in another one, or unknown */
  readonly processGroup: number;
  /** session of setsid: as `processGroup`, for its leader */
  readonly processSession: number;
  /** of an overlay's file: inode of the file in the layer that it shows; 0: it is in no overlay */
  readonly realInode: U64;
  /** device of the file with realInode */
  readonly realDevice: number;
  /** differs when the file system uses the inode's number for another file; 0: unknown */
  readonly generation: number;
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
  /** supplementary groups in the initial user namespace, the lowest 32: four bytes each, little-endian, ascending; empty unless setgroups changed them */
  readonly groupsBefore: Text;
  /** as `groupsBefore`, after the change */
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
  /** true: the path is from the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  readonly path: Text;
  /** opens in this event: this one and equal ones merged since the last event */
  readonly count: number;
  /** path by which a file was opened that rules name by `path`; empty: by `path` itself */
  readonly reached: Text;
  /** true: the process did not open the file but got its descriptor from another one; `result` is 0 then */
  readonly received: boolean;
  /** true: this open made the file */
  readonly created: boolean;
  /** path as the caller passed it, from the caller's memory; empty: no rule asked for it */
  readonly rawPath: Text;
  /** of an overlay's file: inode of the file in the layer that it shows; 0: it is in no overlay */
  readonly realInode: U64;
  /** device of the file with realInode */
  readonly realDevice: number;
  /** differs when the file system uses the inode's number for another file; 0: unknown */
  readonly generation: number;
}

export interface Connect {
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
  /** network byte order: 4 or 16 bytes; empty for unix */
  readonly address: Uint8Array;
  readonly port: number;
  /** 0, or -errno */
  readonly result: number;
  /** unix only: path or bound name of the socket; an abstract name begins with NUL */
  readonly path: Text;
  /** as `address`; empty: not bound */
  readonly localAddress: Uint8Array;
  readonly localPort: number;
  /** true: the address is from the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** duration of the call, µs; 0: unknown, because the call was refused before the kernel read the address, or began before the sensor */
  readonly duration: number;
  /** calls in this event: this one and equal ones merged since the last event */
  readonly count: number;
}

/** the agent's heartbeat, one per second, or up to a second later while no events come; every timer runs on ticks */
export interface Tick {
  /** µs to add to a ktime to get wall-clock time */
  readonly wallOffset: number;
  /** true: the agent shuts down in order, so no tick follows this one */
  readonly last: boolean;
}

/** records of one lane and CPU that never arrived */
export interface Gap {
  readonly ofLane: number;
  readonly ofCpu: number;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
  /** lost records of the lane in this run, by the agent's counters; 0: not reported, by an earlier enricher */
  readonly total: number;
}

/** an entry of the host's user database */
export interface UserContext {
  readonly uid: number;
  readonly name: string;
}

export interface ContainerMount {
  /** path on the host */
  readonly source: string;
  /** path in the container */
  readonly destination: string;
  readonly readonly: boolean;
}

/** the container that a cgroup belongs to */
export interface ContainerContext {
  readonly cgroupId: U64;
  /** empty: the container is gone */
  readonly id: string;
  readonly runtime: string;
  readonly name: string;
  readonly image: string;
  readonly privileged: null | boolean;
  readonly labels: { readonly [key: string]: string };
  /** path of the cgroup, from the root of the hierarchy */
  readonly path: string;
  /** digest of the image's configuration: sha256:... */
  readonly imageId: string;
  /** digests under which registries know the image: sha256:... */
  readonly imageDigests: readonly string[];
  /** bit n: processes of the container can have capability n; null: unknown */
  readonly capabilities: null | U64;
  /** mounts from outside the image */
  readonly mounts: readonly ContainerMount[];
  /** namespaces that the container shares: pid=host, ipc=shared */
  readonly namespaces: readonly string[];
  /** name of the Kubernetes pod */
  readonly pod: string;
  readonly podUid: string;
  /** Kubernetes namespace */
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly podLabels: { readonly [key: string]: string };
  /** µs since the epoch; 0: unknown */
  readonly startedAt: number;
  /** false: the runtime has not described the container yet */
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

/** a line of a log, parsed if its program is known; an empty or zero field is unknown */
export interface Log {
  /** file, journald, http (an alert of another sensor), filebeat */
  readonly origin: string;
  /** path of the file, or name of the unit */
  readonly path: string;
  /** byte offset of the line in its file; -1: none */
  readonly offset: number;
  /** for example sshd */
  readonly program: string;
  readonly pid: number;
  readonly message: Text;
  /** ECS event.category: authentication, session, process, iam, intrusion_detection */
  readonly category: string;
  /** ECS event.action: ssh-login, sudo-command, cron-command */
  readonly action: string;
  /** ECS event.outcome: success, failure */
  readonly outcome: string;
  /** user who acted */
  readonly user: string;
  /** user that the actor logged in as or acted as */
  readonly targetUser: string;
  readonly sourceAddress: string;
  readonly sourcePort: number;
  /** publickey, password */
  readonly method: string;
  /** fingerprint of a key: SHA256:... */
  readonly fingerprint: string;
  readonly command: string;
  readonly workingDirectory: string;
  readonly tty: string;
  /** sensor whose alert the line is: falco, tetragon */
  readonly provider: string;
  /** rule or policy of that sensor */
  readonly rule: string;
  /** priority that the sensor gives the alert, in lower case */
  readonly level: string;
}

/** names and addresses of the host */
export interface HostContext {
  readonly hostname: string;
  readonly machineId: string;
  /** addresses of the host's interfaces without loopback, separated by spaces */
  readonly addresses: string;
  /** true: the agent hashes executables, so the hash of an executable without a Hash event is pending */
  readonly hashing: boolean;
}

/** a process accepted a connection: the other end of a Connect */
export interface Accept {
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
  /** address of the peer; network byte order: 4 or 16 bytes */
  readonly address: Uint8Array;
  /** port of the peer */
  readonly port: number;
  readonly localAddress: Uint8Array;
  readonly localPort: number;
  /** the new descriptor, or -errno: then the peer is unknown */
  readonly result: number;
}

/** a name, an attribute or the content of a file changed, or the change failed */
export interface FileChange {
  /** inode of the changed file; 0: unknown */
  readonly inode: U64;
  readonly device: number;
  /** enum rf_file_operation */
  readonly operation: number;
  /** 0, or -errno */
  readonly result: number;
  /** chmod, mkdir, mknod: the requested mode */
  readonly mode: number;
  /** chown: 4294967295 when unchanged */
  readonly uid: number;
  readonly gid: number;
  /** flags of the system call */
  readonly flags: number;
  /** true: a text is from the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  readonly path: Text;
  /** rename, link: the new path; symlink: its content; xattr: the attribute's name */
  readonly target: Text;
  /** truncate: the new length, bytes; splice: the bytes requested */
  readonly length: U64;
  /** mknod: kernel dev_t of a character or block device */
  readonly special: number;
  /** path as the caller passed it, from the caller's memory; empty: no rule asked for it, or the call takes a descriptor */
  readonly rawPath: Text;
  /** rename, link: the same of the new path */
  readonly rawTarget: Text;
}

/** a mount or the root of a task changed, or the change failed */
export interface MountChange {
  /** enum rf_mount_operation */
  readonly operation: number;
  /** 0 or a descriptor, or -errno */
  readonly result: number;
  /** MS_*, MNT_*, MOVE_MOUNT_* */
  readonly flags: number;
  /** true: a text is from the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** device, or the path that is moved or bound; pivot_root: the new place of the old root */
  readonly source: Text;
  /** mount point; pivot_root, chroot: the new root */
  readonly target: Text;
  readonly filesystem: Text;
  readonly options: Text;
  /** fsmount, mount_setattr: the MOUNT_ATTR_* that are set */
  readonly attributes: number;
  /** mount_setattr: the MOUNT_ATTR_* that are cleared */
  readonly cleared: number;
}

/** memory that is or was writable became executable, or a file that exists only in memory was created */
export interface Memory {
  readonly address: U64;
  /** bytes */
  readonly length: U64;
  /** inode of the mapped file */
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
  /** true: a text is from the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** path of the mapped or new file; for a failed memfd_create, the name from the caller */
  readonly path: Text;
  /** calls in this event: this one and those merged since the last event */
  readonly count: number;
}

/** a signal to a process with other credentials, in another cgroup or in another pid namespace; a signal that ends or stops the agent; or a call that failed to send a signal. The header describes the sender */
export interface Signal {
  readonly targetStart: U64;
  readonly targetTgid: number;
  readonly targetUid: number;
  readonly signal: number;
  /** si_code */
  readonly code: number;
  /** 0: delivered; 1: ignored; 2: already pending; 3, 4: lost; -errno of a failed call */
  readonly result: number;
  /** signals in this event: this one and equal ones merged since the last event */
  readonly count: number;
}

/** the kernel sent a thread a signal for something the thread did: SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS */
export interface Fault {
  /** address that was accessed, or address of the instruction */
  readonly address: U64;
  /** the instruction pointer */
  readonly instruction: U64;
  readonly signal: number;
  /** si_code */
  readonly code: number;
  /** faults of the executable, in all its processes, since it last had none for a minute; includes this one */
  readonly count: number;
  /** SIGSYS: number of the system call; otherwise -1 */
  readonly systemCall: number;
}

/** a process read or wrote another process */
export interface ProcessAccess {
  readonly targetStart: U64;
  /** address in the target */
  readonly address: U64;
  /** bytes */
  readonly length: U64;
  readonly targetTgid: number;
  /** enum rf_access_operation */
  readonly operation: number;
  /** PTRACE_*; for an open, O_*; pidfd_getfd: the target's descriptor */
  readonly request: number;
  /** bytes or a descriptor, or -errno */
  readonly result: number;
  /** calls in this event: this one and equal ones merged since the last event */
  readonly count: number;
}

/** a thread changed its own confinement */
export interface Isolation {
  /** setns, unshare: CLONE_NEW*; prctl: PR_*; seccomp: SECCOMP_SET_MODE_*; personality: the persona; compat_call: number of the i386 call, 0: unknown */
  readonly option: U64;
  /** prctl: the first argument; seccomp: flags; personality: the previous persona; compat_call: enum rf_compat_hook */
  readonly argument: U64;
  /** namespaces after the call */
  readonly namespaces: Namespaces;
  /** enum rf_isolation_operation */
  readonly operation: number;
  readonly result: number;
  /** calls in this event: this one and equal ones merged since the last event */
  readonly count: number;
  /** credentials before the call; 4294967295 in `uid`: unknown, by an earlier sensor */
  readonly before: Credentials;
  /** credentials after the call: setns and unshare change them with the user namespace */
  readonly after: Credentials;
}

/** the kernel checked whether a task has a capability */
export interface Capability {
  /** CAP_* */
  readonly capability: number;
  /** 0: granted; -1 (-EPERM): denied */
  readonly result: number;
  /** nsfs inode of the user namespace that was checked */
  readonly userNamespace: number;
  /** checks in this event: this one and equal ones merged since the last event */
  readonly count: number;
}

/** a kernel module was loaded or unloaded, or the attempt failed */
export interface Module {
  readonly inode: U64;
  readonly device: number;
  /** enum rf_module_operation */
  readonly operation: number;
  readonly result: number;
  /** MODULE_INIT_*, O_* */
  readonly flags: number;
  /** true: init_module, so no file is known */
  readonly fromMemory: boolean;
  /** taints of the module when it was loaded */
  readonly taints: number;
  readonly name: Text;
  readonly path: Text;
  /** module parameters, from the caller's memory */
  readonly parameters: Text;
  /** enum rf_module_name */
  readonly nameSource: number;
}

/** a call of bpf(2) */
export interface Bpf {
  /** enum bpf_cmd */
  readonly command: number;
  /** enum bpf_prog_type; for a map, enum bpf_map_type */
  readonly programType: number;
  /** enum bpf_attach_type */
  readonly attachType: number;
  /** descriptor or 0, or -errno */
  readonly result: number;
  /** true: a text is from the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** name of the program, map or tracepoint; OBJ_PIN, OBJ_GET: the path */
  readonly name: Text;
  /** id of the program or map; 0: unknown */
  readonly id: number;
  /** flags of the command */
  readonly flags: number;
}

/** a rarely used system call that changes, or shows, state shared by the whole machine */
export interface SystemChange {
  /** the arguments of the system call that are not texts */
  readonly first: U64;
  readonly second: U64;
  readonly third: U64;
  /** enum rf_system_operation */
  readonly operation: number;
  readonly result: number;
  /** true: a text is from the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** a path, a key's description, a name */
  readonly text: Text;
  /** kexec_file_load: the command line; add_key, request_key: the key's type */
  readonly detail: Text;
}

/** a sysctl is about to be written. The kernel can still refuse the value */
export interface Sysctl {
  /** for example kernel/core_pattern */
  readonly name: Text;
  readonly before: Text;
  /** value as written */
  readonly after: Text;
}

/** an operation that a task submitted to io_uring */
export interface IoUring {
  readonly inode: U64;
  readonly device: number;
  /** enum rf_io_operation, a subset of the kernel's enum io_uring_op */
  readonly opcode: number;
  /** open: O_*; mkdir: the mode; listen: the backlog; socket: the type; uring_cmd: the command; otherwise the operation's flags */
  readonly flags: number;
  readonly result: number;
  /** true: a kernel thread took the request (SQPOLL) */
  readonly submissionThread: boolean;
  readonly family: number;
  readonly port: number;
  /** address of a connect or bind; network byte order */
  readonly address: Uint8Array;
  /** path of the opened file; otherwise the submitted name after the path of its directory, links not followed */
  readonly path: Text;
  /** rename, link: the new path; symlink: its content; xattr: the attribute's name */
  readonly target: Text;
  /** true: the address is from the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** true: the caller suppressed the completion, so the result is unknown */
  readonly resultUnknown: boolean;
  /** open: as in Open */
  readonly reached: Text;
}

/** a socket was created or bound, or began to listen, or the call failed */
export interface Socket {
  /** AF_* */
  readonly family: number;
  /** SOCK_* */
  readonly type: number;
  readonly protocol: number;
  /** bind, listen: address in network byte order */
  readonly address: Uint8Array;
  /** bind, listen: port */
  readonly port: number;
  /** bind, listen: context id of a vsock */
  readonly contextId: number;
  /** enum rf_socket_operation */
  readonly operation: number;
  readonly result: number;
  /** listen: maximum length of the accept queue */
  readonly backlog: number;
  /** true: the address is from the caller's memory, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** bind, listen: path of a unix socket; alg: type and name, separated by NUL */
  readonly path: Text;
}

/** datagrams between two ends: one event for the first datagram, then one for all that follow within an interval; of unix sockets, only sent datagrams */
export interface Datagram {
  /** bytes sent; unix: bytes of the last datagram */
  readonly sent: U64;
  /** bytes received */
  readonly received: U64;
  readonly family: number;
  readonly protocol: number;
  /** port of the peer */
  readonly port: number;
  readonly localPort: number;
  /** address of the peer */
  readonly address: Uint8Array;
  readonly localAddress: Uint8Array;
  /** -errno of a failed send */
  readonly result: number;
  /** number of datagrams */
  readonly count: number;
  /** unix: path of the peer; an abstract name begins with NUL */
  readonly path: Text;
  /** true: the peer sent the first datagram */
  readonly incoming: boolean;
  /** true: the peer's address is from the caller's memory: a failed send, or a unix socket named in the call */
  readonly sourceCaller: boolean;
}

/** the beginning of a packet whose content matters */
export interface Packet {
  readonly family: number;
  readonly protocol: number;
  /** port of the peer */
  readonly port: number;
  readonly localPort: number;
  /** address of the peer */
  readonly address: Uint8Array;
  readonly localAddress: Uint8Array;
  /** enum rf_packet_content */
  readonly content: number;
  /** true: outgoing; false: incoming */
  readonly egress: boolean;
  /** the head: the first 512 bytes of DNS, 2,048 bytes of a TLS hello */
  readonly payload: Text;
}

/** a connection ended */
export interface Flow {
  /** µs since it was established */
  readonly duration: number;
  /** bytes sent */
  readonly sent: U64;
  /** bytes received */
  readonly received: U64;
  readonly family: number;
  readonly protocol: number;
  /** port of the peer */
  readonly port: number;
  readonly localPort: number;
  /** address of the peer */
  readonly address: Uint8Array;
  readonly localAddress: Uint8Array;
  /** true: the connection was accepted */
  readonly incoming: boolean;
  /** errno with which the connection ended; 0: no error */
  readonly error: number;
}

/** a finding of an integrity check: the kernel or the host is not in its expected state */
export interface Finding {
  /** name of the check: syscall-dispatch, hidden-module, preload, ... */
  readonly check: string;
  /** subject of the finding: a module, a path, a process, a system call */
  readonly subject: string;
  /** description of the problem */
  readonly detail: string;
  /** on the first of several findings of one run on what the kernel hides: all of them, each with its check, subject and detail */
  readonly list: string;
}

/** the result of an authentication by PAM */
export interface Authentication {
  /** PAM_*: 0 success, 7 not authenticated, 10 unknown user */
  readonly result: number;
  /** always true: the texts are from the caller's memory */
  readonly sourceCaller: boolean;
  /** PAM service: sshd, login, su */
  readonly service: Text;
  /** user name that was claimed */
  readonly user: Text;
  readonly remoteHost: Text;
  readonly tty: Text;
}

/** a line that a user typed into a shell */
export interface ShellLine {
  /** device number, 0: none */
  readonly tty: number;
  /** always true: the line is from the shell's memory */
  readonly sourceCaller: boolean;
  readonly line: Text;
}

/** data passed to or from libssl */
export interface TlsData {
  /** true: sent; false: received */
  readonly egress: boolean;
  /** the first 1,024 bytes, before encryption or after decryption */
  readonly payload: Text;
}

/** the hash of the executable of a process, or of the script that it was started as, or the reason why there is none. The header describes the process; it is empty when the hash is of the file alone */
export interface Hash {
  readonly inode: U64;
  readonly device: number;
  /** last change of the inode, µs since the epoch; the hash is valid for this inode with this ctime */
  readonly ctime: number;
  /** size of the file, bytes; 0: the file was not read */
  readonly size: number;
  /** 32 bytes; empty: the file was skipped */
  readonly sha256: Uint8Array;
  /** reason why the file was skipped: too big, changed, gone, queue full, ...; empty: it was hashed */
  readonly skipped: string;
  /** true: valid for every exec of the file; false: for this exec only */
  readonly lasting: boolean;
  /** path of the file, as in the exec event */
  readonly path: Text;
  /** true: the file is the script that the process was started as, not its executable */
  readonly script: boolean;
}

/** events that a cgroup lost since the last Throttled event: beyond its share while a ring was filling up, or in a full security ring. The header names the cgroup */
export interface Throttled {
  readonly ofLane: number;
  /** kind of the dropped events: open, file_change, ... */
  readonly ofKind: string;
  readonly count: number;
  /** throttled: beyond the cgroup's share; ring_full: the security ring was full */
  readonly cause: string;
  /** path of the cgroup, from the root of the hierarchy; empty: it is gone */
  readonly path: string;
  /** events of the lane that the cgroup lost since the sensor was loaded; 0: an earlier agent, which did not report it */
  readonly total: number;
  /** true: the cgroup has lost no more events for ten ticks; the count is 0 */
  readonly over: boolean;
}

/** tampering with the agent or its sensor */
export interface Tampering {
  /** start of the affected process: the agent, or the unprivileged process beside it */
  readonly victimStart: U64;
  readonly victimTgid: number;
  /** enum rf_tampering_operation */
  readonly operation: number;
  /** signal: its number; exit: its code; access: enum rf_access_operation; link or changed map: its id; opened object: enum rf_own_object */
  readonly detail: number;
  /** PTRACE_*; exit: the signal that ended the process; changed map: the command of bpf(2) */
  readonly request: number;
  /** 0, or -errno */
  readonly result: number;
  /** uid of the actor */
  readonly uid: number;
  /** how often the actor did this in a row */
  readonly count: number;
  /** the sensor's program on the link, or its object; limit: the name of the limit */
  readonly program: Text;
  /** name of the actor's thread */
  readonly command: Text;
  /** name of the actor's executable, without its directory */
  readonly executable: Text;
}

/** a user-defined probe fired */
export interface Probe {
  /** enum rf_probe_place */
  readonly place: number;
  /** true: the arguments are from the caller's memory or registers, not the kernel's copy */
  readonly sourceCaller: boolean;
  /** name that the user gave the probe */
  readonly name: Text;
  /** struct rf_probe_argument of bpf/ringfence.h, one after another, each followed by its kept bytes */
  readonly arguments: Text;
}

/** the ticks of a host's agent stopped, or began again */
export interface Silence {
  /** 1: ticks stopped; 2: ticks began again */
  readonly operation: number;
  /** µs, CLOCK_BOOTTIME: time of the last tick before the silence */
  readonly lastTick: number;
}

/** a fork, an exec or a change of credentials failed */
export interface Attempt {
  /** fork: CLONE_* without the exit signal; capset: the effective set; set*id: an id, 4294967295 when it stays unchanged or the call has none; setgroups: the number of groups */
  readonly first: U64;
  /** capset: the permitted set; set*id: an id */
  readonly second: U64;
  /** capset: the inheritable set; set*id: an id */
  readonly third: U64;
  /** enum rf_attempt_operation */
  readonly operation: number;
  /** enum rf_attempt_call */
  readonly call: number;
  /** -errno; setfsuid and setfsgid return none, so -EPERM */
  readonly result: number;
  /** true: the request is from the caller's memory, not the kernel's copy: exec, clone3, capset and setgroups */
  readonly sourceCaller: boolean;
  /** calls in this event: this one and equal ones merged since the last event */
  readonly count: number;
  /** true: there were more arguments, or the last one was longer */
  readonly argvCut: boolean;
  /** exec: the path from the caller, made absolute */
  readonly path: Text;
  /** exec: NUL-separated; the head, at most 4,096 bytes */
  readonly argv: Text;
  /** setgroups: the first 32 groups in the caller's user namespace, four bytes each, little-endian */
  readonly groups: Text;
}

/** a standard stream became a socket other than a unix socket, or the call to make it one failed */
export interface Redirect {
  /** AF_*; families other than IPv4 (2) and IPv6 (10) have no addresses */
  readonly family: number;
  /** SOCK_* */
  readonly type: number;
  /** IPPROTO_* */
  readonly protocol: number;
  /** port of the peer; 0: not connected */
  readonly port: number;
  /** address of the peer; network byte order: 4 or 16 bytes */
  readonly address: Uint8Array;
  readonly localAddress: Uint8Array;
  /** 0: not bound */
  readonly localPort: number;
  /** true: the peer opened the connection, as far as the state of the local port shows */
  readonly incoming: boolean;
  /** true: the task shares its descriptors, so another thread may have swapped the file */
  readonly sourceCaller: boolean;
  /** the descriptor that is copied */
  readonly sourceDescriptor: number;
  /** 0 to 2 */
  readonly targetDescriptor: number;
  /** enum rf_redirect_call */
  readonly call: number;
  /** targetDescriptor, or -errno */
  readonly result: number;
  /** calls in this event: this one and equal ones merged since the last event */
  readonly count: number;
}

/** One event of one host. Its identity is (hostId, bootId, run, lane, cpu, sequence); the batch has the first three. */
export interface Event {
  /** 0 security, 1 bulk (kernel); lanes from 16 on belong to user space */
  readonly lane: number;
  readonly cpu: number;
  /** from 1, per lane and CPU */
  readonly sequence: number;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
  /** the event arrived after later events had been sent */
  readonly late: boolean;
  /** 0: no process caused the event */
  readonly tgid: number;
  readonly tid: number;
  /** ns, CLOCK_BOOTTIME, little-endian: start of the thread group leader */
  readonly start: U64;
  /** cgroup v2 id */
  readonly cgroup: U64;
  /** number of execs of the task so far; a fork inherits it */
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
  /** last sequence number used */
  readonly sequence: number;
  /** number of drops by cause */
  readonly drops: { readonly [key: string]: number };
}

export type Ed25519Signature = Uint8Array;

/** The events of one host in order. signature always stays the last field and signs every byte of the framed record before it. */
export interface RawBatch {
  /** UUID created at the agent's first start */
  readonly hostId: string;
  /** UUID of the current boot */
  readonly bootId: string;
  /** random; created with the sensor's counters and pinned with them */
  readonly run: U64;
  readonly agentVersion: string;
  /** version of the interest that the sensor filtered with; 0: none */
  readonly interestVersion: number;
  /** µs to add to a ktime to get wall-clock time */
  readonly wallOffset: number;
  /** µs since the epoch, by the host's clock: time at which the batch was signed */
  readonly sentAt: number;
  /** counters of every lane and CPU, sent with each tick */
  readonly lanes: readonly LaneCounters[];
  readonly events: readonly Event[];
  /** id of the enrolled key that signed the batch */
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
  /** digest of the image's configuration: sha256:... */
  readonly imageId: string;
  /** digests under which registries know the image: sha256:... */
  readonly imageDigests: readonly string[];
  /** bit n: processes of the container can have capability n; null: unknown */
  readonly capabilities: null | U64;
  /** mounts from outside the image */
  readonly mounts: readonly ContainerMount[];
  /** namespaces that the container shares: pid=host, ipc=shared */
  readonly namespaces: readonly string[];
  /** name of the Kubernetes pod */
  readonly pod: string;
  readonly podUid: string;
  /** Kubernetes namespace */
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly podLabels: { readonly [key: string]: string };
  /** µs since the epoch; 0: unknown */
  readonly startedAt: number;
  /** false: the runtime has not described the container yet */
  readonly described: boolean;
}

export interface Peer {
  /** written as in rules */
  readonly address: string;
  /** id of the container whose events refer to the address; empty: the host */
  readonly container: string;
  /** names that programs resolved to the address by DNS, newest first */
  readonly names: readonly string[];
}

export type EntityId = Uint8Array;

/** a process image that events of this batch refer to (one entry per entity, execId and credentials), or an ancestor of one as it was at the end of the batch */
export interface Process {
  readonly entityId: EntityId;
  readonly pid: number;
  /** ns, CLOCK_BOOTTIME */
  readonly start: U64;
  readonly execId: number;
  /** index in processes; -1: none, or unknown */
  readonly parent: number;
  /** index in containers; -1: the host */
  readonly container: number;
  readonly cgroup: U64;
  readonly executable: Uint8Array;
  readonly executableInode: U64;
  readonly executableDevice: number;
  readonly execFlags: number;
  /** NUL-separated, at most 4,096 bytes; the exec event has all of them */
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
  /** µs since the epoch; 0: the host does not hash */
  readonly executableCtime: number;
  /** sha256 of the executable, 32 bytes; empty: see hashState */
  readonly sha256: Uint8Array;
  /** hashed, pending, or the reason why the file was skipped; empty: the host does not hash */
  readonly hashState: string;
  /** inode of the script that the process was started as; 0: none, or unknown */
  readonly scriptInode: U64;
  readonly scriptDevice: number;
  /** µs since the epoch */
  readonly scriptCtime: number;
  /** sha256 of the script, as in `sha256` */
  readonly scriptSha256: Uint8Array;
  /** as `hashState`, for the script; empty: no script, or the host does not hash it */
  readonly scriptHashState: string;
  /** at its last exec, as in the exec event */
  readonly processGroup: number;
  /** at its last exec, as in the exec event */
  readonly processSession: number;
  /** last component of the path that was passed to exec, links not followed; empty: unknown */
  readonly startedAs: Uint8Array;
  /** as in its last exec event, NUL-separated, at most 4,096 bytes */
  readonly environment: Uint8Array;
  /** TCP port on which it listens, or the process that it was forked from; 0: none that was seen */
  readonly serverPort: number;
  /** as `serverPort`, on an address of the loopback interface */
  readonly localServerPort: number;
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
  /** reason why the enrichment is partial; empty: it is complete */
  readonly partial: string;
  readonly event: Event;
}

/** The enriched events of one RawBatch. signature always stays the last field. Each context occurs once per batch; events refer to it by index, -1 for none. */
export interface EventBatch {
  readonly hostId: string;
  readonly bootId: string;
  readonly run: U64;
  /** µs to add to a ktime to get wall-clock time */
  readonly wallOffset: number;
  /** sentAt of the RawBatch */
  readonly sentAt: number;
  /** µs since the epoch: time at which the bus received the RawBatch */
  readonly receivedAt: number;
  readonly lanes: readonly LaneCounters[];
  readonly containers: readonly Container[];
  /** DNS names of the addresses in this batch's events */
  readonly peers: readonly Peer[];
  readonly processes: readonly Process[];
  readonly events: readonly EnrichedEvent[];
  /** key id of the signer; empty: unsigned, as in one process */
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
  /** empty: the process runs on the host */
  readonly containerId: string;
  readonly cgroup: U64;
}

/** One match of one rule. id = hash of the rule and the identities of its events. */
export interface Alert {
  readonly id: string;
  readonly rule: string;
  readonly description: string;
  readonly priority: Priority;
  /** ATT&CK v19 short names, for example privilege-escalation */
  readonly tactics: readonly string[];
  /** for example T1059.004 */
  readonly techniques: readonly string[];
  readonly tags: readonly string[];
  /** action that the rule asks for: alert, kill */
  readonly action: string;
  /** one line; control characters are escaped */
  readonly output: string;
  readonly hostId: string;
  readonly bootId: string;
  /** µs since the epoch: time of the event */
  readonly timestamp: number;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
  /** event ids: hostId/bootId/run/lane/cpu/sequence */
  readonly events: readonly string[];
  /** event.action of the event that completed the match */
  readonly kind: string;
  /** fields named by the condition and the output, as text */
  readonly fields: { readonly [key: string]: string };
  /** the process, its parent, and so on up to the root */
  readonly lineage: readonly LineageProcess[];
  readonly container: null | Container;
  /** cgroup path of the process; empty: unknown */
  readonly cgroupPath: string;
  /** id of the incident that the alert's chain was or would have become when the alert joined it; empty: written up to 0.2.0 */
  readonly incident: string;
  /** hostname of hostId as reported by the agent; empty: unknown */
  readonly hostname: string;
  /** key id of the signer; empty: unsigned, as in one process */
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
  /** kind of the event as rules name it: exec, open, file_change */
  readonly kind: string;
  /** event.action of the event: rename, ptrace */
  readonly operation: string;
  readonly failed: boolean;
  /** objects of the action by field (docs/FIELDS.md): file.path, destination.ip; also peer.ip and peer.port; escaped and cut */
  readonly objects: { readonly [key: string]: string };
}

export const ReasonKinds = ['opened', 'repeated', 'process', 'written_file', 'connection', 'session', 'workload', 'same_file', 'guessed_login', 'login_origin', 'shared_edge'] as const;
export type ReasonKind = (typeof ReasonKinds)[number];

export interface IncidentReason {
  readonly kind: ReasonKind;
  /** rule of an earlier alert that the reason refers to; empty: none */
  readonly rule: string;
  /** the linking process: the common one, the writer, the client, the process that ran the same file */
  readonly process: null | ProcessName;
  /** the second process: the one that raised `rule`, ran the file or is the server */
  readonly peer: null | ProcessName;
  /** generations from the alert's process up to `process` */
  readonly distance: number;
  /** linking objects by field (docs/FIELDS.md): file.path, source.ip; also session, edge.kind and edge.detail */
  readonly objects: { readonly [key: string]: string };
  /** chain that the alert opened and that was merged into the incident for this reason; empty: none */
  readonly mergedChain: string;
  /** rule of the alert that revealed the reason; empty: no alert did */
  readonly mergedBy: string;
}

export interface IncidentTarget {
  readonly bootId: string;
  /** ns, CLOCK_BOOTTIME */
  readonly start: U64;
  /** empty: unknown */
  readonly cgroupPath: string;
  /** image of the container; empty: none */
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
  /** up to 0.1.0: the reason for the link as a sentence; empty: see reason */
  readonly why: string;
  readonly techniques: readonly string[];
  readonly hostId: string;
  /** the process that acted, as it was then; null: no process, or unknown */
  readonly process: null | ProcessName;
  /** empty: the process ran on the host */
  readonly containerId: string;
  readonly containerName: string;
  /** action of the alert's event; null: written up to 0.1.0, see story */
  readonly action: null | IncidentAction;
  /** reason why the alert belongs to the incident; null: written up to 0.1.0, see why */
  readonly reason: null | IncidentReason;
  /** alerts of the rule for the process, including this one */
  readonly count: number;
  /** µs since the epoch: time of the last of these alerts; 0: written up to 0.1.0 */
  readonly lastTimestamp: number;
  /** identifies the alert's process to the responder, together with `process`; null: no process, or written up to 0.1.0 */
  readonly target: null | IncidentTarget;
}

export interface IncidentProcess {
  readonly entityId: string;
  /** empty: the parent is not part of the incident */
  readonly parentEntityId: string;
  readonly pid: number;
  readonly executable: string;
  readonly args: string;
  readonly user: string;
  readonly containerId: string;
}

export interface JoinedChain {
  /** id of the incident that the chain was or would have become */
  readonly id: string;
  readonly hostId: string;
  /** kind of the edge: connection, hash, key */
  readonly kind: string;
  /** up to 0.1.0: the reason as a sentence; empty: see reason */
  readonly why: string;
  /** µs since the epoch */
  readonly at: number;
  /** hostname as reported by the agent; empty: unknown */
  readonly hostname: string;
  /** null: written up to 0.1.0, see why */
  readonly reason: null | IncidentReason;
}

export const TriageStates = ['new', 'triaged', 'contained', 'closed'] as const;
export type TriageState = (typeof TriageStates)[number];

export const Verdicts = ['undecided', 'true_positive', 'false_positive'] as const;
export type Verdict = (typeof Verdicts)[number];

export interface StatusChange {
  readonly status: TriageState;
  readonly verdict: Verdict;
  /** author as given in the command; responder, detector */
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

/** A connected part of the alert graph. Each version is complete. id = hash of the alert that opened the incident. Under 900 kB. */
export interface Incident {
  readonly id: string;
  /** starts at 1 and grows with every change */
  readonly version: number;
  readonly state: IncidentState;
  /** empty unless merged */
  readonly mergedInto: string;
  readonly hostId: string;
  /** up to 0.1.0: the title as text; empty: see lead */
  readonly title: string;
  readonly severity: Priority;
  readonly score: number;
  /** µs since the epoch */
  readonly firstSeen: number;
  /** µs since the epoch */
  readonly lastSeen: number;
  /** in the order in which they were first seen */
  readonly stages: readonly Stage[];
  readonly alerts: readonly IncidentAlert[];
  /** alerts that are counted but not listed, to bound the size of the record */
  readonly omittedAlerts: number;
  /** every process of the incident, with its parent */
  readonly processes: readonly IncidentProcess[];
  readonly container: null | Container;
  /** up to 0.1.0: one sentence per step; empty: see alerts and joined */
  readonly story: readonly string[];
  /** every host of the incident, hostId first; empty: only hostId */
  readonly hosts: readonly string[];
  /** chains of other hosts that are part of the incident */
  readonly joined: readonly JoinedChain[];
  /** progress of the triage by people and the responder */
  readonly status: TriageState;
  readonly verdict: Verdict;
  /** changes of the status, oldest first; the latest 32 */
  readonly history: readonly StatusChange[];
  /** hostname of hostId as reported by the agent; empty: unknown */
  readonly hostname: string;
  /** from the most severe alert, which names the incident; null: written up to 0.1.0, see title */
  readonly lead: null | IncidentLead;
  /** key id of the signer; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

export const Actions = ['kill'] as const;
export type Action = (typeof Actions)[number];

export const Modes = ['observe', 'enforce'] as const;
export type Mode = (typeof Modes)[number];

export const Acts = ['kill', 'suspend', 'block', 'isolate', 'quarantine', 'revert', 'lock', 'collect', 'undo'] as const;
export type Act = (typeof Acts)[number];

export const Asks = ['mode', 'enforce', 'plan'] as const;
export type Ask = (typeof Asks)[number];

export const Reaches = ['process', 'tree', 'session', 'cgroup', 'host'] as const;
export type Reach = (typeof Reaches)[number];

/** An operator approves one command. The signature covers the SHA-256 of the command without keyId, signature and approvals. */
export interface Approval {
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

/** An order of the responder. id = hash of the incident or alert, action, target and ordinal. signature always stays the last field and signs every byte of the framed record before it. */
export interface Command {
  readonly id: string;
  /** see act */
  readonly action: Action;
  /** an observe command is recorded and never sent; see ask */
  readonly mode: Mode;
  /** id of the alert or incident that caused the command */
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
  /** for the record: a changed executable is noted and is no reason to refuse */
  readonly executable: string;
  /** µs since the epoch */
  readonly issuedAt: number;
  /** µs since the epoch */
  readonly expiresAt: number;
  /** the action. Readers up to 0.2.0 know action and mode only: what they would take for a kill has the mode observe */
  readonly act: Act;
  /** mode: as mode says; otherwise what is asked for instead: plan only lists what the action would change */
  readonly ask: Ask;
  /** how far the action reaches: the process, with its descendants, its login session, its cgroup, or the whole host */
  readonly reach: Reach;
  /** parameters of the action by name, such as the address to block; for undo, the id of the command to take back */
  readonly parameters: { readonly [key: string]: string };
  /** µs since the epoch, when the agent takes the action back by itself; 0: never */
  readonly until: number;
  readonly approvals: readonly Approval[];
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

export const Outcomes = ['executed', 'observed', 'refused', 'expired', 'failed', 'gone'] as const;
export type Outcome = (typeof Outcomes)[number];

/** The outcome of a command. id = id of the command. */
export interface Result {
  readonly id: string;
  readonly hostId: string;
  readonly outcome: Outcome;
  /** for a refusal, one of a closed set, see ringfence doctor; otherwise free text */
  readonly reason: string;
  /** executable of the target when the command was carried out */
  readonly executable: string;
  /** µs since the epoch */
  readonly at: number;
  /** descendants of a killed process that live on; -1: not known, or nothing was killed */
  readonly children: number;
  /** what was done, by name, such as processes and left; in the outcome observed of a plan, what would be done */
  readonly facts: { readonly [key: string]: string };
  /** key id of the signer, a responder; empty: unsigned, as sent by the agent on its stream */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

export const AuditKinds = ['alert', 'incident', 'command', 'result', 'gap', 'execution', 'events', 'dlq', 'enrolment', 'operator', 'held'] as const;
export type AuditKind = (typeof AuditKinds)[number];

export type Sha256 = Uint8Array;

/** One entry of the audit trail. hash = sha256(prevHash, then the record's other fields as encoded). Each source partition and kind has its own chain. */
export interface AuditRecord {
  readonly id: string;
  readonly kind: AuditKind;
  /** µs since the epoch */
  readonly timestamp: number;
  readonly hostId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** the framed record as it was on the bus; for an event batch that stays in Kafka, its sha256 */
  readonly payload: Uint8Array;
  readonly prevHash: Sha256;
}

/** A record that could not be processed. */
export interface DeadLetter {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** service and processing step */
  readonly stage: string;
  readonly code: string;
  readonly reason: string;
  readonly original: Uint8Array;
}

/** One host's end of an edge, seen by a chain of that host. Keyed by edge. */
export interface Edge {
  /** hash of kind and detail: the same at every end */
  readonly edge: string;
  /** connection, key */
  readonly kind: string;
  /** source or destination of a connection; empty: the kind has no direction */
  readonly end: string;
  /** readable description */
  readonly detail: string;
  readonly hostId: string;
  /** id of the chain's incident, published or not; empty: a sighting without a chain, which shows how rare the edge is */
  readonly chainId: string;
  /** µs since the epoch: time of the chain's first alert; 0: no chain */
  readonly openedAt: number;
  readonly alertId: string;
  /** µs since the epoch */
  readonly at: number;
  /** key id of the signer; empty: unsigned, as in one process */
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
  /** amount that the rule added to the score when it first matched */
  readonly weight: number;
  /** µs since the epoch: time at which the rule last matched */
  readonly at: number;
}

/** Two chains of different hosts are one attack. Keyed by the host that must act on the record. The first Join goes to the host of `into`, which owns the incident and invites `from`. Then, with each change, the host of `from` sends its whole chain. Equal `into` and `from`: the chain that it was merged into is gone, so the chain stands alone again. */
export interface Join {
  /** host that must act on the record */
  readonly hostId: string;
  readonly edge: string;
  readonly kind: string;
  /** up to 0.1.0: the reason as a sentence; empty: see reason */
  readonly why: string;
  /** µs since the epoch */
  readonly at: number;
  /** the chain that opened first; it survives */
  readonly into: ChainRef;
  readonly from: ChainRef;
  /** the whole chain `from`, when it is merged into `into`; null: the record only announces the join */
  readonly chain: null | Incident;
  /** rules of `chain`, from which the score of the joined incident is computed */
  readonly rules: readonly JoinedRule[];
  /** edge that both hosts saw; null: written up to 0.1.0, or the chain stands alone again */
  readonly reason: null | IncidentReason;
  /** key id of the signer; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

/** Events that a consumer asks for. */
export interface Want {
  readonly kind: string;
  /** form of the kind; empty: all forms */
  readonly form: string;
  /** host, container; empty: both */
  readonly scope: string;
  /** ranges: first and last port alternate; if both lists are empty, all ports */
  readonly peerPorts: readonly number[];
  readonly localPorts: readonly number[];
}

/** The events that the rules of one detector can match. Keyed by detector. */
export interface InterestRecord {
  readonly detector: string;
  readonly version: number;
  /** µs since the epoch; the record is repeated every minute and expires after five */
  readonly at: number;
  /** null: the detector wants every open */
  readonly openPathPrefixes: null | readonly string[];
  readonly openNames: readonly string[];
  readonly openExecutables: readonly string[];
  /** path prefixes for file changes only, in addition to those of opens */
  readonly changePathPrefixes: readonly string[];
  readonly changeNames: readonly string[];
  /** null: every kind */
  readonly wants: null | readonly Want[];
  /** whole paths that rules name, whose files are recognized by identity */
  readonly openPaths: readonly string[];
  /** true: opens and file changes have their paths as the caller passed them, too */
  readonly rawPaths: boolean;
  /** names of environment variables that execs have besides the usual ones; *: every variable */
  readonly environment: readonly string[];
  /** key id of the signer; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

/** Binds a signing key to a host or a service. Keyed by subject and key id; signed by the fleet's root key. */
export interface Enrolment {
  /** hostId of an agent, or instance name of a service */
  readonly subject: string;
  /** agent, enricher, detector, responder, auditor, forwarder */
  readonly role: string;
  /** Ed25519, SPKI DER: verifies the signatures of the subject */
  readonly publicKey: Uint8Array;
  readonly signingKeyId: string;
  /** serial numbers of the client certificates in use, hex */
  readonly certificateSerials: readonly string[];
  /** µs since the epoch */
  readonly issuedAt: number;
  /** µs since the epoch; 0: in force. Records signed later, or at an unknown time, are refused */
  readonly revokedAt: number;
  /** the higher version is valid */
  readonly version: number;
  /** key id of the signer; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

/** A signing key of a service, with the certificates that were issued with it. */
export interface StandingMember {
  /** instance name of the service */
  readonly subject: string;
  /** as in Enrolment */
  readonly role: string;
  readonly signingKeyId: string;
  /** hex */
  readonly certificateSerials: readonly string[];
}

/** The services whose keys and certificates are in force, dated and signed by the fleet's root key. Agents obey nobody without a recent one. */
export interface Standing {
  /** the higher version is valid */
  readonly version: number;
  /** µs since the epoch */
  readonly issuedAt: number;
  readonly members: readonly StandingMember[];
  /** key id of the signer; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

/** The position that the audit trail of a source partition has reached, and the trail's hash at that position. */
export interface AuditHead {
  readonly topic: string;
  readonly partition: number;
  /** offset of the last record in the trail */
  readonly offset: number;
  /** records since the first one */
  readonly count: number;
  readonly hash: Sha256;
  /** µs since the epoch */
  readonly at: number;
  /** kind of the records in this chain: records derived from a batch have a chain of their own */
  readonly kind: string;
  /** name of the trail; a new trail starts a new hash chain, unrelated to the previous trail's */
  readonly trail: string;
  /** key id of the signer; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

/** A change of an incident's state or verdict, by a person or by the responder. Keyed by the incident's host. The detector applies it and publishes the incident again. */
export interface Feedback {
  /** id of the incident or of one of its alerts */
  readonly subject: string;
  readonly hostId: string;
  readonly change: StatusChange;
  /** newest version of the incident, in case the detector has closed it; null: a closed incident cannot be changed */
  readonly incident: null | Incident;
  /** key id of the signer; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

export interface RuleCount {
  readonly rule: string;
  /** chains that the rule had a part in */
  readonly chains: number;
  /** incidents with the rule that were judged true positives */
  readonly truePositives: number;
  readonly falsePositives: number;
}

/** How common each rule is among the chains of one partition's hosts, and the verdicts on those chains' incidents. Keyed by partition; each record is complete. Every detector adds up the counts of all partitions. */
export interface RuleCounts {
  readonly partition: number;
  /** µs since the epoch, by the bus's clock; the later of two records is valid */
  readonly at: number;
  readonly rules: readonly RuleCount[];
  /** key id of the signer; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

export const OperatorOrigins = ['socket', 'command', 'service'] as const;
export type OperatorOrigin = (typeof OperatorOrigins)[number];

/** What a person asked Ringfence to do, or to show. Written before the action: one that failed has a record too. */
export interface OperatorAction {
  /** hash of the line in the operator log of the host */
  readonly id: string;
  /** µs since the epoch */
  readonly at: number;
  readonly hostId: string;
  readonly hostname: string;
  /** subject and verb, such as incident.set */
  readonly action: string;
  /** what the action is about, such as the id of an incident; empty: nothing more */
  readonly target: string;
  /** as the operator gave it; empty: none */
  readonly reason: string;
  /** user id, from the kernel; -1: unknown */
  readonly uid: number;
  /** name of that user on the host; empty: unknown */
  readonly user: string;
  /** user id that the environment claims (SUDO_UID); -1: none */
  readonly claimedUid: number;
  /** name that the environment claims (SUDO_USER); empty: none */
  readonly claimedUser: string;
  /** socket: a request to a running ringfence; command: a command that needs none; service: a start, or changed files */
  readonly origin: OperatorOrigin;
  /** command line with its secrets masked; of a request, as the client claims it */
  readonly command: string;
  /** process of the client; -1: unknown */
  readonly pid: number;
  /** parameters of the action, such as the new state, by name */
  readonly details: { readonly [key: string]: string };
  /** key id of the signer; empty: unsigned, as in one process */
  readonly keyId: string;
  readonly signature: Ed25519Signature;
}

/** What a run is about, as it was when the run began. */
export interface RunStart {
  readonly playbook: string;
  readonly mode: Mode;
  /** the playbook's steps as JSON: a playbook that changes later changes no run */
  readonly steps: string;
  /** id of the incident or alert */
  readonly cause: string;
  /** id of the incident that the cause belongs to; empty: unknown */
  readonly incident: string;
  /** distinct tactics of the incident; 0: the cause is an alert */
  readonly stages: number;
  readonly alertId: string;
  readonly rule: string;
  readonly priority: Priority;
  /** µs since the epoch: time of the alert */
  readonly timestamp: number;
  readonly bootId: string;
  readonly entityId: string;
  readonly pid: number;
  /** ns, CLOCK_BOOTTIME */
  readonly start: U64;
  readonly executable: string;
  /** values that steps may name: file.path, destination.ip */
  readonly values: { readonly [key: string]: string };
}

/** Moves a run of a playbook on: it begins, its time is over, or a step is approved. Keyed by the run's host. signature always stays the last field and signs every byte of the framed record before it. */
export interface RunSignal {
  /** id of the run: hash of the playbook, the incident and, with `per: process`, the process */
  readonly id: string;
  readonly hostId: string;
  /** the step that it is about, from 0; -1: none, the run begins */
  readonly step: number;
  /** µs since the epoch */
  readonly at: number;
  /** the run that begins; null: see approvals */
  readonly begun: null | RunStart;
  /** approvals of the step; empty, and nothing begins: the time of the step is over */
  readonly approvals: readonly Approval[];
  /** key id of the signer, a responder */
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

/** The detector's state of one host, without its chains. */
export interface StateHost {
  readonly tick: number;
  readonly nextOrdinal: number;
  /** µs, CLOCK_BOOTTIME: time of the last tick */
  readonly ktime: number;
  readonly hostname: string;
  readonly addresses: readonly string[];
  /** number of chains that each rule had a part in */
  readonly rarity: readonly StateRarity[];
  /** verdicts on incidents with the rule */
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
  /** null: restored from an entry of 0.1.0 */
  readonly action: null | IncidentAction;
  /** null: restored from an entry of 0.1.0, see why */
  readonly reason: null | IncidentReason;
  readonly why: string;
  readonly container: null | StateContainer;
  readonly count: number;
  /** µs since the epoch */
  readonly lastTimestamp: number;
  /** minute of event time to which sentInMinute applies */
  readonly minute: number;
  readonly sentInMinute: number;
  /** null: no process, or from an entry of 0.1.0 */
  readonly target: null | IncidentTarget;
}

export interface StateRuleWeight {
  readonly rule: string;
  readonly weight: number;
  /** µs, CLOCK_BOOTTIME: time of the rule's last alert */
  readonly ktime: number;
}

export interface StateProcess {
  readonly entityId: string;
  /** empty: the parent is a hub, or unknown */
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

/** One chain of the detector, without its members, which are stored as Joins. */
export interface StateChain {
  readonly id: string;
  readonly hostId: string;
  readonly bootId: string;
  readonly ordinal: number;
  /** grows with each write of the chain or its counts; the higher revision is valid */
  readonly revision: number;
  /** last published version; 0: none */
  readonly version: number;
  /** µs since the epoch */
  readonly firstSeen: number;
  /** µs since the epoch */
  readonly lastSeen: number;
  /** µs, CLOCK_BOOTTIME */
  readonly lastKtime: number;
  readonly alerts: readonly StateAlert[];
  /** number of alerts that are not listed */
  readonly omitted: number;
  readonly stages: readonly Stage[];
  readonly rules: readonly StateRuleWeight[];
  readonly processes: readonly StateProcess[];
  /** keys that link alerts to the chain */
  readonly keys: readonly string[];
  readonly stale: boolean;
  /** µs since the epoch */
  readonly openedAt: number;
  readonly published: boolean;
  readonly edges: readonly string[];
  /** entity ids of the processes' ancestors, hubs included */
  readonly above: readonly string[];
  /** chains of this host that were merged into this one and that other hosts may know */
  readonly mergedIds: readonly string[];
  /** the chain of another host that this one is part of */
  readonly survivor: null | StateSurvivor;
  /** µs, CLOCK_BOOTTIME: time at which a member last changed */
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

/** The part of a chain that repetitions change, so that a flood of alerts rewrites nothing else. */
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
  /** in the order of the chain's alerts */
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
  /** source address of a connection; empty: a key */
  readonly source: string;
  /** µs since the epoch */
  readonly at: number;
}

export interface StateAccept {
  readonly end: StateEdgeEnd;
  /** µs, CLOCK_BOOTTIME */
  readonly ktime: number;
  /** entity id of the process that serves the connection; empty: none yet */
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

/** One entry of a bounded table of a host. Exactly one value is set: the one of the entry's table. */
export interface StateMemory {
  /** position in the table's order of last changes */
  readonly ordinal: number;
  /** the chain that took over a merged or closed chain */
  readonly forward: null | ChainRef;
  /** connections that a process accepted, and processes that it started */
  readonly acceptor: null | StateAcceptor;
  /** connections and keys for which the process was started */
  readonly session: null | readonly StateEdgeEnd[];
  /** connections that a process made */
  readonly caller: null | StateCaller;
  /** µs since the epoch: time at which the use of a key was published */
  readonly keyUse: null | number;
  readonly server: null | StateServer;
  readonly peers: null | readonly StatePeer[];
  /** sha256 of a file that one process wrote and this process ran */
  readonly copy: null | string;
  /** true: the sha256 belongs to a program of the system */
  readonly installed: null | boolean;
  /** state of an incident whose chain is closed */
  readonly settled: null | StateSettled;
}

/** One key of a rule's state on a host. */
export interface StateRuleMemory {
  readonly hostId: string;
  /** empty: valid for all boots */
  readonly bootId: string;
  readonly key: string;
  /** encoded by packages/rules */
  readonly value: Uint8Array;
}

/** Rule counts of the other partitions, as last adopted. */
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

/** An edge in the state of the detector's second stage. */
export interface StateEdge {
  /** position in the order of last changes */
  readonly ordinal: number;
  readonly sightings: readonly StateSighting[];
  readonly hosts: readonly string[];
  /** µs since the epoch, by the bus's clock: time of the last sighting */
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

export interface RunResult {
  readonly step: number;
  /** empty: nothing was ordered */
  readonly command: string;
  /** as in Result; also unanswered, unapproved, no-value, skipped */
  readonly outcome: string;
  readonly reason: string;
  /** descendants of a killed process that live on; -1: not known */
  readonly left: number;
  /** outcome of taking it back; empty: it was not tried */
  readonly undone: string;
}

/** A run of a playbook in the partition of its host. */
export interface StatePlaybookRun {
  readonly hostId: string;
  /** without steps and values once the run is over */
  readonly begun: RunStart;
  /** the step in hand, from 0 */
  readonly step: number;
  /** waiting, approval, ordered, undoing, over */
  readonly phase: string;
  /** µs since the epoch: beginning of the phase */
  readonly since: number;
  /** µs since the epoch: end of the phase at the latest; 0: the run is over */
  readonly due: number;
  /** id of the command whose Result is awaited; empty: none */
  readonly command: string;
  /** how the run ended: completed, stopped, undone, undo-failed; empty: it goes on */
  readonly end: string;
  /** steps that have ended, oldest first */
  readonly results: readonly RunResult[];
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
  /** of the inode; -1: unknown, by an earlier enricher */
  readonly generation: number;
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

/** The reference of a sink's far side to an incident: a message, an issue, a case. */
export interface StateTicket {
  readonly reference: string;
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
  readonly Standing: Standing;
  readonly AuditHead: AuditHead;
  readonly Feedback: Feedback;
  readonly RuleCounts: RuleCounts;
  readonly OperatorAction: OperatorAction;
  readonly RunSignal: RunSignal;
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
  readonly StatePlaybookRun: StatePlaybookRun;
  readonly StateBoot: StateBoot;
  readonly StateKnownProcess: StateKnownProcess;
  readonly StateKnownContainer: StateKnownContainer;
  readonly StateUser: StateUser;
  readonly StateFileHash: StateFileHash;
  readonly StateAddressNames: StateAddressNames;
  readonly StateWrites: StateWrites;
  readonly StateFilebeatHost: StateFilebeatHost;
  readonly StateFilebeatFile: StateFilebeatFile;
  readonly StateTicket: StateTicket;
}
