// Generated from bpf/ringfence.h by `npm run check -- --fix`: edit the header, not this file.

/** enum rf_access_operation */
export const AccessOperation = {
  ACCESS_PTRACE: 1,
  ACCESS_PROCESS_VM_READV: 2,
  ACCESS_PROCESS_VM_WRITEV: 3,
  ACCESS_PIDFD_GETFD: 4,
  ACCESS_PROC_MEM: 5,
  ACCESS_PROC_ENVIRON: 6,
} as const;
export type AccessOperation = (typeof AccessOperation)[keyof typeof AccessOperation];

/** enum rf_address_family */
export const AddressFamily = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_AX25: 3,
  AF_IPX: 4,
  AF_APPLETALK: 5,
  AF_X25: 9,
  AF_INET6: 10,
  AF_KEY: 15,
  AF_NETLINK: 16,
  AF_PACKET: 17,
  AF_RDS: 21,
  AF_PPPOX: 24,
  AF_LLC: 26,
  AF_CAN: 29,
  AF_TIPC: 30,
  AF_BLUETOOTH: 31,
  AF_RXRPC: 33,
  AF_IEEE802154: 36,
  AF_ALG: 38,
  AF_NFC: 39,
  AF_VSOCK: 40,
  AF_SMC: 43,
  AF_XDP: 44,
} as const;
export type AddressFamily = (typeof AddressFamily)[keyof typeof AddressFamily];

/** enum rf_at_flag */
export const AtFlag = {
  AT_SYMLINK_NOFOLLOW: 256,
  AT_REMOVEDIR: 512,
  AT_EMPTY_PATH: 4096,
} as const;
export type AtFlag = (typeof AtFlag)[keyof typeof AtFlag];

/** enum rf_attempt_call */
export const AttemptCall = {
  CALL_FORK: 1,
  CALL_VFORK: 2,
  CALL_CLONE: 3,
  CALL_CLONE3: 4,
  CALL_EXECVE: 5,
  CALL_EXECVEAT: 6,
  CALL_CAPSET: 7,
  CALL_SETUID: 8,
  CALL_SETGID: 9,
  CALL_SETFSUID: 10,
  CALL_SETFSGID: 11,
  CALL_SETREUID: 12,
  CALL_SETREGID: 13,
  CALL_SETRESUID: 14,
  CALL_SETRESGID: 15,
  CALL_SETGROUPS: 16,
} as const;
export type AttemptCall = (typeof AttemptCall)[keyof typeof AttemptCall];

/** enum rf_attempt_operation */
export const AttemptOperation = {
  ATTEMPT_FORK_FAILED: 1,
  ATTEMPT_EXEC_FAILED: 2,
  ATTEMPT_CREDENTIALS_FAILED: 3,
} as const;
export type AttemptOperation = (typeof AttemptOperation)[keyof typeof AttemptOperation];

/** enum rf_compat_hook */
export const CompatHook = {
  COMPAT_FORK: 1,
  COMPAT_EXIT: 2,
  COMPAT_CONNECT: 3,
  COMPAT_SIGNAL: 4,
  COMPAT_OPEN: 5,
  COMPAT_BIND: 6,
} as const;
export type CompatHook = (typeof CompatHook)[keyof typeof CompatHook];

/** enum rf_counters_limit */
export const CountersLimit = {
  KINDS_MAX: 64,
  FATES_MAX: 16,
  CPUS_MAX: 256,
} as const;
export type CountersLimit = (typeof CountersLimit)[keyof typeof CountersLimit];

/** enum rf_drop */
export const Drop = {
  RING_FULL: 0,
  READ_FAULT: 1,
  SELF: 2,
  UNWATCHED: 3,
  SCRATCH: 4,
  MERGED: 5,
  OWNER: 6,
  THROTTLED: 7,
  FORGOTTEN: 8,
  PROBE_RATE: 9,
  DROPS: 10,
} as const;
export type Drop = (typeof Drop)[keyof typeof Drop];

/** enum rf_errno */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EAGAIN: 11,
  EACCES: 13,
  EFAULT: 14,
  ENOTDIR: 20,
  EINPROGRESS: 115,
} as const;
export type Errno = (typeof Errno)[keyof typeof Errno];

/** enum rf_exec_flag */
export const ExecFlag = {
  EXEC_MEMFD: 1,
  EXEC_DELETED: 2,
  EXEC_SETUID: 4,
  EXEC_SETGID: 8,
  EXEC_PRIVILEGED: 16,
  EXEC_SCRIPT: 32,
  EXEC_UPPER: 64,
  EXEC_FILE_CAPS: 128,
  EXEC_SLIM: 256,
  EXEC_32BIT: 512,
} as const;
export type ExecFlag = (typeof ExecFlag)[keyof typeof ExecFlag];

/** enum rf_fate */
export const Fate = {
  SEEN: 0,
  SENT: 1,
  DROPS: 2,
  PASSED: 12,
} as const;
export type Fate = (typeof Fate)[keyof typeof Fate];

/** enum rf_file_entry */
export const FileEntry = {
  FILE_SLOT: 65535,
  FILE_READS: 65536,
} as const;
export type FileEntry = (typeof FileEntry)[keyof typeof FileEntry];

/** enum rf_file_mode */
export const FileMode = {
  S_IFIFO: 4096,
  S_IFCHR: 8192,
  S_IFDIR: 16384,
  S_IFBLK: 24576,
  S_IFREG: 32768,
  S_IFLNK: 40960,
  S_IFSOCK: 49152,
  S_IFMT: 61440,
  S_ISGID: 1024,
  S_ISUID: 2048,
} as const;
export type FileMode = (typeof FileMode)[keyof typeof FileMode];

/** enum rf_file_operation */
export const FileOperation = {
  FILE_RENAME: 1,
  FILE_LINK: 2,
  FILE_SYMLINK: 3,
  FILE_UNLINK: 4,
  FILE_MKDIR: 5,
  FILE_RMDIR: 6,
  FILE_CHMOD: 7,
  FILE_CHOWN: 8,
  FILE_SETXATTR: 9,
  FILE_REMOVEXATTR: 10,
  FILE_MKNOD: 11,
  FILE_TRUNCATE: 12,
  FILE_SPLICE: 13,
} as const;
export type FileOperation = (typeof FileOperation)[keyof typeof FileOperation];

/** enum rf_form */
export const Form = {
  CONNECT_TCP: 0,
  CONNECT_TCP_LOOPBACK: 1,
  CONNECT_UDP: 2,
  CONNECT_UDP_LOOPBACK: 3,
  CONNECT_UNIX: 4,
  CONNECT_OTHER: 5,
  ACCEPT_REMOTE: 6,
  ACCEPT_LOOPBACK: 7,
  FLOW_REMOTE: 8,
  FLOW_LOOPBACK: 9,
  DATAGRAM_REMOTE: 10,
  DATAGRAM_LOOPBACK: 11,
  PACKET_DNS: 12,
  PACKET_TLS: 13,
  PACKET_TLS_LOOPBACK: 14,
  SOCKET_SOCKET: 15,
  SOCKET_BIND: 16,
  SOCKET_BIND_UNIX: 17,
  SOCKET_LISTEN: 18,
  SOCKET_LISTEN_UNIX: 19,
  ATTEMPT_EXEC_NOT_FOUND: 20,
  ATTEMPT_EXEC: 21,
  ATTEMPT_FORK: 22,
  ATTEMPT_CREDENTIALS: 23,
  DATAGRAM_UNIX: 24,
  FORMS: 25,
} as const;
export type Form = (typeof Form)[keyof typeof Form];

/** enum rf_hash */
export const Hash = {
  HASHES: 4096,
  SHIFT: 52,
  COMPONENTS: 3,
} as const;
export type Hash = (typeof Hash)[keyof typeof Hash];

/** enum rf_io_operation */
export const IoOperation = {
  IO_SENDMSG: 9,
  IO_ACCEPT: 13,
  IO_CONNECT: 16,
  IO_OPENAT: 18,
  IO_SEND: 26,
  IO_OPENAT2: 28,
  IO_RENAMEAT: 35,
  IO_UNLINKAT: 36,
  IO_MKDIRAT: 37,
  IO_SYMLINKAT: 38,
  IO_LINKAT: 39,
  IO_FSETXATTR: 41,
  IO_SETXATTR: 42,
  IO_SOCKET: 45,
  IO_URING_CMD: 46,
  IO_SEND_ZC: 47,
  IO_SENDMSG_ZC: 48,
  IO_BIND: 56,
  IO_LISTEN: 57,
} as const;
export type IoOperation = (typeof IoOperation)[keyof typeof IoOperation];

/** enum rf_isolation_operation */
export const IsolationOperation = {
  ISOLATION_SETNS: 1,
  ISOLATION_UNSHARE: 2,
  ISOLATION_PRCTL: 3,
  ISOLATION_SECCOMP: 4,
  ISOLATION_PERSONALITY: 5,
  ISOLATION_COMPAT_CALL: 6,
} as const;
export type IsolationOperation = (typeof IsolationOperation)[keyof typeof IsolationOperation];

