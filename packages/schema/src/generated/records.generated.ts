// Made by tools/generate-records.ts from bpf/ringfence.h: do not edit.

/** enum rf_drop */
export const Drop = {
  RING_FULL: 0,
  READ_FAULT: 1,
  SELF: 2,
  UNWATCHED: 3,
  SCRATCH: 4,
  DROPS: 5,
} as const;
export type Drop = (typeof Drop)[keyof typeof Drop];

/** enum rf_exec_flag */
export const ExecFlag = {
  EXEC_MEMFD: 1,
  EXEC_DELETED: 2,
  EXEC_SETUID: 4,
  EXEC_SETGID: 8,
  EXEC_PRIVILEGED: 16,
  EXEC_SCRIPT: 32,
  EXEC_UPPER: 64,
} as const;
export type ExecFlag = (typeof ExecFlag)[keyof typeof ExecFlag];

/** enum rf_kind */
export const Kind = {
  FORK: 1,
  EXEC: 2,
  EXIT: 3,
  CREDENTIALS_CHANGE: 4,
  OPEN: 5,
  CONNECT: 6,
  ACCEPT: 7,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** enum rf_lane */
export const Lane = {
  SECURITY: 0,
  BULK: 1,
  LANES: 2,
} as const;
export type Lane = (typeof Lane)[keyof typeof Lane];

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

/** struct rf_connect: bytes, and where each field begins */
export const SIZEOF_CONNECT = 120;
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
export const CONNECT_LOCAL_PORT = 100;
export const CONNECT_LOCAL_ADDRESS = 104;
export const CONNECT_LOCAL_ADDRESS_LENGTH = 16;
export const connectFamily = (view: DataView, at: number): number => view.getUint16(at + 56, true);
export const connectType = (view: DataView, at: number): number => view.getUint16(at + 58, true);
export const connectProtocol = (view: DataView, at: number): number => view.getUint16(at + 60, true);
export const connectPort = (view: DataView, at: number): number => view.getUint16(at + 62, true);
export const connectResult = (view: DataView, at: number): number => view.getInt32(at + 80, true);
export const connectSourceCaller = (view: DataView, at: number): number => view.getUint32(at + 96, true);
export const connectLocalPort = (view: DataView, at: number): number => view.getUint16(at + 100, true);

/** struct rf_control: bytes, and where each field begins */
export const SIZEOF_CONTROL = 40;
export const CONTROL_AGENT_TGID = 0;
export const CONTROL_ALL_OPENS = 4;
export const CONTROL_SLEEPING = 8;
export const CONTROL_SLEEPING_LENGTH = 2;
export const CONTROL_WATCHED_HEADS = 16;
export const CONTROL_WATCHED_HEADS_LENGTH = 2;
export const CONTROL_NOTHING_NAMED = 24;
export const CONTROL_AGENT_START = 32;
export const controlAgentTgid = (view: DataView, at: number): number => view.getUint32(at, true);
export const controlAllOpens = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const controlNothingNamed = (view: DataView, at: number): number => view.getUint32(at + 24, true);
export const controlAgentStartLo = (view: DataView, at: number): number => view.getUint32(at + 32, true);
export const controlAgentStartHi = (view: DataView, at: number): number => view.getUint32(at + 36, true);

/** struct rf_counters: bytes, and where each field begins */
export const SIZEOF_COUNTERS = 64;
export const COUNTERS_SEQUENCE = 0;
export const COUNTERS_DROPS = 8;
export const COUNTERS_DROPS_LENGTH = 5;
export const countersSequenceLo = (view: DataView, at: number): number => view.getUint32(at, true);
export const countersSequenceHi = (view: DataView, at: number): number => view.getUint32(at + 4, true);

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
export const SIZEOF_CREDENTIALS_CHANGE = 168;
export const CREDENTIALS_CHANGE_H = 0; // struct rf_header
export const CREDENTIALS_CHANGE_BEFORE = 56; // struct rf_credentials
export const CREDENTIALS_CHANGE_AFTER = 112; // struct rf_credentials

/** struct rf_exec: bytes, and where each field begins */
export const SIZEOF_EXEC = 272;
export const EXEC_H = 0; // struct rf_header
export const EXEC_PARENT_START = 56;
export const EXEC_INODE = 64;
export const EXEC_CTIME = 72;
export const EXEC_MTIME = 80;
export const EXEC_CREDENTIALS = 88; // struct rf_credentials
export const EXEC_NAMESPACES = 144; // struct rf_namespaces
export const EXEC_PARENT_TGID = 176;
export const EXEC_DEVICE = 180;
export const EXEC_FLAGS = 184;
export const EXEC_MODE = 188;
export const EXEC_OWNER = 192;
export const EXEC_LOGINUID = 196;
export const EXEC_SESSION_ID = 200;
export const EXEC_TTY = 204;
export const EXEC_ARGC = 208;
export const EXEC_SNAPSHOT = 212;
export const EXEC_STDIO_SOCKETS = 216;
export const EXEC_PATH = 224; // struct rf_text
export const EXEC_FILENAME = 236; // struct rf_text
export const EXEC_CWD = 248; // struct rf_text
export const EXEC_ARGV = 260; // struct rf_text
export const execParentStartLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const execParentStartHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const execInodeLo = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const execInodeHi = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const execCtimeLo = (view: DataView, at: number): number => view.getUint32(at + 72, true);
export const execCtimeHi = (view: DataView, at: number): number => view.getUint32(at + 76, true);
export const execMtimeLo = (view: DataView, at: number): number => view.getUint32(at + 80, true);
export const execMtimeHi = (view: DataView, at: number): number => view.getUint32(at + 84, true);
export const execParentTgid = (view: DataView, at: number): number => view.getUint32(at + 176, true);
export const execDevice = (view: DataView, at: number): number => view.getUint32(at + 180, true);
export const execFlags = (view: DataView, at: number): number => view.getUint32(at + 184, true);
export const execMode = (view: DataView, at: number): number => view.getUint32(at + 188, true);
export const execOwner = (view: DataView, at: number): number => view.getUint32(at + 192, true);
export const execLoginuid = (view: DataView, at: number): number => view.getUint32(at + 196, true);
export const execSessionId = (view: DataView, at: number): number => view.getUint32(at + 200, true);
export const execTty = (view: DataView, at: number): number => view.getUint32(at + 204, true);
export const execArgc = (view: DataView, at: number): number => view.getUint32(at + 208, true);
export const execSnapshot = (view: DataView, at: number): number => view.getUint32(at + 212, true);
export const execStdioSockets = (view: DataView, at: number): number => view.getUint32(at + 216, true);

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

/** struct rf_fork: bytes, and where each field begins */
export const SIZEOF_FORK = 104;
export const FORK_H = 0; // struct rf_header
export const FORK_PARENT_START = 56;
export const FORK_PARENT_TGID = 64;
export const FORK_NAMESPACES = 72; // struct rf_namespaces
export const forkParentStartLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const forkParentStartHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const forkParentTgid = (view: DataView, at: number): number => view.getUint32(at + 64, true);

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
export const headerCpu = (view: DataView, at: number): number => view.getUint16(at + 54, true);

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
export const SIZEOF_OPEN = 96;
export const OPEN_H = 0; // struct rf_header
export const OPEN_INODE = 56;
export const OPEN_DEVICE = 64;
export const OPEN_FLAGS = 68;
export const OPEN_RESULT = 72;
export const OPEN_MODE = 76;
export const OPEN_PATH = 80; // struct rf_text
export const OPEN_SOURCE_CALLER = 92;
export const openInodeLo = (view: DataView, at: number): number => view.getUint32(at + 56, true);
export const openInodeHi = (view: DataView, at: number): number => view.getUint32(at + 60, true);
export const openDevice = (view: DataView, at: number): number => view.getUint32(at + 64, true);
export const openFlags = (view: DataView, at: number): number => view.getUint32(at + 68, true);
export const openResult = (view: DataView, at: number): number => view.getInt32(at + 72, true);
export const openMode = (view: DataView, at: number): number => view.getUint32(at + 76, true);
export const openSourceCaller = (view: DataView, at: number): number => view.getUint32(at + 92, true);

/** struct rf_text: bytes, and where each field begins */
export const SIZEOF_TEXT = 12;
export const TEXT_OFFSET = 0;
export const TEXT_KEPT = 4;
export const TEXT_LENGTH = 8;
export const textOffset = (view: DataView, at: number): number => view.getUint32(at, true);
export const textKept = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const textLength = (view: DataView, at: number): number => view.getUint32(at + 8, true);

/** struct rf_watched_key: bytes, and where each field begins */
export const SIZEOF_WATCHED_KEY = 260;
export const WATCHED_KEY_PREFIXLEN = 0;
export const WATCHED_KEY_PATH = 4;
export const WATCHED_KEY_PATH_LENGTH = 256;
export const watchedKeyPrefixlen = (view: DataView, at: number): number => view.getUint32(at, true);