/** enum rf_kind */
export const Kind = {
  FORK: 1,
  EXEC: 2,
  EXIT: 3,
  CREDENTIALS_CHANGE: 4,
  OPEN: 5,
  CONNECT: 6,
  ACCEPT: 7,
  FILE_CHANGE: 8,
  MOUNT_CHANGE: 9,
  MEMORY: 10,
  SIGNAL: 11,
  FAULT: 12,
  PROCESS_ACCESS: 13,
  ISOLATION: 14,
  CAPABILITY: 15,
  MODULE: 16,
  BPF: 17,
  SYSTEM_CHANGE: 18,
  SYSCTL: 19,
  IO_URING: 20,
  SOCKET: 21,
  DATAGRAM: 22,
  PACKET: 23,
  FLOW: 24,
  AUTHENTICATION: 25,
  SHELL_LINE: 26,
  TLS_DATA: 27,
  TAMPERING: 28,
  PROBE: 29,
  ATTEMPT: 30,
  REDIRECT: 31,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** enum rf_lane */
export const Lane = {
  SECURITY: 0,
  BULK: 1,
  LANES: 2,
} as const;
export type Lane = (typeof Lane)[keyof typeof Lane];

/** enum rf_limit */
export const Limit = {
  ARGV_MAX: 32768,
  PATH_MAX: 4096,
  ENVIRONMENT_MAX: 8192,
  RECORD_MAX: 58368,
  UNIX_PATH_MAX: 108,
  SNAPSHOT_ARGV_MAX: 16384,
  WATCHED_MAX: 256,
  TLS_DATA_MAX: 1024,
  NAME_MAX: 32,
  VARIABLE_MAX: 64,
  DNS_MAX: 512,
  ATTEMPT_ARGV_MAX: 4096,
  SLIM_ARGV_MAX: 1024,
  SLIM_TEXT_MAX: 512,
  GROUPS_MAX: 32,
  TLS_MAX: 2048,
  PROBE_NAME_MAX: 64,
  PROBE_ARGUMENT_NAME_MAX: 24,
  PROBE_ARGUMENTS_MAX: 8,
  PROBE_BYTES_MAX: 1024,
  WATCHED_ENTRIES: 4096,
  FILES_MAX: 1024,
  PROBES_MAX: 64,
  PROBE_PLACES_MAX: 512,
} as const;
export type Limit = (typeof Limit)[keyof typeof Limit];

/** enum rf_memory_operation */
export const MemoryOperation = {
  MEMORY_MEMFD_CREATE: 1,
  MEMORY_MMAP: 2,
  MEMORY_MPROTECT: 3,
} as const;
export type MemoryOperation = (typeof MemoryOperation)[keyof typeof MemoryOperation];

/** enum rf_module_name */
export const ModuleName = {
  NONE: 0,
  KERNEL: 1,
  FILE: 2,
  CALLER: 3,
} as const;
export type ModuleName = (typeof ModuleName)[keyof typeof ModuleName];

/** enum rf_module_operation */
export const ModuleOperation = {
  OPERATION_MODULE_LOAD: 1,
  OPERATION_MODULE_UNLOAD: 2,
} as const;
export type ModuleOperation = (typeof ModuleOperation)[keyof typeof ModuleOperation];

/** enum rf_mount_operation */
export const MountOperation = {
  MOUNT_MOUNT: 1,
  MOUNT_UMOUNT: 2,
  MOUNT_MOVE_MOUNT: 3,
  MOUNT_PIVOT_ROOT: 4,
  MOUNT_CHROOT: 5,
  MOUNT_OPEN_TREE: 6,
  MOUNT_FSMOUNT: 7,
  MOUNT_MOUNT_SETATTR: 8,
  MOUNT_FSOPEN: 9,
} as const;
export type MountOperation = (typeof MountOperation)[keyof typeof MountOperation];

/** enum rf_open_flag */
export const OpenFlag = {
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_ACCMODE: 3,
  O_CREAT: 64,
  O_EXCL: 128,
  O_NOCTTY: 256,
  O_TRUNC: 512,
  O_APPEND: 1024,
  O_NONBLOCK: 2048,
  O_DSYNC: 4096,
  O_CLOEXEC: 524288,
  O_SYNC: 1052672,
} as const;
export type OpenFlag = (typeof OpenFlag)[keyof typeof OpenFlag];

/** enum rf_own_object */
export const OwnObject = {
  OBJECT_MAP: 1,
  OBJECT_PROGRAM: 2,
  OBJECT_LINK: 3,
} as const;
export type OwnObject = (typeof OwnObject)[keyof typeof OwnObject];

/** enum rf_packet_content */
export const PacketContent = {
  PACKET_DNS: 1,
  PACKET_TLS: 2,
} as const;
export type PacketContent = (typeof PacketContent)[keyof typeof PacketContent];

/** enum rf_place */
export const Place = {
  RING_SECURITY: 0,
  RING_BULK: 1,
  TEXT_USER: 2,
  TEXT_KERNEL: 3,
  PATH_USER: 4,
  ARGUMENT: 5,
  PACKET: 6,
  OPENED: 7,
  OWNERS: 8,
  EXCHANGES: 9,
  MERGES_SEC: 10,
  MERGES_BULK: 11,
  IO_REQUESTS: 12,
  SHARES: 13,
  THROTTLED: 14,
  DESTINATIONS: 15,
  CREDS_BEFORE: 16,
  CGROUPS: 17,
  MODULES_SEEN: 18,
  FAULTS: 19,
  EXECUTED: 20,
  BYTE_SHARES: 21,
  SORT_SHARES: 22,
} as const;
export type Place = (typeof Place)[keyof typeof Place];

/** enum rf_probe_place */
export const ProbePlace = {
  PLACE_UPROBE: 1,
  PLACE_URETPROBE: 2,
  PLACE_USDT: 3,
  PLACE_TRACEPOINT: 4,
} as const;
export type ProbePlace = (typeof ProbePlace)[keyof typeof ProbePlace];

/** enum rf_probe_type */
export const ProbeType = {
  TYPE_UNSIGNED: 1,
  TYPE_SIGNED: 2,
  TYPE_POINTER: 3,
  TYPE_STRING: 4,
  TYPE_BYTES: 5,
  TYPE_IPV4: 6,
  TYPE_IPV6: 7,
} as const;
export type ProbeType = (typeof ProbeType)[keyof typeof ProbeType];

/** enum rf_redirect_call */
export const RedirectCall = {
  REDIRECT_DUP: 1,
  REDIRECT_DUP2: 2,
  REDIRECT_DUP3: 3,
  REDIRECT_FCNTL: 4,
} as const;
export type RedirectCall = (typeof RedirectCall)[keyof typeof RedirectCall];

/** enum rf_scope */
export const Scope = {
  HOST: 1,
  CONTAINER: 2,
} as const;
export type Scope = (typeof Scope)[keyof typeof Scope];

/** enum rf_socket_operation */
export const SocketOperation = {
  SOCKET_SOCKET: 1,
  SOCKET_BIND: 2,
  SOCKET_LISTEN: 3,
} as const;
export type SocketOperation = (typeof SocketOperation)[keyof typeof SocketOperation];

/** enum rf_stdio */
export const Stdio = {
  INPUT: 1,
  OUTPUT: 2,
  ERRORS: 4,
  NETWORK_INPUT: 256,
  NETWORK_OUTPUT: 512,
  NETWORK_ERRORS: 1024,
} as const;
export type Stdio = (typeof Stdio)[keyof typeof Stdio];

/** enum rf_system_operation */
export const SystemOperation = {
  SYSTEM_PERF_EVENT_OPEN: 1,
  SYSTEM_KEXEC_LOAD: 2,
  SYSTEM_KEXEC_FILE_LOAD: 3,
  SYSTEM_IO_URING_SETUP: 4,
  SYSTEM_USERFAULTFD: 5,
  SYSTEM_KEYCTL: 6,
  SYSTEM_ADD_KEY: 7,
  SYSTEM_REQUEST_KEY: 8,
  SYSTEM_IOPL: 9,
  SYSTEM_IOPERM: 10,
  SYSTEM_QUOTACTL: 11,
  SYSTEM_SWAPOFF: 12,
  SYSTEM_SWAPON: 13,
  SYSTEM_SETTIMEOFDAY: 14,
  SYSTEM_CLOCK_SETTIME: 15,
  SYSTEM_SYSLOG: 16,
  SYSTEM_REBOOT: 17,
  SYSTEM_SETHOSTNAME: 18,
  SYSTEM_ACCT: 19,
  SYSTEM_ADJTIMEX: 20,
  SYSTEM_CLOCK_ADJTIME: 21,
  SYSTEM_SETDOMAINNAME: 22,
} as const;
export type SystemOperation = (typeof SystemOperation)[keyof typeof SystemOperation];

/** enum rf_tampering_operation */
export const TamperingOperation = {
  TAMPERING_AGENT_SIGNAL: 1,
  TAMPERING_AGENT_EXIT: 2,
  TAMPERING_AGENT_ACCESS: 3,
  TAMPERING_LINK_DETACH: 4,
  TAMPERING_LINK_UPDATE: 5,
  TAMPERING_SENSOR_REMOVED: 6,
  TAMPERING_OBJECT_OPEN: 7,
  TAMPERING_MAP_OPEN: 8,
  TAMPERING_MAP_CHANGE: 9,
  TAMPERING_AGENT_FREEZE: 10,
  TAMPERING_AGENT_MOVE: 11,
  TAMPERING_STATE_RESTORED: 12,
  TAMPERING_AGENT_LIMIT: 13,
} as const;
export type TamperingOperation = (typeof TamperingOperation)[keyof typeof TamperingOperation];

/** struct rf_accept: bytes, and where each field begins */
export const SIZEOF_ACCEPT = 104;
export const ACCEPT_H = 0; // struct rf_header
export const ACCEPT_FAMILY = 56;
export const ACCEPT_TYPE = 58;
export const ACCEPT_PROTOCOL = 60;
export const ACCEPT_PORT = 62;
export const ACCEPT_ADDRESS = 64;
export const ACCEPT_ADDRESS_LENGTH = 16;
export const ACCEPT_LOCAL_ADDRESS = 80;
export const ACCEPT_LOCAL_ADDRESS_LENGTH = 16;
export const ACCEPT_LOCAL_PORT = 96;
export const ACCEPT_RESULT = 100;
export const acceptFamily = (view: DataView, at: number): number => view.getUint16(at + 56, true);
export const acceptType = (view: DataView, at: number): number => view.getUint16(at + 58, true);
export const acceptProtocol = (view: DataView, at: number): number => view.getUint16(at + 60, true);
export const acceptPort = (view: DataView, at: number): number => view.getUint16(at + 62, true);
export const acceptLocalPort = (view: DataView, at: number): number => view.getUint16(at + 96, true);
export const acceptResult = (view: DataView, at: number): number => view.getInt32(at + 100, true);

/** struct rf_attempt: bytes, and where each field begins */
export const SIZEOF_ATTEMPT = 144;
export const ATTEMPT_H = 0; // struct rf_header
export const ATTEMPT_FIRST = 56;
export const ATTEMPT_SECOND = 64;
export const ATTEMPT_THIRD = 72;
export const ATTEMPT_OPERATION = 80;
export const ATTEMPT_CALL = 84;
export const ATTEMPT_RESULT = 88;
export const ATTEMPT_SOURCE_CALLER = 92;
export const ATTEMPT_COUNT = 96;
export const ATTEMPT_ARGV_CUT = 100;
export const ATTEMPT_PATH = 104; // struct rf_text
export const ATTEMPT_ARGV = 116; // struct rf_text
export const ATTEMPT_GROUPS = 128; // struct rf_text
export const attemptFirstLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const attemptFirstHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const attemptSecondLo = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const attemptSecondHi = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const attemptThirdLo = (view: DataView, at: number): number => view.getUint32(at + 72, true);
export const attemptThirdHi = (view: DataView, at: number): number => view.getUint32(at + 76, true);
export const attemptOperation = (view: DataView, at: number): number => view.getUint32(at + 80, true);
export const attemptCall = (view: DataView, at: number): number => view.getUint32(at + 84, true);
export const attemptResult = (view: DataView, at: number): number => view.getInt32(at + 88, true);
export const attemptSourceCaller = (view: DataView, at: number): number => view.getUint32(at + 92, true);
export const attemptCount = (view: DataView, at: number): number => view.getUint32(at + 96, true);
export const attemptArgvCut = (view: DataView, at: number): number => view.getUint32(at + 100, true);

/** struct rf_authentication: bytes, and where each field begins */
export const SIZEOF_AUTHENTICATION = 112;
export const AUTHENTICATION_H = 0; // struct rf_header
export const AUTHENTICATION_RESULT = 56;
export const AUTHENTICATION_SOURCE_CALLER = 60;
export const AUTHENTICATION_SERVICE = 64; // struct rf_text
export const AUTHENTICATION_USER = 76; // struct rf_text
export const AUTHENTICATION_REMOTE_HOST = 88; // struct rf_text
export const AUTHENTICATION_TTY = 100; // struct rf_text
export const authenticationResult = (view: DataView, at: number): number => view.getInt32(at + 56, true);
export const authenticationSourceCaller = (view: DataView, at: number): number => view.getUint32(at + 60, true);

/** struct rf_bpf: bytes, and where each field begins */
export const SIZEOF_BPF = 96;
export const BPF_H = 0; // struct rf_header
export const BPF_COMMAND = 56;
export const BPF_PROGRAM_TYPE = 60;
export const BPF_ATTACH_TYPE = 64;
export const BPF_RESULT = 68;
export const BPF_SOURCE_CALLER = 72;
export const BPF_NAME = 76; // struct rf_text
export const BPF_ID = 88;
export const BPF_FLAGS = 92;
export const bpfCommand = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const bpfProgramType = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const bpfAttachType = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const bpfResult = (view: DataView, at: number): number => view.getInt32(at + 68, true);
export const bpfSourceCaller = (view: DataView, at: number): number => view.getUint32(at + 72, true);
export const bpfId = (view: DataView, at: number): number => view.getUint32(at + 88, true);
export const bpfFlags = (view: DataView, at: number): number => view.getUint32(at + 92, true);

/** struct rf_capability: bytes, and where each field begins */
export const SIZEOF_CAPABILITY = 72;
export const CAPABILITY_H = 0; // struct rf_header
export const CAPABILITY_CAPABILITY = 56;
export const CAPABILITY_RESULT = 60;
export const CAPABILITY_USER_NAMESPACE = 64;
export const CAPABILITY_COUNT = 68;
export const capabilityCapability = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const capabilityResult = (view: DataView, at: number): number => view.getInt32(at + 60, true);
export const capabilityUserNamespace = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const capabilityCount = (view: DataView, at: number): number => view.getUint32(at + 68, true);

/** struct rf_cgroup_made: bytes, and where each field begins */
export const SIZEOF_CGROUP_MADE = 528;
export const CGROUP_MADE_KTIME = 0;
export const CGROUP_MADE_LENGTH = 8;
export const CGROUP_MADE_PATH = 16;
export const CGROUP_MADE_PATH_LENGTH = 512;
export const cgroupMadeKtimeLo = (view: DataView, at: number): number => view.getUint32(at, true);
export const cgroupMadeKtimeHi = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const cgroupMadeLength = (view: DataView, at: number): number => view.getUint32(at + 8, true);

/** struct rf_connect: bytes, and where each field begins */
export const SIZEOF_CONNECT = 128;
export const CONNECT_H = 0; // struct rf_header
export const CONNECT_FAMILY = 56;
export const CONNECT_TYPE = 58;
export const CONNECT_PROTOCOL = 60;
export const CONNECT_PORT = 62;
export const CONNECT_ADDRESS = 64;
export const CONNECT_ADDRESS_LENGTH = 16;
export const CONNECT_RESULT = 80;
export const CONNECT_PATH = 84; // struct rf_text
export const CONNECT_SOURCE_CALLER = 96;
export const CONNECT_LOCAL_PORT = 98;
export const CONNECT_COUNT = 100;
export const CONNECT_LOCAL_ADDRESS = 104;
export const CONNECT_LOCAL_ADDRESS_LENGTH = 16;
export const CONNECT_DURATION = 120;
export const connectFamily = (view: DataView, at: number): number => view.getUint16(at + 56, true);
export const connectType = (view: DataView, at: number): number => view.getUint16(at + 58, true);
export const connectProtocol = (view: DataView, at: number): number => view.getUint16(at + 60, true);
export const connectPort = (view: DataView, at: number): number => view.getUint16(at + 62, true);
export const connectResult = (view: DataView, at: number): number => view.getInt32(at + 80, true);
export const connectSourceCaller = (view: DataView, at: number): number => view.getUint16(at + 96, true);
export const connectLocalPort = (view: DataView, at: number): number => view.getUint16(at + 98, true);
export const connectCount = (view: DataView, at: number): number => view.getUint32(at + 100, true);
export const connectDurationLo = (view: DataView, at: number): number => view.getUint32(at + 120, true);
export const connectDurationHi = (view: DataView, at: number): number => view.getUint32(at + 124, true);

/** struct rf_control: bytes, and where each field begins */
export const SIZEOF_CONTROL = 168;
export const CONTROL_AGENT_TGID = 0;
export const CONTROL_ALL_OPENS = 4;
export const CONTROL_SLEEPING = 8;
export const CONTROL_SLEEPING_LENGTH = 2;
export const CONTROL_WATCHED_HEADS = 16;
export const CONTROL_WATCHED_HEADS_LENGTH = 2;
export const CONTROL_NOTHING_NAMED = 24;
export const CONTROL_GENERATION = 28;
export const CONTROL_SHARE_INTERVAL = 32;
export const CONTROL_SHARE_BURST = 40;
export const CONTROL_SHARE_FROM = 48;
export const CONTROL_SHARE_FROM_LENGTH = 2;
export const CONTROL_AGENT_START = 56;
export const CONTROL_EXECUTABLES_NAMED = 64;
export const CONTROL_CHANGED_HEADS = 68;
export const CONTROL_CHANGED_HEADS_LENGTH = 2;
export const CONTROL_CHANGES_NAMED = 76;
export const CONTROL_PARTNER_TGID = 80;
export const CONTROL_RAW_PATHS = 84;
export const CONTROL_PARTNER_START = 88;
export const CONTROL_BYTE_SHARE_INTERVAL = 96;
export const CONTROL_BYTE_SHARE_INTERVAL_LENGTH = 2;
export const CONTROL_BYTE_SHARE_BURST = 112;
export const CONTROL_BYTE_SHARE_BURST_LENGTH = 2;
export const CONTROL_BYTE_SHARE_FROM = 128;
export const CONTROL_BYTE_SHARE_FROM_LENGTH = 2;
export const CONTROL_BYTE_SHARE_UNTIL = 136;
export const CONTROL_BYTE_SHARE_UNTIL_LENGTH = 2;
export const CONTROL_AGENT_CGROUP = 144;
export const CONTROL_PARTNER_CGROUP = 152;
export const CONTROL_ALL_VARIABLES = 160;
export const CONTROL_VARIABLES_NAMED = 164;
export const controlAgentTgid = (view: DataView, at: number): number => view.getUint32(at, true);
export const controlAllOpens = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const controlNothingNamed = (view: DataView, at: number): number => view.getUint32(at + 24, true);
export const controlGeneration = (view: DataView, at: number): number => view.getUint32(at + 28, true);
export const controlShareIntervalLo = (view: DataView, at: number): number => view.getUint32(at + 32, true);
export const controlShareIntervalHi = (view: DataView, at: number): number => view.getUint32(at + 36, true);
export const controlShareBurstLo = (view: DataView, at: number): number => view.getUint32(at + 40, true);
export const controlShareBurstHi = (view: DataView, at: number): number => view.getUint32(at + 44, true);
export const controlAgentStartLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const controlAgentStartHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const controlExecutablesNamed = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const controlChangesNamed = (view: DataView, at: number): number => view.getUint32(at + 76, true);
export const controlPartnerTgid = (view: DataView, at: number): number => view.getUint32(at + 80, true);
export const controlRawPaths = (view: DataView, at: number): number => view.getUint32(at + 84, true);
export const controlPartnerStartLo = (view: DataView, at: number): number => view.getUint32(at + 88, true);
export const controlPartnerStartHi = (view: DataView, at: number): number => view.getUint32(at + 92, true);
export const controlAgentCgroupLo = (view: DataView, at: number): number => view.getUint32(at + 144, true);
export const controlAgentCgroupHi = (view: DataView, at: number): number => view.getUint32(at + 148, true);
export const controlPartnerCgroupLo = (view: DataView, at: number): number => view.getUint32(at + 152, true);
export const controlPartnerCgroupHi = (view: DataView, at: number): number => view.getUint32(at + 156, true);
export const controlAllVariables = (view: DataView, at: number): number => view.getUint32(at + 160, true);
export const controlVariablesNamed = (view: DataView, at: number): number => view.getUint32(at + 164, true);

/** struct rf_counters: bytes, and where each field begins */
export const SIZEOF_COUNTERS = 16448;
export const COUNTERS_SEQUENCE = 0;
export const COUNTERS_SEQUENCE_LENGTH = 8;
export const COUNTERS_FATES = 64;
export const COUNTERS_FATES_LENGTH = 2048;

/** struct rf_credentials: bytes, and where each field begins */
export const SIZEOF_CREDENTIALS = 56;
export const CREDENTIALS_UID = 0;
export const CREDENTIALS_GID = 4;
export const CREDENTIALS_EUID = 8;
export const CREDENTIALS_EGID = 12;
export const CREDENTIALS_SUID = 16;
export const CREDENTIALS_SGID = 20;
export const CREDENTIALS_FSUID = 24;
export const CREDENTIALS_FSGID = 28;
export const CREDENTIALS_CAP_EFFECTIVE = 32;
export const CREDENTIALS_CAP_PERMITTED = 40;
export const CREDENTIALS_CAP_INHERITABLE = 48;
export const credentialsUid = (view: DataView, at: number): number => view.getUint32(at, true);
export const credentialsGid = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const credentialsEuid = (view: DataView, at: number): number => view.getUint32(at + 8, true);
export const credentialsEgid = (view: DataView, at: number): number => view.getUint32(at + 12, true);
export const credentialsSuid = (view: DataView, at: number): number => view.getUint32(at + 16, true);
export const credentialsSgid = (view: DataView, at: number): number => view.getUint32(at + 20, true);
export const credentialsFsuid = (view: DataView, at: number): number => view.getUint32(at + 24, true);
export const credentialsFsgid = (view: DataView, at: number): number => view.getUint32(at + 28, true);
export const credentialsCapEffectiveLo = (view: DataView, at: number): number => view.getUint32(at + 32, true);
export const credentialsCapEffectiveHi = (view: DataView, at: number): number => view.getUint32(at + 36, true);
export const credentialsCapPermittedLo = (view: DataView, at: number): number => view.getUint32(at + 40, true);
export const credentialsCapPermittedHi = (view: DataView, at: number): number => view.getUint32(at + 44, true);
export const credentialsCapInheritableLo = (view: DataView, at: number): number => view.getUint32(at + 48, true);
export const credentialsCapInheritableHi = (view: DataView, at: number): number => view.getUint32(at + 52, true);

/** struct rf_credentials_change: bytes, and where each field begins */
export const SIZEOF_CREDENTIALS_CHANGE = 192;
export const CREDENTIALS_CHANGE_H = 0; // struct rf_header
export const CREDENTIALS_CHANGE_BEFORE = 56; // struct rf_credentials
export const CREDENTIALS_CHANGE_AFTER = 112; // struct rf_credentials
export const CREDENTIALS_CHANGE_GROUPS_BEFORE = 168; // struct rf_text
export const CREDENTIALS_CHANGE_GROUPS_AFTER = 180; // struct rf_text

/** struct rf_datagram: bytes, and where each field begins */
export const SIZEOF_DATAGRAM = 144;
export const DATAGRAM_H = 0; // struct rf_header
export const DATAGRAM_SENT = 56;
export const DATAGRAM_RECEIVED = 64;
export const DATAGRAM_FAMILY = 72;
export const DATAGRAM_PROTOCOL = 74;
export const DATAGRAM_PORT = 76;
export const DATAGRAM_LOCAL_PORT = 78;
export const DATAGRAM_ADDRESS = 80;
export const DATAGRAM_ADDRESS_LENGTH = 16;
export const DATAGRAM_LOCAL_ADDRESS = 96;
export const DATAGRAM_LOCAL_ADDRESS_LENGTH = 16;
export const DATAGRAM_RESULT = 112;
export const DATAGRAM_COUNT = 116;
export const DATAGRAM_PATH = 120; // struct rf_text
export const DATAGRAM_INCOMING = 132;
export const DATAGRAM_SOURCE_CALLER = 136;
export const datagramSentLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const datagramSentHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const datagramReceivedLo = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const datagramReceivedHi = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const datagramFamily = (view: DataView, at: number): number => view.getUint16(at + 72, true);
export const datagramProtocol = (view: DataView, at: number): number => view.getUint16(at + 74, true);
export const datagramPort = (view: DataView, at: number): number => view.getUint16(at + 76, true);
export const datagramLocalPort = (view: DataView, at: number): number => view.getUint16(at + 78, true);
export const datagramResult = (view: DataView, at: number): number => view.getInt32(at + 112, true);
export const datagramCount = (view: DataView, at: number): number => view.getUint32(at + 116, true);
export const datagramIncoming = (view: DataView, at: number): number => view.getUint32(at + 132, true);
export const datagramSourceCaller = (view: DataView, at: number): number => view.getUint32(at + 136, true);

/** struct rf_doom: bytes, and where each field begins */
export const SIZEOF_DOOM = 40;
export const DOOM_NUMBER = 0;
export const DOOM_ROOT = 8;
export const DOOM_CGROUP = 16;
export const DOOM_SESSION = 24;
export const DOOM_LOGIN_SESSION = 28;
export const DOOM_SIGNAL = 32;
export const doomNumberLo = (view: DataView, at: number): number => view.getUint32(at, true);
export const doomNumberHi = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const doomRootLo = (view: DataView, at: number): number => view.getUint32(at + 8, true);
export const doomRootHi = (view: DataView, at: number): number => view.getUint32(at + 12, true);
export const doomCgroupLo = (view: DataView, at: number): number => view.getUint32(at + 16, true);
export const doomCgroupHi = (view: DataView, at: number): number => view.getUint32(at + 20, true);
export const doomSession = (view: DataView, at: number): number => view.getUint32(at + 24, true);
export const doomLoginSession = (view: DataView, at: number): number => view.getUint32(at + 28, true);
export const doomSignal = (view: DataView, at: number): number => view.getUint32(at + 32, true);

/** struct rf_exec: bytes, and where each field begins */
export const SIZEOF_EXEC = 352;
export const EXEC_H = 0; // struct rf_header
export const EXEC_PARENT_START = 56;
export const EXEC_INODE = 64;
export const EXEC_CTIME = 72;
export const EXEC_MTIME = 80;
export const EXEC_SCRIPT_INODE = 88;
export const EXEC_SCRIPT_CTIME = 96;
export const EXEC_REAL_INODE = 104;
export const EXEC_CREDENTIALS = 112; // struct rf_credentials
export const EXEC_NAMESPACES = 168; // struct rf_namespaces
export const EXEC_PARENT_TGID = 200;
export const EXEC_DEVICE = 204;
export const EXEC_FLAGS = 208;
export const EXEC_MODE = 212;
export const EXEC_OWNER = 216;
export const EXEC_LOGINUID = 220;
export const EXEC_SESSION_ID = 224;
export const EXEC_TTY = 228;
export const EXEC_ARGC = 232;
export const EXEC_SNAPSHOT = 236;
export const EXEC_STDIO_SOCKETS = 240;
export const EXEC_SCRIPT_DEVICE = 244;
export const EXEC_PROCESS_GROUP = 248;
export const EXEC_PROCESS_SESSION = 252;
export const EXEC_REAL_DEVICE = 256;
export const EXEC_GENERATION = 260;
export const EXEC_PATH = 268; // struct rf_text
export const EXEC_FILENAME = 280; // struct rf_text
export const EXEC_CWD = 292; // struct rf_text
export const EXEC_ARGV = 304; // struct rf_text
export const EXEC_ENVIRONMENT = 316; // struct rf_text
export const EXEC_INTERPRETER = 328; // struct rf_text
export const EXEC_SCRIPT = 340; // struct rf_text
export const execParentStartLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const execParentStartHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const execInodeLo = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const execInodeHi = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const execCtimeLo = (view: DataView, at: number): number => view.getUint32(at + 72, true);
export const execCtimeHi = (view: DataView, at: number): number => view.getUint32(at + 76, true);
export const execMtimeLo = (view: DataView, at: number): number => view.getUint32(at + 80, true);
export const execMtimeHi = (view: DataView, at: number): number => view.getUint32(at + 84, true);
export const execScriptInodeLo = (view: DataView, at: number): number => view.getUint32(at + 88, true);
export const execScriptInodeHi = (view: DataView, at: number): number => view.getUint32(at + 92, true);
export const execScriptCtimeLo = (view: DataView, at: number): number => view.getUint32(at + 96, true);
export const execScriptCtimeHi = (view: DataView, at: number): number => view.getUint32(at + 100, true);
export const execRealInodeLo = (view: DataView, at: number): number => view.getUint32(at + 104, true);
export const execRealInodeHi = (view: DataView, at: number): number => view.getUint32(at + 108, true);
export const execParentTgid = (view: DataView, at: number): number => view.getUint32(at + 200, true);
export const execDevice = (view: DataView, at: number): number => view.getUint32(at + 204, true);
export const execFlags = (view: DataView, at: number): number => view.getUint32(at + 208, true);
export const execMode = (view: DataView, at: number): number => view.getUint32(at + 212, true);
export const execOwner = (view: DataView, at: number): number => view.getUint32(at + 216, true);
export const execLoginuid = (view: DataView, at: number): number => view.getUint32(at + 220, true);
export const execSessionId = (view: DataView, at: number): number => view.getUint32(at + 224, true);
export const execTty = (view: DataView, at: number): number => view.getUint32(at + 228, true);
export const execArgc = (view: DataView, at: number): number => view.getUint32(at + 232, true);
export const execSnapshot = (view: DataView, at: number): number => view.getUint32(at + 236, true);
export const execStdioSockets = (view: DataView, at: number): number => view.getUint32(at + 240, true);
export const execScriptDevice = (view: DataView, at: number): number => view.getUint32(at + 244, true);
export const execProcessGroup = (view: DataView, at: number): number => view.getUint32(at + 248, true);
export const execProcessSession = (view: DataView, at: number): number => view.getUint32(at + 252, true);
export const execRealDevice = (view: DataView, at: number): number => view.getUint32(at + 256, true);
export const execGeneration = (view: DataView, at: number): number => view.getUint32(at + 260, true);

/** struct rf_exit: bytes, and where each field begins */
export const SIZEOF_EXIT = 80;
export const EXIT_H = 0; // struct rf_header
export const EXIT_DURATION = 56;
export const EXIT_CODE = 64;
export const EXIT_SIGNAL = 68;
export const EXIT_CORE = 72;
export const exitDurationLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const exitDurationHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const exitCode = (view: DataView, at: number): number => view.getInt32(at + 64, true);
export const exitSignal = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const exitCore = (view: DataView, at: number): number => view.getUint32(at + 72, true);

/** struct rf_failures: bytes, and where each field begins */
export const SIZEOF_FAILURES = 16896;
export const FAILURES_FAILED = 0;
export const FAILURES_FAILED_LENGTH = 2048;
export const FAILURES_MADE = 16384;
export const FAILURES_MADE_LENGTH = 32;
export const FAILURES_REMOVED = 16640;
export const FAILURES_REMOVED_LENGTH = 32;

/** struct rf_fault: bytes, and where each field begins */
export const SIZEOF_FAULT = 88;
export const FAULT_H = 0; // struct rf_header
export const FAULT_ADDRESS = 56;
export const FAULT_INSTRUCTION = 64;
export const FAULT_SIGNAL = 72;
export const FAULT_CODE = 76;
export const FAULT_COUNT = 80;
export const FAULT_SYSTEM_CALL = 84;
export const faultAddressLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const faultAddressHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const faultInstructionLo = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const faultInstructionHi = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const faultSignal = (view: DataView, at: number): number => view.getUint32(at + 72, true);
export const faultCode = (view: DataView, at: number): number => view.getInt32(at + 76, true);
export const faultCount = (view: DataView, at: number): number => view.getUint32(at + 80, true);
export const faultSystemCall = (view: DataView, at: number): number => view.getInt32(at + 84, true);

/** struct rf_file_change: bytes, and where each field begins */
export const SIZEOF_FILE_CHANGE = 160;
export const FILE_CHANGE_H = 0; // struct rf_header
export const FILE_CHANGE_INODE = 56;
export const FILE_CHANGE_DEVICE = 64;
export const FILE_CHANGE_OPERATION = 68;
export const FILE_CHANGE_RESULT = 72;
export const FILE_CHANGE_MODE = 76;
export const FILE_CHANGE_UID = 80;
export const FILE_CHANGE_GID = 84;
export const FILE_CHANGE_FLAGS = 88;
export const FILE_CHANGE_SOURCE_CALLER = 92;
export const FILE_CHANGE_PATH = 96; // struct rf_text
export const FILE_CHANGE_TARGET = 108; // struct rf_text
export const FILE_CHANGE_LENGTH = 120;
export const FILE_CHANGE_SPECIAL = 128;
export const FILE_CHANGE_RAW_PATH = 136; // struct rf_text
export const FILE_CHANGE_RAW_TARGET = 148; // struct rf_text
export const fileChangeInodeLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const fileChangeInodeHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const fileChangeDevice = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const fileChangeOperation = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const fileChangeResult = (view: DataView, at: number): number => view.getInt32(at + 72, true);
export const fileChangeMode = (view: DataView, at: number): number => view.getUint32(at + 76, true);
export const fileChangeUid = (view: DataView, at: number): number => view.getUint32(at + 80, true);
export const fileChangeGid = (view: DataView, at: number): number => view.getUint32(at + 84, true);
export const fileChangeFlags = (view: DataView, at: number): number => view.getUint32(at + 88, true);
export const fileChangeSourceCaller = (view: DataView, at: number): number => view.getUint32(at + 92, true);
export const fileChangeLengthLo = (view: DataView, at: number): number => view.getUint32(at + 120, true);
export const fileChangeLengthHi = (view: DataView, at: number): number => view.getUint32(at + 124, true);
export const fileChangeSpecial = (view: DataView, at: number): number => view.getUint32(at + 128, true);

/** struct rf_file_identity: bytes, and where each field begins */
export const SIZEOF_FILE_IDENTITY = 40;
export const FILE_IDENTITY_KEY = 0; // struct rf_file_key
export const FILE_IDENTITY_BENEATH = 16; // struct rf_file_key
export const FILE_IDENTITY_DESCRIPTOR = 32;
export const fileIdentityDescriptor = (view: DataView, at: number): number => view.getUint32(at + 32, true);

/** struct rf_file_key: bytes, and where each field begins */
export const SIZEOF_FILE_KEY = 16;
export const FILE_KEY_INODE = 0;
export const FILE_KEY_DEVICE = 8;
export const FILE_KEY_GENERATION = 12;
export const fileKeyInodeLo = (view: DataView, at: number): number => view.getUint32(at, true);
export const fileKeyInodeHi = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const fileKeyDevice = (view: DataView, at: number): number => view.getUint32(at + 8, true);
export const fileKeyGeneration = (view: DataView, at: number): number => view.getUint32(at + 12, true);

/** struct rf_file_path: bytes, and where each field begins */
export const SIZEOF_FILE_PATH = 264;
export const FILE_PATH_LENGTH = 0;
export const FILE_PATH_NAME = 4;
export const FILE_PATH_PATH = 8;
export const FILE_PATH_PATH_LENGTH = 256;
export const filePathLength = (view: DataView, at: number): number => view.getUint32(at, true);
export const filePathName = (view: DataView, at: number): number => view.getUint32(at + 4, true);

/** struct rf_flow: bytes, and where each field begins */
export const SIZEOF_FLOW = 128;
export const FLOW_H = 0; // struct rf_header
export const FLOW_DURATION = 56;
export const FLOW_SENT = 64;
export const FLOW_RECEIVED = 72;
export const FLOW_FAMILY = 80;
export const FLOW_PROTOCOL = 82;
export const FLOW_PORT = 84;
export const FLOW_LOCAL_PORT = 86;
export const FLOW_ADDRESS = 88;
export const FLOW_ADDRESS_LENGTH = 16;
export const FLOW_LOCAL_ADDRESS = 104;
export const FLOW_LOCAL_ADDRESS_LENGTH = 16;
export const FLOW_INCOMING = 120;
export const FLOW_ERROR = 124;
export const flowDurationLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const flowDurationHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const flowSentLo = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const flowSentHi = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const flowReceivedLo = (view: DataView, at: number): number => view.getUint32(at + 72, true);
export const flowReceivedHi = (view: DataView, at: number): number => view.getUint32(at + 76, true);
export const flowFamily = (view: DataView, at: number): number => view.getUint16(at + 80, true);
export const flowProtocol = (view: DataView, at: number): number => view.getUint16(at + 82, true);
export const flowPort = (view: DataView, at: number): number => view.getUint16(at + 84, true);
export const flowLocalPort = (view: DataView, at: number): number => view.getUint16(at + 86, true);
export const flowIncoming = (view: DataView, at: number): number => view.getUint32(at + 120, true);
export const flowError = (view: DataView, at: number): number => view.getInt32(at + 124, true);

/** struct rf_fork: bytes, and where each field begins */
export const SIZEOF_FORK = 112;
export const FORK_H = 0; // struct rf_header
export const FORK_PARENT_START = 56;
export const FORK_PARENT_TGID = 64;
export const FORK_COUNT = 68;
export const FORK_NAMESPACES = 72; // struct rf_namespaces
export const FORK_FLAGS = 104;
export const forkParentStartLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const forkParentStartHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const forkParentTgid = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const forkCount = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const forkFlagsLo = (view: DataView, at: number): number => view.getUint32(at + 104, true);
export const forkFlagsHi = (view: DataView, at: number): number => view.getUint32(at + 108, true);

/** struct rf_header: bytes, and where each field begins */
export const SIZEOF_HEADER = 56;
export const HEADER_KTIME = 0;
export const HEADER_SEQUENCE = 8;
export const HEADER_START = 16;
export const HEADER_TGID = 24;
export const HEADER_TID = 28;
export const HEADER_CGROUP = 32;
export const HEADER_EXEC_ID = 40;
export const HEADER_SIZE = 48;
export const HEADER_KIND = 52;
export const HEADER_CPU = 54;
export const HEADER_GENERATION = 55;
export const headerKtimeLo = (view: DataView, at: number): number => view.getUint32(at, true);
export const headerKtimeHi = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const headerSequenceLo = (view: DataView, at: number): number => view.getUint32(at + 8, true);
export const headerSequenceHi = (view: DataView, at: number): number => view.getUint32(at + 12, true);
export const headerStartLo = (view: DataView, at: number): number => view.getUint32(at + 16, true);
export const headerStartHi = (view: DataView, at: number): number => view.getUint32(at + 20, true);
export const headerTgid = (view: DataView, at: number): number => view.getUint32(at + 24, true);
export const headerTid = (view: DataView, at: number): number => view.getUint32(at + 28, true);
export const headerCgroupLo = (view: DataView, at: number): number => view.getUint32(at + 32, true);
export const headerCgroupHi = (view: DataView, at: number): number => view.getUint32(at + 36, true);
export const headerExecIdLo = (view: DataView, at: number): number => view.getUint32(at + 40, true);
export const headerExecIdHi = (view: DataView, at: number): number => view.getUint32(at + 44, true);
export const headerSize = (view: DataView, at: number): number => view.getUint32(at + 48, true);
export const headerKind = (view: DataView, at: number): number => view.getUint16(at + 52, true);
export const headerCpu = (view: DataView, at: number): number => view.getUint8(at + 54);
export const headerGeneration = (view: DataView, at: number): number => view.getUint8(at + 55);

/** struct rf_interest: bytes, and where each field begins */
export const SIZEOF_INTEREST = 48;
export const INTEREST_VERSION = 0;
export const INTEREST_KINDS = 8;
export const INTEREST_KINDS_LENGTH = 2;
export const INTEREST_SOME = 24;
export const INTEREST_ALL = 32;
export const INTEREST_OWN = 40;
export const interestVersionLo = (view: DataView, at: number): number => view.getUint32(at, true);
export const interestVersionHi = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const interestSomeLo = (view: DataView, at: number): number => view.getUint32(at + 24, true);
export const interestSomeHi = (view: DataView, at: number): number => view.getUint32(at + 28, true);
export const interestAllLo = (view: DataView, at: number): number => view.getUint32(at + 32, true);
export const interestAllHi = (view: DataView, at: number): number => view.getUint32(at + 36, true);
export const interestOwnLo = (view: DataView, at: number): number => view.getUint32(at + 40, true);
export const interestOwnHi = (view: DataView, at: number): number => view.getUint32(at + 44, true);

/** struct rf_interest_ports: bytes, and where each field begins */
export const SIZEOF_INTEREST_PORTS = 69632;
export const INTEREST_PORTS_PEER = 0;
export const INTEREST_PORTS_PEER_LENGTH = 256;
export const INTEREST_PORTS_LOCAL = 2048;
export const INTEREST_PORTS_LOCAL_LENGTH = 256;
export const INTEREST_PORTS_CLASSES = 4096;
export const INTEREST_PORTS_CLASSES_LENGTH = 65536;

/** struct rf_io_uring: bytes, and where each field begins */
export const SIZEOF_IO_URING = 152;
export const IO_URING_H = 0; // struct rf_header
export const IO_URING_INODE = 56;
export const IO_URING_DEVICE = 64;
export const IO_URING_OPCODE = 68;
export const IO_URING_FLAGS = 72;
export const IO_URING_RESULT = 76;
export const IO_URING_SUBMISSION_THREAD = 80;
export const IO_URING_FAMILY = 84;
export const IO_URING_PORT = 86;
export const IO_URING_ADDRESS = 88;
export const IO_URING_ADDRESS_LENGTH = 16;
export const IO_URING_PATH = 104; // struct rf_text
export const IO_URING_TARGET = 116; // struct rf_text
export const IO_URING_SOURCE_CALLER = 128;
export const IO_URING_RESULT_UNKNOWN = 132;
export const IO_URING_REACHED = 136; // struct rf_text
export const ioUringInodeLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const ioUringInodeHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const ioUringDevice = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const ioUringOpcode = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const ioUringFlags = (view: DataView, at: number): number => view.getUint32(at + 72, true);
export const ioUringResult = (view: DataView, at: number): number => view.getInt32(at + 76, true);
export const ioUringSubmissionThread = (view: DataView, at: number): number => view.getUint32(at + 80, true);
export const ioUringFamily = (view: DataView, at: number): number => view.getUint16(at + 84, true);
export const ioUringPort = (view: DataView, at: number): number => view.getUint16(at + 86, true);
export const ioUringSourceCaller = (view: DataView, at: number): number => view.getUint32(at + 128, true);
export const ioUringResultUnknown = (view: DataView, at: number): number => view.getUint32(at + 132, true);

/** struct rf_isolation: bytes, and where each field begins */
export const SIZEOF_ISOLATION = 232;
export const ISOLATION_H = 0; // struct rf_header
export const ISOLATION_OPTION = 56;
export const ISOLATION_ARGUMENT = 64;
export const ISOLATION_NAMESPACES = 72; // struct rf_namespaces
export const ISOLATION_BEFORE = 104; // struct rf_credentials
export const ISOLATION_AFTER = 160; // struct rf_credentials
export const ISOLATION_OPERATION = 216;
export const ISOLATION_RESULT = 220;
export const ISOLATION_COUNT = 224;
export const isolationOptionLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const isolationOptionHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const isolationArgumentLo = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const isolationArgumentHi = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const isolationOperation = (view: DataView, at: number): number => view.getUint32(at + 216, true);
export const isolationResult = (view: DataView, at: number): number => view.getInt32(at + 220, true);
export const isolationCount = (view: DataView, at: number): number => view.getUint32(at + 224, true);

/** struct rf_memory: bytes, and where each field begins */
export const SIZEOF_MEMORY = 120;
export const MEMORY_H = 0; // struct rf_header
export const MEMORY_ADDRESS = 56;
export const MEMORY_LENGTH = 64;
export const MEMORY_INODE = 72;
export const MEMORY_DEVICE = 80;
export const MEMORY_OPERATION = 84;
export const MEMORY_RESULT = 88;
export const MEMORY_PROTECTION = 92;
export const MEMORY_FLAGS = 96;
export const MEMORY_SOURCE_CALLER = 100;
export const MEMORY_PATH = 104; // struct rf_text
export const MEMORY_COUNT = 116;
export const memoryAddressLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const memoryAddressHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const memoryLengthLo = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const memoryLengthHi = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const memoryInodeLo = (view: DataView, at: number): number => view.getUint32(at + 72, true);
export const memoryInodeHi = (view: DataView, at: number): number => view.getUint32(at + 76, true);
export const memoryDevice = (view: DataView, at: number): number => view.getUint32(at + 80, true);
export const memoryOperation = (view: DataView, at: number): number => view.getUint32(at + 84, true);
export const memoryResult = (view: DataView, at: number): number => view.getInt32(at + 88, true);
export const memoryProtection = (view: DataView, at: number): number => view.getUint32(at + 92, true);
export const memoryFlags = (view: DataView, at: number): number => view.getUint32(at + 96, true);
export const memorySourceCaller = (view: DataView, at: number): number => view.getUint32(at + 100, true);
export const memoryCount = (view: DataView, at: number): number => view.getUint32(at + 116, true);

/** struct rf_module: bytes, and where each field begins */
export const SIZEOF_MODULE = 128;
export const MODULE_H = 0; // struct rf_header
export const MODULE_INODE = 56;
export const MODULE_DEVICE = 64;
export const MODULE_OPERATION = 68;
export const MODULE_RESULT = 72;
export const MODULE_FLAGS = 76;
export const MODULE_FROM_MEMORY = 80;
export const MODULE_TAINTS = 84;
export const MODULE_NAME = 88; // struct rf_text
export const MODULE_PATH = 100; // struct rf_text
export const MODULE_PARAMETERS = 112; // struct rf_text
export const MODULE_NAME_SOURCE = 124;
export const moduleInodeLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const moduleInodeHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const moduleDevice = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const moduleOperation = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const moduleResult = (view: DataView, at: number): number => view.getInt32(at + 72, true);
export const moduleFlags = (view: DataView, at: number): number => view.getUint32(at + 76, true);
export const moduleFromMemory = (view: DataView, at: number): number => view.getUint32(at + 80, true);
export const moduleTaints = (view: DataView, at: number): number => view.getUint32(at + 84, true);
export const moduleNameSource = (view: DataView, at: number): number => view.getUint32(at + 124, true);

/** struct rf_mount_change: bytes, and where each field begins */
export const SIZEOF_MOUNT_CHANGE = 128;
export const MOUNT_CHANGE_H = 0; // struct rf_header
export const MOUNT_CHANGE_OPERATION = 56;
export const MOUNT_CHANGE_RESULT = 60;
export const MOUNT_CHANGE_FLAGS = 64;
export const MOUNT_CHANGE_SOURCE_CALLER = 68;
export const MOUNT_CHANGE_SOURCE = 72; // struct rf_text
export const MOUNT_CHANGE_TARGET = 84; // struct rf_text
export const MOUNT_CHANGE_FILESYSTEM = 96; // struct rf_text
export const MOUNT_CHANGE_OPTIONS = 108; // struct rf_text
export const MOUNT_CHANGE_ATTRIBUTES = 120;
export const MOUNT_CHANGE_CLEARED = 124;
export const mountChangeOperation = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const mountChangeResult = (view: DataView, at: number): number => view.getInt32(at + 60, true);
export const mountChangeFlags = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const mountChangeSourceCaller = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const mountChangeAttributes = (view: DataView, at: number): number => view.getUint32(at + 120, true);
export const mountChangeCleared = (view: DataView, at: number): number => view.getUint32(at + 124, true);

/** struct rf_name_key: bytes, and where each field begins */
export const SIZEOF_NAME_KEY = 32;
export const NAME_KEY_NAME = 0;
export const NAME_KEY_NAME_LENGTH = 32;

/** struct rf_namespaces: bytes, and where each field begins */
export const SIZEOF_NAMESPACES = 32;
export const NAMESPACES_MNT = 0;
export const NAMESPACES_PID = 4;
export const NAMESPACES_NET = 8;
export const NAMESPACES_USER = 12;
export const NAMESPACES_UTS = 16;
export const NAMESPACES_IPC = 20;
export const NAMESPACES_CGROUP = 24;
export const NAMESPACES_PID_IN_NS = 28;
export const namespacesMnt = (view: DataView, at: number): number => view.getUint32(at, true);
export const namespacesPid = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const namespacesNet = (view: DataView, at: number): number => view.getUint32(at + 8, true);
export const namespacesUser = (view: DataView, at: number): number => view.getUint32(at + 12, true);
export const namespacesUts = (view: DataView, at: number): number => view.getUint32(at + 16, true);
export const namespacesIpc = (view: DataView, at: number): number => view.getUint32(at + 20, true);
export const namespacesCgroup = (view: DataView, at: number): number => view.getUint32(at + 24, true);
export const namespacesPidInNs = (view: DataView, at: number): number => view.getUint32(at + 28, true);

/** struct rf_open: bytes, and where each field begins */
export const SIZEOF_OPEN = 152;
export const OPEN_H = 0; // struct rf_header
export const OPEN_INODE = 56;
export const OPEN_DEVICE = 64;
export const OPEN_FLAGS = 68;
export const OPEN_RESULT = 72;
export const OPEN_MODE = 76;
export const OPEN_PATH = 80; // struct rf_text
export const OPEN_SOURCE_CALLER = 92;
export const OPEN_COUNT = 96;
export const OPEN_REACHED = 100; // struct rf_text
export const OPEN_RECEIVED = 112;
export const OPEN_CREATED = 116;
export const OPEN_RAW_PATH = 120; // struct rf_text
export const OPEN_GENERATION = 132;
export const OPEN_REAL_INODE = 136;
export const OPEN_REAL_DEVICE = 144;
export const openInodeLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const openInodeHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const openDevice = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const openFlags = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const openResult = (view: DataView, at: number): number => view.getInt32(at + 72, true);
export const openMode = (view: DataView, at: number): number => view.getUint32(at + 76, true);
export const openSourceCaller = (view: DataView, at: number): number => view.getUint32(at + 92, true);
export const openCount = (view: DataView, at: number): number => view.getUint32(at + 96, true);
export const openReceived = (view: DataView, at: number): number => view.getUint32(at + 112, true);
export const openCreated = (view: DataView, at: number): number => view.getUint32(at + 116, true);
export const openGeneration = (view: DataView, at: number): number => view.getUint32(at + 132, true);
export const openRealInodeLo = (view: DataView, at: number): number => view.getUint32(at + 136, true);
export const openRealInodeHi = (view: DataView, at: number): number => view.getUint32(at + 140, true);
export const openRealDevice = (view: DataView, at: number): number => view.getUint32(at + 144, true);

/** struct rf_open_descriptor: bytes, and where each field begins */
export const SIZEOF_OPEN_DESCRIPTOR = 8;
export const OPEN_DESCRIPTOR_TGID = 0;
export const OPEN_DESCRIPTOR_DESCRIPTOR = 4;
export const openDescriptorTgid = (view: DataView, at: number): number => view.getUint32(at, true);
export const openDescriptorDescriptor = (view: DataView, at: number): number => view.getUint32(at + 4, true);

/** struct rf_open_socket: bytes, and where each field begins */
export const SIZEOF_OPEN_SOCKET = 176;
export const OPEN_SOCKET_START = 0;
export const OPEN_SOCKET_INODE = 8;
export const OPEN_SOCKET_TGID = 16;
export const OPEN_SOCKET_FD = 20;
export const OPEN_SOCKET_FAMILY = 24;
export const OPEN_SOCKET_TYPE = 26;
export const OPEN_SOCKET_PROTOCOL = 28;
export const OPEN_SOCKET_PORT = 30;
export const OPEN_SOCKET_LOCAL_PORT = 32;
export const OPEN_SOCKET_STATE = 34;
export const OPEN_SOCKET_PATH_BYTES = 35;
export const OPEN_SOCKET_ADDRESS = 36;
export const OPEN_SOCKET_ADDRESS_LENGTH = 16;
export const OPEN_SOCKET_LOCAL_ADDRESS = 52;
export const OPEN_SOCKET_LOCAL_ADDRESS_LENGTH = 16;
export const OPEN_SOCKET_PATH = 68;
export const OPEN_SOCKET_PATH_LENGTH = 108;
export const openSocketStartLo = (view: DataView, at: number): number => view.getUint32(at, true);
export const openSocketStartHi = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const openSocketInodeLo = (view: DataView, at: number): number => view.getUint32(at + 8, true);
export const openSocketInodeHi = (view: DataView, at: number): number => view.getUint32(at + 12, true);
export const openSocketTgid = (view: DataView, at: number): number => view.getUint32(at + 16, true);
export const openSocketFd = (view: DataView, at: number): number => view.getUint32(at + 20, true);
export const openSocketFamily = (view: DataView, at: number): number => view.getUint16(at + 24, true);
export const openSocketType = (view: DataView, at: number): number => view.getUint16(at + 26, true);
export const openSocketProtocol = (view: DataView, at: number): number => view.getUint16(at + 28, true);
export const openSocketPort = (view: DataView, at: number): number => view.getUint16(at + 30, true);
export const openSocketLocalPort = (view: DataView, at: number): number => view.getUint16(at + 32, true);
export const openSocketState = (view: DataView, at: number): number => view.getUint8(at + 34);
export const openSocketPathBytes = (view: DataView, at: number): number => view.getUint8(at + 35);

/** struct rf_own_link: bytes, and where each field begins */
export const SIZEOF_OWN_LINK = 32;
export const OWN_LINK_PROGRAM = 0;
export const OWN_LINK_PROGRAM_LENGTH = 32;

/** struct rf_packet: bytes, and where each field begins */
export const SIZEOF_PACKET = 120;
export const PACKET_H = 0; // struct rf_header
export const PACKET_FAMILY = 56;
export const PACKET_PROTOCOL = 58;
export const PACKET_PORT = 60;
export const PACKET_LOCAL_PORT = 62;
export const PACKET_ADDRESS = 64;
export const PACKET_ADDRESS_LENGTH = 16;
export const PACKET_LOCAL_ADDRESS = 80;
export const PACKET_LOCAL_ADDRESS_LENGTH = 16;
export const PACKET_CONTENT = 96;
export const PACKET_EGRESS = 100;
export const PACKET_PAYLOAD = 104; // struct rf_text
export const packetFamily = (view: DataView, at: number): number => view.getUint16(at + 56, true);
export const packetProtocol = (view: DataView, at: number): number => view.getUint16(at + 58, true);
export const packetPort = (view: DataView, at: number): number => view.getUint16(at + 60, true);
export const packetLocalPort = (view: DataView, at: number): number => view.getUint16(at + 62, true);
export const packetContent = (view: DataView, at: number): number => view.getUint32(at + 96, true);
export const packetEgress = (view: DataView, at: number): number => view.getUint32(at + 100, true);

/** struct rf_probe: bytes, and where each field begins */
export const SIZEOF_PROBE = 88;
export const PROBE_H = 0; // struct rf_header
export const PROBE_PLACE = 56;
export const PROBE_SOURCE_CALLER = 60;
export const PROBE_NAME = 64; // struct rf_text
export const PROBE_ARGUMENTS = 76; // struct rf_text
export const probePlace = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const probeSourceCaller = (view: DataView, at: number): number => view.getUint32(at + 60, true);

/** struct rf_probe_argument: bytes, and where each field begins */
export const SIZEOF_PROBE_ARGUMENT = 40;
export const PROBE_ARGUMENT_VALUE = 0;
export const PROBE_ARGUMENT_FAILED = 8;
export const PROBE_ARGUMENT_KEPT = 12;
export const PROBE_ARGUMENT_TYPE = 14;
export const PROBE_ARGUMENT_NAME = 16;
export const PROBE_ARGUMENT_NAME_LENGTH = 24;
export const probeArgumentValueLo = (view: DataView, at: number): number => view.getUint32(at, true);
export const probeArgumentValueHi = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const probeArgumentFailed = (view: DataView, at: number): number => view.getUint32(at + 8, true);
export const probeArgumentKept = (view: DataView, at: number): number => view.getUint16(at + 12, true);
export const probeArgumentType = (view: DataView, at: number): number => view.getUint16(at + 14, true);

/** struct rf_process_access: bytes, and where each field begins */
export const SIZEOF_PROCESS_ACCESS = 104;
export const PROCESS_ACCESS_H = 0; // struct rf_header
export const PROCESS_ACCESS_TARGET_START = 56;
export const PROCESS_ACCESS_ADDRESS = 64;
export const PROCESS_ACCESS_LENGTH = 72;
export const PROCESS_ACCESS_TARGET_TGID = 80;
export const PROCESS_ACCESS_OPERATION = 84;
export const PROCESS_ACCESS_REQUEST = 88;
export const PROCESS_ACCESS_RESULT = 92;
export const PROCESS_ACCESS_COUNT = 96;
export const processAccessTargetStartLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const processAccessTargetStartHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const processAccessAddressLo = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const processAccessAddressHi = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const processAccessLengthLo = (view: DataView, at: number): number => view.getUint32(at + 72, true);
export const processAccessLengthHi = (view: DataView, at: number): number => view.getUint32(at + 76, true);
export const processAccessTargetTgid = (view: DataView, at: number): number => view.getUint32(at + 80, true);
export const processAccessOperation = (view: DataView, at: number): number => view.getUint32(at + 84, true);
export const processAccessRequest = (view: DataView, at: number): number => view.getUint32(at + 88, true);
export const processAccessResult = (view: DataView, at: number): number => view.getInt32(at + 92, true);
export const processAccessCount = (view: DataView, at: number): number => view.getUint32(at + 96, true);

/** struct rf_redirect: bytes, and where each field begins */
export const SIZEOF_REDIRECT = 120;
export const REDIRECT_H = 0; // struct rf_header
export const REDIRECT_FAMILY = 56;
export const REDIRECT_TYPE = 58;
export const REDIRECT_PROTOCOL = 60;
export const REDIRECT_PORT = 62;
export const REDIRECT_ADDRESS = 64;
export const REDIRECT_ADDRESS_LENGTH = 16;
export const REDIRECT_LOCAL_ADDRESS = 80;
export const REDIRECT_LOCAL_ADDRESS_LENGTH = 16;
export const REDIRECT_LOCAL_PORT = 96;
export const REDIRECT_INCOMING = 98;
export const REDIRECT_SOURCE_CALLER = 99;
export const REDIRECT_SOURCE_DESCRIPTOR = 100;
export const REDIRECT_TARGET_DESCRIPTOR = 104;
export const REDIRECT_CALL = 108;
export const REDIRECT_RESULT = 112;
export const REDIRECT_COUNT = 116;
export const redirectFamily = (view: DataView, at: number): number => view.getUint16(at + 56, true);
export const redirectType = (view: DataView, at: number): number => view.getUint16(at + 58, true);
export const redirectProtocol = (view: DataView, at: number): number => view.getUint16(at + 60, true);
export const redirectPort = (view: DataView, at: number): number => view.getUint16(at + 62, true);
export const redirectLocalPort = (view: DataView, at: number): number => view.getUint16(at + 96, true);
export const redirectIncoming = (view: DataView, at: number): number => view.getUint8(at + 98);
export const redirectSourceCaller = (view: DataView, at: number): number => view.getUint8(at + 99);
export const redirectSourceDescriptor = (view: DataView, at: number): number => view.getUint32(at + 100, true);
export const redirectTargetDescriptor = (view: DataView, at: number): number => view.getUint32(at + 104, true);
export const redirectCall = (view: DataView, at: number): number => view.getUint32(at + 108, true);
export const redirectResult = (view: DataView, at: number): number => view.getInt32(at + 112, true);
export const redirectCount = (view: DataView, at: number): number => view.getUint32(at + 116, true);

/** struct rf_shell_line: bytes, and where each field begins */
export const SIZEOF_SHELL_LINE = 80;
export const SHELL_LINE_H = 0; // struct rf_header
export const SHELL_LINE_TTY = 56;
export const SHELL_LINE_SOURCE_CALLER = 60;
export const SHELL_LINE_LINE = 64; // struct rf_text
export const shellLineTty = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const shellLineSourceCaller = (view: DataView, at: number): number => view.getUint32(at + 60, true);

/** struct rf_signal: bytes, and where each field begins */
export const SIZEOF_SIGNAL = 88;
export const SIGNAL_H = 0; // struct rf_header
export const SIGNAL_TARGET_START = 56;
export const SIGNAL_TARGET_TGID = 64;
export const SIGNAL_TARGET_UID = 68;
export const SIGNAL_SIGNAL = 72;
export const SIGNAL_CODE = 76;
export const SIGNAL_RESULT = 80;
export const SIGNAL_COUNT = 84;
export const signalTargetStartLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const signalTargetStartHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const signalTargetTgid = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const signalTargetUid = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const signalSignal = (view: DataView, at: number): number => view.getUint32(at + 72, true);
export const signalCode = (view: DataView, at: number): number => view.getInt32(at + 76, true);
export const signalResult = (view: DataView, at: number): number => view.getInt32(at + 80, true);
export const signalCount = (view: DataView, at: number): number => view.getUint32(at + 84, true);

/** struct rf_socket: bytes, and where each field begins */
export const SIZEOF_SOCKET = 120;
export const SOCKET_H = 0; // struct rf_header
export const SOCKET_FAMILY = 56;
export const SOCKET_TYPE = 58;
export const SOCKET_PROTOCOL = 60;
export const SOCKET_ADDRESS = 64;
export const SOCKET_ADDRESS_LENGTH = 16;
export const SOCKET_PORT = 80;
export const SOCKET_CONTEXT_ID = 84;
export const SOCKET_OPERATION = 88;
export const SOCKET_RESULT = 92;
export const SOCKET_BACKLOG = 96;
export const SOCKET_SOURCE_CALLER = 100;
export const SOCKET_PATH = 104; // struct rf_text
export const socketFamily = (view: DataView, at: number): number => view.getUint16(at + 56, true);
export const socketType = (view: DataView, at: number): number => view.getUint16(at + 58, true);
export const socketProtocol = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const socketPort = (view: DataView, at: number): number => view.getUint32(at + 80, true);
export const socketContextId = (view: DataView, at: number): number => view.getUint32(at + 84, true);
export const socketOperation = (view: DataView, at: number): number => view.getUint32(at + 88, true);
export const socketResult = (view: DataView, at: number): number => view.getInt32(at + 92, true);
export const socketBacklog = (view: DataView, at: number): number => view.getUint32(at + 96, true);
export const socketSourceCaller = (view: DataView, at: number): number => view.getUint32(at + 100, true);

/** struct rf_sysctl: bytes, and where each field begins */
export const SIZEOF_SYSCTL = 96;
export const SYSCTL_H = 0; // struct rf_header
export const SYSCTL_NAME = 56; // struct rf_text
export const SYSCTL_BEFORE = 68; // struct rf_text
export const SYSCTL_AFTER = 80; // struct rf_text

/** struct rf_system_change: bytes, and where each field begins */
export const SIZEOF_SYSTEM_CHANGE = 120;
export const SYSTEM_CHANGE_H = 0; // struct rf_header
export const SYSTEM_CHANGE_FIRST = 56;
export const SYSTEM_CHANGE_SECOND = 64;
export const SYSTEM_CHANGE_THIRD = 72;
export const SYSTEM_CHANGE_OPERATION = 80;
export const SYSTEM_CHANGE_RESULT = 84;
export const SYSTEM_CHANGE_SOURCE_CALLER = 88;
export const SYSTEM_CHANGE_TEXT = 92; // struct rf_text
export const SYSTEM_CHANGE_DETAIL = 104; // struct rf_text
export const systemChangeFirstLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const systemChangeFirstHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const systemChangeSecondLo = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const systemChangeSecondHi = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const systemChangeThirdLo = (view: DataView, at: number): number => view.getUint32(at + 72, true);
export const systemChangeThirdHi = (view: DataView, at: number): number => view.getUint32(at + 76, true);
export const systemChangeOperation = (view: DataView, at: number): number => view.getUint32(at + 80, true);
export const systemChangeResult = (view: DataView, at: number): number => view.getInt32(at + 84, true);
export const systemChangeSourceCaller = (view: DataView, at: number): number => view.getUint32(at + 88, true);

/** struct rf_tampering: bytes, and where each field begins */
export const SIZEOF_TAMPERING = 128;
export const TAMPERING_H = 0; // struct rf_header
export const TAMPERING_VICTIM_START = 56;
export const TAMPERING_VICTIM_TGID = 64;
export const TAMPERING_OPERATION = 68;
export const TAMPERING_DETAIL = 72;
export const TAMPERING_REQUEST = 76;
export const TAMPERING_RESULT = 80;
export const TAMPERING_UID = 84;
export const TAMPERING_COUNT = 88;
export const TAMPERING_PROGRAM = 92; // struct rf_text
export const TAMPERING_COMMAND = 104; // struct rf_text
export const TAMPERING_EXECUTABLE = 116; // struct rf_text
export const tamperingVictimStartLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const tamperingVictimStartHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const tamperingVictimTgid = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const tamperingOperation = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const tamperingDetail = (view: DataView, at: number): number => view.getUint32(at + 72, true);
export const tamperingRequest = (view: DataView, at: number): number => view.getUint32(at + 76, true);
export const tamperingResult = (view: DataView, at: number): number => view.getInt32(at + 80, true);
export const tamperingUid = (view: DataView, at: number): number => view.getUint32(at + 84, true);
export const tamperingCount = (view: DataView, at: number): number => view.getUint32(at + 88, true);

/** struct rf_tampering_entry: bytes, and where each field begins */
export const SIZEOF_TAMPERING_ENTRY = 240;
export const TAMPERING_ENTRY_RECORD = 0; // struct rf_tampering
export const TAMPERING_ENTRY_PROGRAM = 128;
export const TAMPERING_ENTRY_PROGRAM_LENGTH = 32;
export const TAMPERING_ENTRY_COMMAND = 160;
export const TAMPERING_ENTRY_COMMAND_LENGTH = 16;
export const TAMPERING_ENTRY_EXECUTABLE = 176;
export const TAMPERING_ENTRY_EXECUTABLE_LENGTH = 64;

/** struct rf_text: bytes, and where each field begins */
export const SIZEOF_TEXT = 12;
export const TEXT_OFFSET = 0;
export const TEXT_KEPT = 4;
export const TEXT_LENGTH = 8;
export const textOffset = (view: DataView, at: number): number => view.getUint32(at, true);
export const textKept = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const textLength = (view: DataView, at: number): number => view.getUint32(at + 8, true);

/** struct rf_throttled_key: bytes, and where each field begins */
export const SIZEOF_THROTTLED_KEY = 16;
export const THROTTLED_KEY_CGROUP = 0;
export const THROTTLED_KEY_LANE = 8;
export const THROTTLED_KEY_KIND = 12;
export const THROTTLED_KEY_CAUSE = 14;
export const throttledKeyCgroupLo = (view: DataView, at: number): number => view.getUint32(at, true);
export const throttledKeyCgroupHi = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const throttledKeyLane = (view: DataView, at: number): number => view.getUint32(at + 8, true);
export const throttledKeyKind = (view: DataView, at: number): number => view.getUint16(at + 12, true);
export const throttledKeyCause = (view: DataView, at: number): number => view.getUint16(at + 14, true);

/** struct rf_tls_data: bytes, and where each field begins */
export const SIZEOF_TLS_DATA = 72;
export const TLS_DATA_H = 0; // struct rf_header
export const TLS_DATA_EGRESS = 56;
export const TLS_DATA_PAYLOAD = 60; // struct rf_text
export const tlsDataEgress = (view: DataView, at: number): number => view.getUint32(at + 56, true);

/** struct rf_variable_key: bytes, and where each field begins */
export const SIZEOF_VARIABLE_KEY = 68;
export const VARIABLE_KEY_PREFIXLEN = 0;
export const VARIABLE_KEY_NAME = 4;
export const VARIABLE_KEY_NAME_LENGTH = 64;
export const variableKeyPrefixlen = (view: DataView, at: number): number => view.getUint32(at, true);

/** struct rf_victim: bytes, and where each field begins */
export const SIZEOF_VICTIM = 24;
export const VICTIM_START = 0;
export const VICTIM_TGID = 8;
export const VICTIM_PARENT_TGID = 12;
export const VICTIM_FRESH = 16;
export const VICTIM_STOPPED = 20;
export const victimStartLo = (view: DataView, at: number): number => view.getUint32(at, true);
export const victimStartHi = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const victimTgid = (view: DataView, at: number): number => view.getUint32(at + 8, true);
export const victimParentTgid = (view: DataView, at: number): number => view.getUint32(at + 12, true);
export const victimFresh = (view: DataView, at: number): number => view.getUint32(at + 16, true);
export const victimStopped = (view: DataView, at: number): number => view.getUint32(at + 20, true);

/** struct rf_watched_key: bytes, and where each field begins */
export const SIZEOF_WATCHED_KEY = 260;
export const WATCHED_KEY_PREFIXLEN = 0;
export const WATCHED_KEY_PATH = 4;
export const WATCHED_KEY_PATH_LENGTH = 256;
export const watchedKeyPrefixlen = (view: DataView, at: number): number => view.getUint32(at, true);
