/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Layouts that the sensor and TypeScript share: records, counters and
 * control. tools/generate-records.ts makes the TypeScript readers from its BTF.
 *
 * A record in a ring:
 *
 *   0        8        16       24     28     32       40       48     52  54  56
 *   +--------+--------+--------+------+------+--------+--------+------+---+---+---------------+-------------+
 *   | ktime  |sequence| start  | tgid | tid  | cgroup | exec_id| size |knd|c|g| fixed part    | tail (text) |
 *   +--------+--------+--------+------+------+--------+--------+------+---+---+---------------+-------------+
 *
 * `size` counts the whole record. Text lives in the tail: each struct rf_text gives
 * its offset from the record's first byte, the bytes kept and the true length.
 * Padding is explicit, all integers are little-endian, nothing is a pointer. */
#ifndef RINGFENCE_H
#define RINGFENCE_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* Limits of records and maps: bytes, unless the comment names another unit. */
enum rf_limit {
	RF_ARGV_MAX = 32768,        /* kept of argv; a longer one keeps its head and tail */
	RF_PATH_MAX = 4096,         /* kept of a path; a longer one keeps its head and tail */
	RF_ENVIRONMENT_MAX = 8192,  /* kept of the selected environment variables: the head */
	RF_RECORD_MAX = RF_ARGV_MAX + 4 * RF_PATH_MAX + RF_ENVIRONMENT_MAX + 1024,
	RF_UNIX_PATH_MAX = 108,
	/* argv of a process found at start: an iterator returns at most 32 KiB at once */
	RF_SNAPSHOT_ARGV_MAX = 16384,
	RF_WATCHED_MAX = 256,       /* of a path that a watched prefix can cover */
	RF_TLS_DATA_MAX = 1024,     /* kept of one call of libssl */
	RF_NAME_MAX = 32,           /* of a file name that are compared: its last */
	RF_VARIABLE_MAX = 64,       /* of an environment variable's name and its `=` that are compared: the first */
	RF_DNS_MAX = 512,           /* kept of a DNS packet's payload: its first */
	RF_ATTEMPT_ARGV_MAX = 4096, /* kept of the arguments of a failed exec: the head */
	RF_SLIM_ARGV_MAX = 1024,    /* kept of argv over the cgroup's share: head and tail */
	RF_SLIM_TEXT_MAX = 512,     /* kept of other texts over the cgroup's share: head and tail */
	RF_GROUPS_MAX = 32,         /* supplementary groups kept: the lowest */
	RF_TLS_MAX = 2048,          /* kept of a TLS hello: one with post-quantum keys has about 1,800 */
	RF_PROBE_NAME_MAX = 64,          /* of a user-defined probe's name */
	RF_PROBE_ARGUMENT_NAME_MAX = 24, /* of an argument's name */
	RF_PROBE_ARGUMENTS_MAX = 8,      /* arguments of a user-defined probe */
	RF_PROBE_BYTES_MAX = 1024,       /* kept of an argument: its first */
	/* entries of each of rf_watched, rf_names, rf_executables, rf_changed, rf_changed_names and rf_variables */
	RF_WATCHED_ENTRIES = 4096,
	RF_FILES_MAX = 1024, /* entries of rf_files and rf_file_paths */
	RF_PROBES_MAX = 64, /* user-defined probes */
	/* places of user-defined probes: a USDT probe has one wherever it was compiled in */
	RF_PROBE_PLACES_MAX = 512,
};

/* Values of the kernel's ABI that records contain and that its BTF lacks. They are the
 * same on x86-64 and arm64: include/linux/socket.h, include/uapi/asm-generic/errno*.h,
 * include/uapi/asm-generic/fcntl.h, include/uapi/linux/stat.h of Linux 6.18. */
enum rf_address_family {
	AF_UNIX = 1,
	AF_INET = 2,
	AF_AX25 = 3,
	AF_IPX = 4,
	AF_APPLETALK = 5,
	AF_X25 = 9,
	AF_INET6 = 10,
	AF_KEY = 15,
	AF_NETLINK = 16,
	AF_PACKET = 17,
	AF_RDS = 21,
	AF_PPPOX = 24,
	AF_LLC = 26,
	AF_CAN = 29,
	AF_TIPC = 30,
	AF_BLUETOOTH = 31,
	AF_RXRPC = 33,
	AF_IEEE802154 = 36,
	AF_ALG = 38,
	AF_NFC = 39,
	AF_VSOCK = 40,
	AF_SMC = 43,
	AF_XDP = 44,
};

enum rf_errno {
	EPERM = 1,
	ENOENT = 2,
	ESRCH = 3,
	EINTR = 4,
	EAGAIN = 11,
	EACCES = 13,
	EFAULT = 14,
	ENOTDIR = 20,
	EINPROGRESS = 115,
};

enum rf_open_flag {
	O_RDONLY = 0,
	O_WRONLY = 1,
	O_RDWR = 2,
	O_ACCMODE = 3,
	O_CREAT = 0100,
	O_EXCL = 0200,
	O_NOCTTY = 0400,
	O_TRUNC = 01000,
	O_APPEND = 02000,
	O_NONBLOCK = 04000,
	O_DSYNC = 010000,
	O_CLOEXEC = 02000000,
	O_SYNC = 04010000,
};

enum rf_at_flag {
	AT_SYMLINK_NOFOLLOW = 0x100,
	AT_REMOVEDIR = 0x200,
	AT_EMPTY_PATH = 0x1000,
};

enum rf_file_mode {
	S_IFIFO = 0010000,
	S_IFCHR = 0020000,
	S_IFDIR = 0040000,
	S_IFBLK = 0060000,
	S_IFREG = 0100000,
	S_IFLNK = 0120000,
	S_IFSOCK = 0140000,
	S_IFMT = 0170000,
	S_ISGID = 02000,
	S_ISUID = 04000,
};

/* Lanes: each has its own ring, sequence and loss counters.
 * packages/wire/src/ids.ts (LANE) adds those of user space. */
enum rf_lane { RF_LANE_SECURITY = 0, RF_LANE_BULK = 1, RF_LANES = 2 };

enum rf_kind {
	RF_FORK = 1,
	RF_EXEC = 2,
	RF_EXIT = 3,
	RF_CREDENTIALS_CHANGE = 4,
	RF_OPEN = 5,
	RF_CONNECT = 6,
	RF_ACCEPT = 7,
	RF_FILE_CHANGE = 8,
	RF_MOUNT_CHANGE = 9,
	RF_MEMORY = 10,
	RF_SIGNAL = 11,
	RF_FAULT = 12,
	RF_PROCESS_ACCESS = 13,
	RF_ISOLATION = 14,
	RF_CAPABILITY = 15,
	RF_MODULE = 16,
	RF_BPF = 17,
	RF_SYSTEM_CHANGE = 18,
	RF_SYSCTL = 19,
	RF_IO_URING = 20,
	RF_SOCKET = 21,
	RF_DATAGRAM = 22,
	RF_PACKET = 23,
	RF_FLOW = 24,
	RF_AUTHENTICATION = 25,
	RF_SHELL_LINE = 26,
	RF_TLS_DATA = 27,
	RF_TAMPERING = 28,
	RF_PROBE = 29,
	RF_ATTEMPT = 30,
	RF_REDIRECT = 31,
};

/* Why an event was not sent; RF_DROP_READ_FAULT is the exception:
 * its record is sent. Filtering is counted apart from loss. */
enum rf_drop {
	RF_DROP_RING_FULL = 0,   /* loss */
	RF_DROP_READ_FAULT = 1,  /* a field could not be read; the record is sent without it */
	RF_DROP_SELF = 2,        /* file and network activity of the agent's own processes */
	RF_DROP_UNWATCHED = 3,   /* no loaded rule, policy or audit setting can match it */
	RF_DROP_SCRATCH = 4,     /* loss: the per-CPU scratch buffer was in use */
	RF_DROP_MERGED = 5,      /* equal to an event sent shortly before; the next one that is sent counts it */
	/* the socket's owner is unknown: the socket is older than
	 * the sensor, made by io_uring, or evicted from rf_owners */
	RF_DROP_OWNER = 6,
	RF_DROP_THROTTLED = 7,   /* loss: the cgroup exceeded its share while the ring was filling up */
	RF_DROP_FORGOTTEN = 8,   /* loss: a map had no room for state that a later report needs */
	RF_DROP_PROBE_RATE = 9,  /* loss: a user-defined probe exceeded its limit of events per second */
	RF_DROPS = 10,
};

/* Bits of rf_exec.stdio_sockets: the stream is a socket; it is no unix socket, as in a reverse shell. */
enum rf_stdio {
	RF_STDIO_INPUT = 1,
	RF_STDIO_OUTPUT = 2,
	RF_STDIO_ERRORS = 4,
	RF_STDIO_NETWORK_INPUT = 0x100,
	RF_STDIO_NETWORK_OUTPUT = 0x200,
	RF_STDIO_NETWORK_ERRORS = 0x400,
};

/* Bits of rf_exec.flags. */
enum rf_exec_flag {
	RF_EXEC_MEMFD = 1,        /* the executable is in a memfd or another unlinked shmem file */
	RF_EXEC_DELETED = 2,      /* the executable has no link in any directory */
	RF_EXEC_SETUID = 4,       /* the file has the set-user-id bit */
	RF_EXEC_SETGID = 8,
	RF_EXEC_PRIVILEGED = 16,  /* bprm->per_clear or secureexec: the exec raised privileges */
	RF_EXEC_SCRIPT = 32,      /* started through an interpreter line or a registered binary format */
	RF_EXEC_UPPER = 64,       /* the executable is in the upper layer of an overlay, so it is not the image's */
	/* the file's capabilities raised the process's; not set together with set-id bits that took effect */
	RF_EXEC_FILE_CAPS = 128,
	/* the cgroup was over its share of a ring that was filling up: argv is cut to RF_SLIM_ARGV_MAX
	 * bytes, filename and cwd to RF_SLIM_TEXT_MAX, and environment is empty */
	RF_EXEC_SLIM = 256,
	RF_EXEC_32BIT = 512, /* the address space of the image has 32 bits: i386, x32, or 32-bit Arm */
};

struct rf_text {
	__u32 offset;
	__u32 kept;
	/* true length in bytes; greater than kept when the text was cut to its head and tail, half each */
	__u32 length;
};

struct rf_header {
	__u64 ktime;    /* ns, CLOCK_BOOTTIME */
	__u64 sequence; /* per lane and CPU, from 1, taken after filtering */
	__u64 start;    /* ns, CLOCK_BOOTTIME: start of the thread group leader */
	__u32 tgid;     /* in the initial pid namespace */
	__u32 tid;
	__u64 cgroup;   /* cgroup v2 id (kernfs inode) */
	__u64 exec_id;  /* task->self_exec_id: counts the execs of this task; a fork inherits it */
	__u32 size;
	__u16 kind;
	__u8 cpu;
	__u8 generation; /* rf_control.generation of the interest in force */
};

struct rf_credentials {
	__u32 uid, gid, euid, egid, suid, sgid, fsuid, fsgid;
	__u64 cap_effective, cap_permitted, cap_inheritable;
};

struct rf_namespaces {
	__u32 mnt, pid, net, user, uts, ipc, cgroup; /* nsfs inode numbers */
	__u32 pid_in_ns;                             /* tgid in the task's own pid namespace */
};

struct rf_fork {
	struct rf_header h; /* the child */
	__u64 parent_start; /* of the process that called fork; with CLONE_PARENT this is not what getppid() returns */
	__u32 parent_tgid;
	__u32 count;        /* forks in this record: this one and equal ones merged since the last */
	struct rf_namespaces namespaces;
	/* CLONE_* without the exit signal; for clone3 read from the caller's memory; 0: fork, or a kernel thread */
	__u64 flags;
};

struct rf_exec {
	struct rf_header h;
	__u64 parent_start;
	__u64 inode;
	__u64 ctime; /* ns since the epoch: last change of the executable's inode */
	__u64 mtime;
	__u64 script_inode; /* the file that the interpreter runs; 0: none, or unknown in this profile */
	__u64 script_ctime;
	__u64 real_inode; /* of an overlay's file: the file in the layer that it shows; 0: it is in no overlay */
	struct rf_credentials credentials;
	struct rf_namespaces namespaces;
	__u32 parent_tgid;
	__u32 device;      /* kernel dev_t of the executable's filesystem */
	__u32 flags;       /* enum rf_exec_flag */
	__u32 mode;        /* st_mode of the executable */
	__u32 owner;       /* uid of the executable's owner */
	__u32 loginuid;    /* (u32)-1 when unset */
	__u32 session_id;
	__u32 tty;         /* kernel dev_t of the controlling terminal, 0: none */
	__u32 argc;        /* 0 in a snapshot: the kernel no longer knows it */
	__u32 snapshot;    /* 1: read by an iterator, no exec was observed */
	__u32 stdio_sockets; /* enum rf_stdio */
	__u32 script_device;
	/* numbers of the leaders in the task's own pid namespace; 0: the leader is in another one */
	__u32 process_group;
	__u32 process_session; /* of setsid; `session_id` is audit's */
	__u32 real_device;     /* of the file with real_inode */
	__u32 generation;      /* of the file: differs when its file system uses the inode's number again; 0: unknown */
	__u32 pad;
	struct rf_text path;     /* of the opened executable: the kernel's copy */
	struct rf_text filename; /* as passed to execve; in a snapshot only a kernel thread has one: its name */
	struct rf_text cwd;
	struct rf_text argv;     /* NUL-separated without the last NUL, from the new mm */
	/* selected NAME=value pairs, NUL-separated, from the new mm; when cut, the head; none in a snapshot */
	struct rf_text environment;
	struct rf_text interpreter; /* as the interpreter line or the binary format names it; empty: none */
	/* path of the file that the interpreter runs, the kernel's copy; empty where only `filename` names it */
	struct rf_text script;
};

struct rf_exit {
	struct rf_header h;
	__u64 duration;   /* ns since start */
	__s32 code;       /* 0-255 */
	__u32 signal;     /* 0: none */
	__u32 core;       /* 1: a core was dumped */
	__u32 pad;
};

struct rf_credentials_change {
	struct rf_header h;
	struct rf_credentials before;
	struct rf_credentials after;
	/* supplementary groups in the initial user namespace, a
	 * __u32 each, ascending; empty unless setgroups changed them */
	struct rf_text groups_before;
	struct rf_text groups_after;
};

struct rf_open {
	struct rf_header h;
	__u64 inode;
	__u32 device;
	__u32 flags;   /* O_* as the kernel opened it */
	__s32 result;  /* fd, or -errno */
	__u32 mode;    /* st_mode of the opened file; 0 when the open failed */
	struct rf_text path; /* from the opened file; for a failed open the caller's text */
	__u32 source_caller; /* 1: the path is the caller's memory, not the kernel's copy */
	__u32 count;         /* opens in this record: this one and equal ones merged since the last */
	/* for a file in rf_files that was opened by another path: that path. `path` is then the one in rf_file_paths */
	struct rf_text reached;
	/* full profile, 1: not opened by this process but received from another, over a socket or by pidfd_getfd */
	__u32 received;
	__u32 created; /* 1: this open made the file */
	struct rf_text raw_path; /* as the caller passed it; empty unless a rule asks for it (rf_control.raw_paths) */
	__u32 generation; /* as in struct rf_exec */
	__u64 real_inode;
	__u32 real_device;
	__u32 pad;
};

struct rf_connect {
	struct rf_header h;
	__u16 family;    /* enum rf_address_family */
	__u16 type;      /* SOCK_STREAM 1, SOCK_DGRAM 2 */
	__u16 protocol;  /* IPPROTO_TCP 6, IPPROTO_UDP 17, 0 for unix */
	__u16 port;      /* host order */
	__u8 address[16];/* network order; IPv4 in the first four */
	__s32 result;    /* 0, or -errno (-EINPROGRESS for a non-blocking one) */
	/* unix only: the path of the socket's file, or the bound name; an abstract name begins with NUL */
	struct rf_text path;
	__u16 source_caller; /* 1: the address is the caller's memory, not the kernel's copy */
	__u16 local_port;    /* host order; 0: not bound, or unix */
	__u32 count;         /* calls in this record: this one and equal ones merged since the last */
	__u8 local_address[16]; /* as `address`; zero: not bound */
	/* ns; 0: unknown, since the call was refused before the kernel read the address, or began before the sensor */
	__u64 duration;
};

/* A process accepted a connection: the other end of a struct rf_connect. IPv4 and IPv6 only. */
struct rf_accept {
	struct rf_header h;
	__u16 family;
	__u16 type;
	__u16 protocol;
	__u16 port;       /* the peer's, host order */
	__u8 address[16]; /* the peer's, network order; IPv4 in the first four */
	__u8 local_address[16];
	__u16 local_port;
	__u16 pad;
	__s32 result;     /* the new descriptor, or -errno: then the peer is unknown */
};

/* The operation of a file change. Its name in lower case is the event's action. */
enum rf_file_operation {
	RF_FILE_RENAME = 1,
	RF_FILE_LINK = 2,
	RF_FILE_SYMLINK = 3,
	RF_FILE_UNLINK = 4,
	RF_FILE_MKDIR = 5,
	RF_FILE_RMDIR = 6,
	RF_FILE_CHMOD = 7,
	RF_FILE_CHOWN = 8,
	RF_FILE_SETXATTR = 9,
	RF_FILE_REMOVEXATTR = 10,
	RF_FILE_MKNOD = 11,
	RF_FILE_TRUNCATE = 12,
	RF_FILE_SPLICE = 13, /* pages of a read-only file, spliced into a pipe */
};

struct rf_file_change {
	struct rf_header h;
	__u64 inode;         /* of the changed file; 0: unknown */
	__u32 device;
	__u32 operation;     /* enum rf_file_operation */
	__s32 result;        /* 0, or -errno */
	__u32 mode;          /* chmod, mkdir, mknod: the requested mode */
	__u32 uid;           /* chown: (u32)-1 when unchanged */
	__u32 gid;
	__u32 flags;         /* of the system call */
	__u32 source_caller; /* 1: a path is the caller's memory, not the kernel's copy */
	struct rf_text path;
	struct rf_text target; /* rename, link: the new path; symlink: its content; xattr: the attribute's name */
	__u64 length;          /* truncate: the new length; splice: the bytes requested */
	__u32 special;         /* mknod: kernel dev_t of a character or block device */
	__u32 pad;
	struct rf_text raw_path;   /* as in struct rf_open */
	struct rf_text raw_target; /* the same of `target`, if that is a path */
};

enum rf_mount_operation {
	RF_MOUNT_MOUNT = 1,
	RF_MOUNT_UMOUNT = 2,
	RF_MOUNT_MOVE_MOUNT = 3,
	RF_MOUNT_PIVOT_ROOT = 4,
	RF_MOUNT_CHROOT = 5,
	RF_MOUNT_OPEN_TREE = 6,
	RF_MOUNT_FSMOUNT = 7,
	RF_MOUNT_MOUNT_SETATTR = 8,
	RF_MOUNT_FSOPEN = 9,
};

struct rf_mount_change {
	struct rf_header h;
	__u32 operation; /* enum rf_mount_operation */
	__s32 result;    /* 0 or a descriptor, or -errno */
	__u32 flags;     /* MS_*, MNT_*, MOVE_MOUNT_* */
	__u32 source_caller;
	struct rf_text source; /* device, or the path that is moved or bound; pivot_root: where the old root is put */
	struct rf_text target; /* mount point; pivot_root, chroot: the new root */
	struct rf_text filesystem;
	struct rf_text options;
	__u32 attributes; /* fsmount, mount_setattr: the MOUNT_ATTR_* that are set */
	__u32 cleared;    /* mount_setattr: the MOUNT_ATTR_* that are cleared */
};

enum rf_memory_operation {
	RF_MEMORY_MEMFD_CREATE = 1,
	RF_MEMORY_MMAP = 2,     /* writable and executable at once */
	RF_MEMORY_MPROTECT = 3, /* made executable while writable, or after a write */
};

struct rf_memory {
	struct rf_header h;
	__u64 address;
	__u64 length;     /* bytes */
	__u64 inode;      /* of the mapped file */
	__u32 device;
	__u32 operation;  /* enum rf_memory_operation */
	__s32 result;     /* 0 or a descriptor, or -errno */
	__u32 protection; /* PROT_* */
	__u32 flags;      /* MAP_*, MFD_* */
	__u32 source_caller;
	struct rf_text path; /* of the mapped or new file; for a failed memfd_create the caller's name for it */
	__u32 count;         /* calls in this record: this one and those merged since the last */
};

/* A signal to a process with other credentials, in another cgroup or in another pid namespace,
 * or one that ends or stops the agent; or a system call that failed to send a signal. For a
 * failed call the target is 0 when no such process exists, or when the call names a whole group. */
struct rf_signal {
	struct rf_header h;  /* the sender */
	__u64 target_start;
	__u32 target_tgid;
	__u32 target_uid;
	__u32 signal;
	__s32 code;          /* si_code */
	/* TRACE_SIGNAL_* of the tracepoint signal_generate: 0 delivered, 1
	 * ignored, 2 already pending, 3 and 4 lost; -errno of a failed call */
	__s32 result;
	__u32 count;         /* signals in this record: this one and equal ones merged since the last */
};

/* A signal that the kernel sends for something the thread did: SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS. */
struct rf_fault {
	struct rf_header h;
	__u64 address;     /* the address accessed, or the instruction's */
	__u64 instruction; /* the instruction pointer */
	__u32 signal;
	__s32 code;        /* si_code */
	/* faults of the executable, in all its processes, since it last had none for a minute; includes this one */
	__u32 count;
	__s32 system_call; /* SIGSYS: the call's number; otherwise -1 */
};

enum rf_access_operation {
	RF_ACCESS_PTRACE = 1,
	RF_ACCESS_PROCESS_VM_READV = 2,
	RF_ACCESS_PROCESS_VM_WRITEV = 3,
	RF_ACCESS_PIDFD_GETFD = 4,
	RF_ACCESS_PROC_MEM = 5,     /* /proc/PID/mem was opened */
	RF_ACCESS_PROC_ENVIRON = 6, /* /proc/PID/environ was opened */
};

/* A process reads or writes another process. */
struct rf_process_access {
	struct rf_header h;
	__u64 target_start;
	__u64 address;       /* in the target */
	__u64 length;        /* bytes */
	__u32 target_tgid;
	__u32 operation;     /* enum rf_access_operation */
	__u32 request;       /* PTRACE_*; for an open, O_*; pidfd_getfd: the target's descriptor */
	__s32 result;        /* bytes or a descriptor, or -errno */
	__u32 count;         /* calls in this record: this one and equal ones merged since the last */
	__u32 pad;
};

enum rf_isolation_operation {
	RF_ISOLATION_SETNS = 1,
	RF_ISOLATION_UNSHARE = 2,
	RF_ISOLATION_PRCTL = 3,
	RF_ISOLATION_SECCOMP = 4,
	RF_ISOLATION_PERSONALITY = 5,
	RF_ISOLATION_COMPAT_CALL = 6, /* a 64-bit process made a 32-bit system call (int 0x80) */
};

/* The hooks that notice a 32-bit system call: rf_isolation.argument of RF_ISOLATION_COMPAT_CALL. */
enum rf_compat_hook {
	RF_COMPAT_FORK = 1,
	RF_COMPAT_EXIT = 2,
	RF_COMPAT_CONNECT = 3,
	RF_COMPAT_SIGNAL = 4,
	RF_COMPAT_OPEN = 5, /* full profile */
	RF_COMPAT_BIND = 6,
};

/* A thread changes its own confinement. */
struct rf_isolation {
	struct rf_header h;
	/* setns, unshare: CLONE_NEW*; prctl: PR_*; seccomp: SECCOMP_SET_MODE_*;
	 * personality: the persona; compat_call: the number of the i386 call, 0: unknown */
	__u64 option;
	/* prctl: the first argument; seccomp: flags; personality: the previous persona; compat_call: enum rf_compat_hook */
	__u64 argument;
	struct rf_namespaces namespaces; /* after the call */
	struct rf_credentials before; /* differs from `after` only for setns and unshare */
	struct rf_credentials after;
	__u32 operation; /* enum rf_isolation_operation */
	__s32 result;
	__u32 count;     /* calls in this record: this one and equal ones merged since the last */
	__u32 pad;
};

/* The kernel checks whether a task has a capability. */
struct rf_capability {
	struct rf_header h;
	__u32 capability;     /* CAP_* */
	__s32 result;         /* 0: granted; otherwise -EPERM */
	__u32 user_namespace; /* nsfs inode of the user namespace checked */
	__u32 count;          /* checks in this record: this one and equal ones merged since the last */
};

enum rf_module_operation {
	RF_OPERATION_MODULE_LOAD = 1,
	RF_OPERATION_MODULE_UNLOAD = 2,
};

/* The source of a module's name. */
enum rf_module_name {
	RF_MODULE_NAME_NONE = 0,
	RF_MODULE_NAME_KERNEL = 1, /* the kernel's own, when it loaded or freed the module */
	RF_MODULE_NAME_FILE = 2,   /* the file's name up to ".ko" */
	RF_MODULE_NAME_CALLER = 3, /* the caller's memory */
};

struct rf_module {
	struct rf_header h;
	__u64 inode;
	__u32 device;
	__u32 operation;   /* enum rf_module_operation */
	__s32 result;
	__u32 flags;       /* MODULE_INIT_*, O_* */
	__u32 from_memory; /* 1: init_module, so no file is known */
	__u32 taints;      /* of the module when it was loaded */
	struct rf_text name;
	struct rf_text path;
	struct rf_text parameters; /* the caller's memory */
	__u32 name_source; /* enum rf_module_name */
};

struct rf_bpf {
	struct rf_header h;
	__u32 command;      /* enum bpf_cmd */
	__u32 program_type; /* enum bpf_prog_type; for a map enum bpf_map_type */
	__u32 attach_type;  /* enum bpf_attach_type */
	__s32 result;       /* descriptor or 0, or -errno */
	__u32 source_caller;
	struct rf_text name; /* of the program, map or tracepoint; OBJ_PIN, OBJ_GET: the path */
	__u32 id;           /* of the program or map; 0: unknown */
	__u32 flags;        /* of the command */
};

enum rf_system_operation {
	RF_SYSTEM_PERF_EVENT_OPEN = 1,
	RF_SYSTEM_KEXEC_LOAD = 2,
	RF_SYSTEM_KEXEC_FILE_LOAD = 3,
	RF_SYSTEM_IO_URING_SETUP = 4,
	RF_SYSTEM_USERFAULTFD = 5,
	RF_SYSTEM_KEYCTL = 6,
	RF_SYSTEM_ADD_KEY = 7,
	RF_SYSTEM_REQUEST_KEY = 8,
	RF_SYSTEM_IOPL = 9,
	RF_SYSTEM_IOPERM = 10,
	RF_SYSTEM_QUOTACTL = 11,
	RF_SYSTEM_SWAPOFF = 12,
	RF_SYSTEM_SWAPON = 13,
	RF_SYSTEM_SETTIMEOFDAY = 14,
	RF_SYSTEM_CLOCK_SETTIME = 15,
	RF_SYSTEM_SYSLOG = 16,
	RF_SYSTEM_REBOOT = 17,
	RF_SYSTEM_SETHOSTNAME = 18,
	RF_SYSTEM_ACCT = 19,
	RF_SYSTEM_ADJTIMEX = 20,
	RF_SYSTEM_CLOCK_ADJTIME = 21,
	RF_SYSTEM_SETDOMAINNAME = 22,
};

/* A rarely used system call that changes, or shows, state shared by the whole machine. */
struct rf_system_change {
	struct rf_header h;
	__u64 first;         /* the arguments that are not texts */
	__u64 second;
	__u64 third;
	__u32 operation;     /* enum rf_system_operation */
	__s32 result;
	__u32 source_caller;
	struct rf_text text;   /* a path, a key's description, a name */
	struct rf_text detail; /* kexec_file_load: the command line; add_key, request_key: the key's type */
	__u32 pad;
};

/* A sysctl is about to be written. The kernel may still refuse the value. */
struct rf_sysctl {
	struct rf_header h;
	struct rf_text name;  /* for example kernel/core_pattern */
	struct rf_text before;
	struct rf_text after; /* as written */
	__u32 pad;
};

/* The members of enum io_uring_op that are reported. */
enum rf_io_operation {
	RF_IO_SENDMSG = 9,
	RF_IO_ACCEPT = 13,
	RF_IO_CONNECT = 16,
	RF_IO_OPENAT = 18,
	RF_IO_SEND = 26,
	RF_IO_OPENAT2 = 28,
	RF_IO_RENAMEAT = 35,
	RF_IO_UNLINKAT = 36,
	RF_IO_MKDIRAT = 37,
	RF_IO_SYMLINKAT = 38,
	RF_IO_LINKAT = 39,
	RF_IO_FSETXATTR = 41,
	RF_IO_SETXATTR = 42,
	RF_IO_SOCKET = 45,
	RF_IO_URING_CMD = 46,
	RF_IO_SEND_ZC = 47,
	RF_IO_SENDMSG_ZC = 48,
	RF_IO_BIND = 56,
	RF_IO_LISTEN = 57,
};

/* An operation that a task submitted to io_uring. */
struct rf_io_uring {
	struct rf_header h;
	__u64 inode;
	__u32 device;
	__u32 opcode;     /* enum rf_io_operation */
	/* open: O_*; mkdir: the mode; listen: the backlog; socket: the
	 * type; uring_cmd: the command; otherwise the operation's flags */
	__u32 flags;
	__s32 result;
	__u32 submission_thread; /* 1: a kernel thread took the request (SQPOLL) */
	__u16 family;     /* of connect and bind */
	__u16 port;       /* host order */
	__u8 address[16]; /* network order */
	/* of the opened file; otherwise the submitted name after its directory's path, links not followed */
	struct rf_text path;
	struct rf_text target; /* rename, link: the new path; symlink: its content; xattr: the attribute's name */
	__u32 source_caller;   /* 1: the address is the caller's memory, not the kernel's copy */
	/* 1: the caller suppressed the completion (IOSQE_CQE_SKIP_SUCCESS), so the result is unknown */
	__u32 result_unknown;
	struct rf_text reached; /* as in struct rf_open */
	__u32 pad;
};

enum rf_socket_operation {
	RF_SOCKET_SOCKET = 1,
	RF_SOCKET_BIND = 2,
	RF_SOCKET_LISTEN = 3,
};

struct rf_socket {
	struct rf_header h;
	__u16 family;      /* AF_*, also PACKET 17, ALG 38, VSOCK 40 */
	__u16 type;        /* SOCK_*, also RAW 3 */
	__u32 protocol;    /* IPPROTO_*; for a packet socket ETH_P_* */
	__u8 address[16];  /* bind, listen: network order */
	__u32 port;        /* bind, listen: host order */
	__u32 context_id;  /* bind, listen: of a vsock */
	__u32 operation;   /* enum rf_socket_operation */
	__s32 result;
	__u32 backlog;     /* listen */
	__u32 source_caller; /* 1: the address is the caller's memory, not the kernel's copy */
	struct rf_text path; /* bind, listen: of a unix socket; alg: type and name, NUL between them */
	__u32 pad;
};

/* Datagrams between two ends: one record for the first datagram, then one for all
 * that follow within an interval. For unix sockets only those that were sent. */
struct rf_datagram {
	struct rf_header h;
	__u64 sent;       /* bytes; unix: of the last datagram */
	__u64 received;   /* bytes */
	__u16 family;     /* AF_INET 2, AF_INET6 10, AF_UNIX 1 */
	__u16 protocol;
	__u16 port;       /* the peer's, host order */
	__u16 local_port; /* host order; 0: not bound */
	__u8 address[16]; /* the peer's, network order */
	__u8 local_address[16];
	__s32 result;     /* -errno of a failed send */
	__u32 count;      /* datagrams */
	struct rf_text path; /* unix: of the peer; an abstract name begins with NUL */
	__u32 incoming;   /* 1: the peer sent the first one */
	/* 1: the peer's address is the caller's memory: a failed send, or a unix socket named in the call */
	__u32 source_caller;
	__u32 pad;
};

enum rf_packet_content { RF_PACKET_DNS = 1, RF_PACKET_TLS = 2 };

/* The beginning of a packet whose content matters: DNS questions
 * and answers, the hello of a TLS client. User space parses it. */
struct rf_packet {
	struct rf_header h;
	__u16 family;
	__u16 protocol;   /* IPPROTO_* */
	__u16 port;       /* the peer's */
	__u16 local_port;
	__u8 address[16]; /* the peer's */
	__u8 local_address[16];
	__u32 content;    /* enum rf_packet_content */
	__u32 egress;     /* 1: outgoing; 0: incoming */
	struct rf_text payload;
	__u32 pad;
};

/* A connection ended. */
struct rf_flow {
	struct rf_header h;
	__u64 duration;   /* ns since it was established */
	__u64 sent;       /* bytes */
	__u64 received;
	__u16 family;
	__u16 protocol;
	__u16 port;       /* the peer's */
	__u16 local_port;
	__u8 address[16]; /* the peer's */
	__u8 local_address[16];
	__u32 incoming;   /* 1: the connection was accepted */
	__s32 error;      /* sk_err: why it ended; 0: no error */
};

/* A user was authenticated, or failed to be: the result of
 * PAM's pam_authenticate. Texts are from the caller's memory. */
struct rf_authentication {
	struct rf_header h;
	__s32 result;        /* PAM_*: 0 success, 7 not authenticated, 10 unknown user */
	__u32 source_caller; /* always 1 */
	struct rf_text service;
	struct rf_text user;
	struct rf_text remote_host;
	struct rf_text tty;
};

/* A line that a user typed into a shell, from the shell's memory. */
struct rf_shell_line {
	struct rf_header h;
	__u32 tty;           /* kernel dev_t of the controlling terminal, 0: none */
	__u32 source_caller; /* always 1 */
	struct rf_text line;
	__u32 pad;
};

/* Data passed to or from libssl, before encryption or after decryption. */
struct rf_tls_data {
	struct rf_header h;
	__u32 egress;           /* 1: sent; 0: received */
	struct rf_text payload; /* the first bytes */
};

enum rf_tampering_operation {
	/* a signal that may end or stop the agent or open its debugger, except a request to end */
	RF_TAMPERING_AGENT_SIGNAL = 1,
	RF_TAMPERING_AGENT_EXIT = 2,    /* the agent ended without a regular shutdown; the agent is the actor */
	RF_TAMPERING_AGENT_ACCESS = 3,  /* ptrace, process_vm_readv and _writev, pidfd_getfd, /proc/PID/mem */
	RF_TAMPERING_LINK_DETACH = 4,   /* a link of the sensor was detached */
	RF_TAMPERING_LINK_UPDATE = 5,   /* a link of the sensor got another program */
	RF_TAMPERING_SENSOR_REMOVED = 6,/* found at a start: the pins are gone; the actor is unknown */
	/* a descriptor of a program or link of the sensor, or one of a map that can't write */
	RF_TAMPERING_OBJECT_OPEN = 7,
	RF_TAMPERING_MAP_OPEN = 8,      /* a descriptor of a map of the sensor that can write */
	RF_TAMPERING_MAP_CHANGE = 9,    /* an element of a map of the sensor was written or deleted, or the map frozen */
	RF_TAMPERING_AGENT_FREEZE = 10, /* the cgroup of the agent was frozen */
	RF_TAMPERING_AGENT_MOVE = 11,   /* the agent was moved to another cgroup */
	/* found at a tick: what the sensor reads is not what the agent last wrote; the actor is unknown */
	RF_TAMPERING_STATE_RESTORED = 12,
	/* prlimit(2) on the agent; or found at a tick: the agent has another limit, and the actor is unknown */
	RF_TAMPERING_AGENT_LIMIT = 13,
};

/* Objects of the sensor, as in the keys of rf_own_objects. */
enum rf_own_object { RF_OBJECT_MAP = 1, RF_OBJECT_PROGRAM = 2, RF_OBJECT_LINK = 3 };

/* Tampering with the agent or its sensor. It is in no ring:
 * it stays in rf_tamperings until an agent has reported it. */
struct rf_tampering {
	struct rf_header h;  /* the actor; `sequence` counts the tamperings since the sensor was loaded */
	__u64 victim_start;  /* the process affected: the agent or its partner */
	__u32 victim_tgid;
	__u32 operation;     /* enum rf_tampering_operation */
	/* signal: its number; exit: its code; access: enum rf_access_operation; link or changed map: its id;
	 * opened object: enum rf_own_object; limit: RLIMIT_* */
	__u32 detail;
	__u32 request;       /* PTRACE_*; exit: the signal that ended the process; changed map: the command of bpf(2) */
	__s32 result;        /* 0, or -errno */
	__u32 uid;           /* of the actor */
	__u32 count;         /* how often the actor repeated it in a row */
	struct rf_text program;    /* the sensor's program on the link, or its object; limit: the name of the limit */
	struct rf_text command;    /* name of the actor's thread */
	struct rf_text executable; /* name of the actor's executable, without its directory */
};

/* Where a user-defined probe is attached. */
enum rf_probe_place {
	RF_PLACE_UPROBE = 1,
	RF_PLACE_URETPROBE = 2,
	RF_PLACE_USDT = 3,
	RF_PLACE_TRACEPOINT = 4,
};

enum rf_probe_type {
	RF_TYPE_UNSIGNED = 1,
	RF_TYPE_SIGNED = 2,
	RF_TYPE_POINTER = 3,
	RF_TYPE_STRING = 4,
	RF_TYPE_BYTES = 5,
	RF_TYPE_IPV4 = 6,
	RF_TYPE_IPV6 = 7,
};

/* An argument in rf_probe.arguments. `kept` bytes follow it, then the next argument. */
struct rf_probe_argument {
	/* unsigned, signed (two's complement) or pointer; for other
	 * types the true number of bytes, greater than `kept` when cut */
	__u64 value;
	__u32 failed; /* 1: reading it failed, so it has no value */
	__u16 kept;
	__u16 type;   /* enum rf_probe_type */
	char name[RF_PROBE_ARGUMENT_NAME_MAX]; /* padded with NUL */
};

/* A user-defined probe fired. */
struct rf_probe {
	struct rf_header h;
	__u32 place;         /* enum rf_probe_place */
	__u32 source_caller; /* 1: arguments are the caller's memory or registers, not the kernel's copy */
	struct rf_text name;
	struct rf_text arguments; /* one struct rf_probe_argument after another */
};

enum rf_attempt_operation {
	RF_ATTEMPT_FORK_FAILED = 1,
	RF_ATTEMPT_EXEC_FAILED = 2,
	RF_ATTEMPT_CREDENTIALS_FAILED = 3,
};

enum rf_attempt_call {
	RF_CALL_FORK = 1,
	RF_CALL_VFORK = 2,
	RF_CALL_CLONE = 3,
	RF_CALL_CLONE3 = 4,
	RF_CALL_EXECVE = 5,
	RF_CALL_EXECVEAT = 6,
	RF_CALL_CAPSET = 7,
	RF_CALL_SETUID = 8, /* one id */
	RF_CALL_SETGID = 9,
	RF_CALL_SETFSUID = 10,
	RF_CALL_SETFSGID = 11,
	RF_CALL_SETREUID = 12, /* two ids: real and effective */
	RF_CALL_SETREGID = 13,
	RF_CALL_SETRESUID = 14, /* three ids: real, effective and saved */
	RF_CALL_SETRESGID = 15,
	RF_CALL_SETGROUPS = 16,
};

/* A fork, an exec or a change of credentials that failed. It has a
 * kind of its own because consumers of the other kinds assume success. */
struct rf_attempt {
	struct rf_header h; /* the caller */
	/* fork: CLONE_* without the exit signal; capset: the effective set; set*id: an id,
	 * (u32)-1 when it stays unchanged or the call has none; setgroups: the number of groups */
	__u64 first;
	__u64 second;       /* capset: the permitted set; set*id: an id */
	__u64 third;        /* capset: the inheritable set; set*id: an id */
	__u32 operation;    /* enum rf_attempt_operation */
	__u32 call;         /* enum rf_attempt_call */
	__s32 result;       /* -errno; setfsuid and setfsgid return none, so -EPERM */
	__u32 source_caller; /* 1: the request is the caller's memory: exec, clone3, capset and setgroups */
	__u32 count;        /* calls in this record: this one and equal ones merged since the last */
	__u32 argv_cut;     /* 1: there were more arguments, or the last one was longer */
	struct rf_text path; /* exec: the caller's text, made absolute */
	struct rf_text argv; /* NUL-separated without the last NUL; the head. `length` counts the bytes read */
	struct rf_text groups; /* setgroups: a __u32 each, in the caller's user namespace */
	__u32 pad;
};

enum rf_redirect_call {
	RF_REDIRECT_DUP = 1,
	RF_REDIRECT_DUP2 = 2,
	RF_REDIRECT_DUP3 = 3,
	RF_REDIRECT_FCNTL = 4, /* F_DUPFD or F_DUPFD_CLOEXEC */
};

/* A standard stream becomes a socket other than a unix socket,
 * as in a reverse shell; or the call failed to make it one. */
struct rf_redirect {
	struct rf_header h;
	__u16 family;             /* AF_INET 2, AF_INET6 10; other families have no addresses here */
	__u16 type;               /* SOCK_* */
	__u16 protocol;           /* IPPROTO_* */
	__u16 port;               /* the peer's, host order; 0: not connected */
	__u8 address[16];         /* the peer's, network order; IPv4 in the first four */
	__u8 local_address[16];
	__u16 local_port;         /* host order; 0: not bound */
	__u8 incoming;            /* 1: the peer opened the connection */
	__u8 source_caller;       /* 1: the task shares its descriptors, so another thread may have swapped the file */
	__u32 source_descriptor;  /* the descriptor that is copied */
	__u32 target_descriptor;  /* 0 to 2 */
	__u32 call;               /* enum rf_redirect_call */
	__s32 result;             /* target_descriptor, or -errno */
	__u32 count;              /* calls in this record: this one and equal ones merged since the last */
};

union rf_record {
	struct rf_header header;
	struct rf_fork fork;
	struct rf_exec exec;
	struct rf_exit exit;
	struct rf_credentials_change credentials;
	struct rf_open open;
	struct rf_connect connect;
	struct rf_accept accept;
	struct rf_file_change file_change;
	struct rf_mount_change mount_change;
	struct rf_memory memory;
	struct rf_signal signal;
	struct rf_fault fault;
	struct rf_process_access process_access;
	struct rf_isolation isolation;
	struct rf_capability capability;
	struct rf_module module;
	struct rf_bpf bpf;
	struct rf_system_change system_change;
	struct rf_sysctl sysctl;
	struct rf_io_uring io_uring;
	struct rf_socket socket;
	struct rf_datagram datagram;
	struct rf_packet packet;
	struct rf_flow flow;
	struct rf_authentication authentication;
	struct rf_shell_line shell_line;
	struct rf_tls_data tls_data;
	struct rf_tampering tampering;
	struct rf_probe probe;
	struct rf_attempt attempt;
	struct rf_redirect redirect;
};

/* An open socket, as the inventory's iterator writes it; it is no
 * ring record. Addresses are in network order, ports in host order. */
struct rf_open_socket {
	__u64 start; /* ns, CLOCK_BOOTTIME: of the process */
	__u64 inode;
	__u32 tgid;
	__u32 fd;
	__u16 family;
	__u16 type;
	__u16 protocol;
	__u16 port;
	__u16 local_port;
	__u8 state;       /* TCP's numbers, for unix sockets too */
	__u8 path_bytes;  /* unix only: bytes of the path; an abstract name begins with NUL */
	__u8 address[16];
	__u8 local_address[16];
	__u8 path[RF_UNIX_PATH_MAX];
};

/* Value of rf_cgroups (LRU, key: cgroup id): the path at which
 * a cgroup was made. It may be evicted before it is looked up. */
#define RF_CGROUP_PATH_MAX 512
struct rf_cgroup_made {
	__u64 ktime;  /* ns, CLOCK_BOOTTIME */
	__u32 length; /* of the path, without the NUL; RF_CGROUP_PATH_MAX when it was cut */
	__u32 pad;
	__u8 path[RF_CGROUP_PATH_MAX];
};

/* An entry of rf_tamperings (array, mapped): the record and its texts. The last RF_TAMPERINGS are kept. */
#define RF_TAMPERINGS 64
struct rf_tampering_entry {
	struct rf_tampering record;
	__u8 program[32];
	__u8 command[16];
	__u8 executable[64];
};

/* Value of rf_own_links (key: id of a link of the sensor): the program on the link. Value of rf_own_objects
 * (key: enum rf_own_object in the upper half, the object's id in the lower): the name of the map or program. */
struct rf_own_link {
	__u8 program[32];
};

/* Written by the agent, read by the sensor (.bss, mapped). */
struct rf_control {
	__u32 agent_tgid;        /* file and network activity of this process is dropped; 0: none */
	__u32 all_opens;         /* 1: send every open; 0: writes, creates, watched paths, names and executables */
	/* the reader sets 1, checks the ring once more and sleeps; the next record clears it and wakes the reader */
	__u32 sleeping[RF_LANES];
	/* bit n: some prefix in rf_watched has a first component whose
	 * first byte is n modulo 64, or has no known first component */
	__u32 watched_heads[2];
	__u32 nothing_named;     /* 1: rf_names is empty */
	/* 1 to 255: rf_interests[generation % 2] is in force; 0: every kind of event is sent */
	__u32 generation;
	__u64 share_interval;    /* ns between two events of a cgroup that has spent its burst */
	__u64 share_burst;       /* ns: the burst, as time at one event per share_interval */
	__u32 share_from[RF_LANES]; /* bytes in the ring from which shares are enforced; 0: never */
	/* ns, CLOCK_BOOTTIME: start of agent_tgid, whose pid may be reused after the agent's death */
	__u64 agent_start;
	__u32 executables_named; /* 0: rf_executables is empty */
	__u32 changed_heads[2];  /* as watched_heads, for rf_changed */
	__u32 changes_named;     /* 0: rf_changed_names is empty */
	/* the unprivileged process beside the agent; its own activity is reported like that of any other; 0: none */
	__u32 partner_tgid;
	__u32 raw_paths;         /* 1: opens and changes also have their paths as the caller passed them */
	__u64 partner_start;
	__u64 byte_share_interval[RF_LANES]; /* ns between two KiB of a cgroup that has spent its burst */
	__u64 byte_share_burst[RF_LANES];    /* ns: the burst, as time at one KiB per byte_share_interval */
	__u32 byte_share_from[RF_LANES];  /* bytes in the ring from which shares of bytes are charged; 0: never */
	__u32 byte_share_until[RF_LANES]; /* bytes in the ring from which records over the share are dropped */
	__u64 agent_cgroup;      /* where a freeze of the agent is noticed */
	__u64 partner_cgroup;
	__u32 all_variables;     /* 1: execs have every environment variable */
	__u32 variables_named;   /* 0: rf_variables is empty */
};

/* rf_file_hashes (.bss, mapped): bit n is set when an entry of rf_files has hash n. The hash is
 * the top bits of the lower half of the inode's number * RF_HASH_FACTOR. */

/* rf_unnamed and rf_unwatched (.bss, mapped) spare most paths a map lookup: bit n is set when no
 * name (rf_unnamed) or no prefix (rf_unwatched) has hash n. The hash is the top bits of (word ^
 * size) * RF_HASH_FACTOR. For a name the word is its first eight bytes (of the RF_NAME_MAX that are
 * kept), little-endian and zero-padded, and the size is its number of bytes. For a prefix the word
 * is the first bytes of its first RF_HASH_COMPONENTS components, and the size is their number. */
enum rf_hash { RF_HASHES = 4096, RF_HASH_SHIFT = 52, RF_HASH_COMPONENTS = 3 };
#define RF_HASH_FACTOR 0x9e3779b97f4a7c15ULL

/* Forms: variants of the frequent kinds that the sensor filters by itself. Each has two bits in
 * the masks of struct rf_interest: 2 * form for processes of the host, 2 * form + 1 for those of
 * containers. Loopback: the peer is 127.0.0.0/8 or ::1; for a flow, datagram or packet either end. */
enum rf_form {
	RF_FORM_CONNECT_TCP = 0,
	RF_FORM_CONNECT_TCP_LOOPBACK = 1,
	RF_FORM_CONNECT_UDP = 2,
	RF_FORM_CONNECT_UDP_LOOPBACK = 3,
	RF_FORM_CONNECT_UNIX = 4,
	RF_FORM_CONNECT_OTHER = 5,
	RF_FORM_ACCEPT_REMOTE = 6,
	RF_FORM_ACCEPT_LOOPBACK = 7,
	RF_FORM_FLOW_REMOTE = 8,
	RF_FORM_FLOW_LOOPBACK = 9,
	RF_FORM_DATAGRAM_REMOTE = 10,
	RF_FORM_DATAGRAM_LOOPBACK = 11,
	RF_FORM_PACKET_DNS = 12,
	RF_FORM_PACKET_TLS = 13,
	RF_FORM_PACKET_TLS_LOOPBACK = 14,
	RF_FORM_SOCKET_SOCKET = 15,
	RF_FORM_SOCKET_BIND = 16,
	RF_FORM_SOCKET_BIND_UNIX = 17,
	RF_FORM_SOCKET_LISTEN = 18,
	RF_FORM_SOCKET_LISTEN_UNIX = 19,
	RF_FORM_ATTEMPT_EXEC_NOT_FOUND = 20, /* ENOENT, ENOTDIR: mostly a search along PATH */
	RF_FORM_ATTEMPT_EXEC = 21,
	RF_FORM_ATTEMPT_FORK = 22,
	RF_FORM_ATTEMPT_CREDENTIALS = 23,
	RF_FORM_DATAGRAM_UNIX = 24,
	RF_FORMS = 25,
};

/* The events that loaded rules, policies and audit settings can match (.bss, mapped, two of
 * them). The agent writes the one that is not in force, then switches rf_control.generation
 * to it, so that a program sees either the whole old or the whole new one. */
#define RF_PORTS 65536
#define RF_PORT_CLASSES 256
struct rf_interest {
	__u64 version;  /* chosen by the writer */
	__u64 kinds[2]; /* bit n: kind n (enum rf_kind) is wanted from processes of the host [0], of containers [1] */
	__u64 some;     /* bits of forms of which some events are wanted */
	__u64 all;      /* bits of forms of which all events are wanted */
	__u64 own;      /* bits of forms that some local port selects */
};

/* The ports of an interest (two of them): in force together with rf_interests of the same index. */
struct rf_interest_ports {
	__u64 peer[RF_PORT_CLASSES];  /* by class of the peer's port: bits of forms wanted for it */
	__u64 local[RF_PORT_CLASSES]; /* by class of the local port */
	__u8 classes[RF_PORTS];       /* class by port; ports that all rules treat alike share a class */
};

/* Value of rf_scopes (LRU, key: cgroup id). A cgroup without an entry may be either. */
enum rf_scope { RF_SCOPE_HOST = 1, RF_SCOPE_CONTAINER = 2 };

/* Key of rf_watched and rf_changed (LPM tries, value u32): every path that begins with these bytes is watched. */
struct rf_watched_key {
	__u32 prefixlen; /* bits */
	__u8 path[RF_WATCHED_MAX];
};

/* Key of rf_variables (LPM trie, value u32): an environment variable that begins with these bytes is sent. */
struct rf_variable_key {
	__u32 prefixlen; /* bits */
	__u8 name[RF_VARIABLE_MAX];
};

/* Key of rf_names, rf_changed_names and rf_executables (hashes, value u32):
 * the last RF_NAME_MAX bytes of a path's last component, padded with NUL. */
struct rf_name_key {
	__u8 name[RF_NAME_MAX];
};

/* Key of rf_files (hash, value: enum rf_file_entry): the identity of a file that rules name by its path. */
struct rf_file_key {
	__u64 inode;
	__u32 device;     /* kernel dev_t of the superblock */
	/* differs when the file system uses the inode's number again; 0 in a second key of a path's present file:
	 * any, if a name leads to the file (FS_IOC_SETVERSION sets another one) */
	__u32 generation;
};

enum rf_file_entry {
	RF_FILE_SLOT = 0xffff,   /* index in rf_file_paths, plus 1 */
	RF_FILE_READS = 0x10000, /* opens that only read are wanted */
};

/* Value of rf_file_paths (array): the path that rules name, padded with NUL. */
struct rf_file_path {
	__u32 length; /* less than RF_WATCHED_MAX */
	__u32 name;   /* where the last component begins */
	__u8 path[RF_WATCHED_MAX];
};

/* Written by the iterator identify_files for each file that its process has open with O_PATH. */
struct rf_file_identity {
	struct rf_file_key key;
	struct rf_file_key beneath; /* of an overlay's file: the file in the upper layer, else in the lowest; 0: none */
	__u32 descriptor;
	__u32 pad;
};

/* Written by the iterator adopt_cookies for each socket that has no cookie. */
struct rf_open_descriptor {
	__u32 tgid;
	__u32 descriptor;
};

/* Dooms in force at once */
#define RF_DOOMS 8

/* Value of rf_dooms (array): processes that are to be killed or stopped. See doom.bpf.h. */
struct rf_doom {
	__u64 number;        /* never used before; modulo RF_DOOMS its place in rf_dooms after the first; 0: none */
	__u64 root;          /* lineage__key of the process whose descendants it has; 0: none */
	__u64 cgroup;        /* id of the cgroup whose processes it has, with those below it; 0: none */
	__u32 session;       /* id of the session in the first pid namespace; 0: none */
	__u32 login_session; /* of the audit system; 0: none */
	__u32 signal;        /* 0: the processes are only marked */
	__u32 pad;
};

/* Written by the iterator doomed for each process of a doom. */
struct rf_victim {
	__u64 start;
	__u32 tgid;
	__u32 parent_tgid;
	__u32 fresh;   /* 1: this pass marked it */
	__u32 stopped; /* 1: by a signal */
};

/* Key of rf_throttled (hash, value u64): events lost since the sensor was loaded, because the cgroup was over
 * its share (RF_DROP_THROTTLED), or because the security ring was full (RF_DROP_RING_FULL). Once the map is
 * full, rf_counters alone counts them. */
struct rf_throttled_key {
	__u64 cgroup;
	__u32 lane;
	__u16 kind;
	__u16 cause; /* enum rf_drop */
};

/* Where a kernel helper can fail. From RF_PLACE_OWNERS on: maps
 * that, when full, evict the oldest entry or refuse a new one. */
enum rf_place {
	RF_PLACE_RING_SECURITY = 0,
	RF_PLACE_RING_BULK = 1,
	RF_PLACE_TEXT_USER = 2,   /* a text in the caller's memory */
	RF_PLACE_TEXT_KERNEL = 3,
	RF_PLACE_PATH_USER = 4,   /* a path in the caller's memory */
	RF_PLACE_ARGUMENT = 5,    /* any other system call argument passed by address */
	RF_PLACE_PACKET = 6,
	RF_PLACE_OPENED = 7,      /* task storage */
	RF_PLACE_OWNERS = 8,
	RF_PLACE_EXCHANGES = 9,
	RF_PLACE_MERGES_SEC = 10,
	RF_PLACE_MERGES_BULK = 11,
	RF_PLACE_IO_REQUESTS = 12,
	RF_PLACE_SHARES = 13,
	RF_PLACE_THROTTLED = 14,
	RF_PLACE_DESTINATIONS = 15,
	RF_PLACE_CREDS_BEFORE = 16,
	RF_PLACE_CGROUPS = 17,
	RF_PLACE_MODULES_SEEN = 18,
	RF_PLACE_FAULTS = 19,
	RF_PLACE_EXECUTED = 20,   /* task storage */
	RF_PLACE_BYTE_SHARES = 21,
	RF_PLACE_SORT_SHARES = 22,
};

#define RF_PLACES_MAX 32
#define RF_ERRNOS_MAX 64 /* the last one stands for all higher ones */

/* Failures by place and errno. For maps also the entries made and removed: what exceeds the map's size was evicted. */
struct rf_failures {
	__u64 failed[RF_PLACES_MAX * RF_ERRNOS_MAX];
	__u64 made[RF_PLACES_MAX];
	__u64 removed[RF_PLACES_MAX];
};

/* Counters of one kind in one lane. Once no event is under way: seen = sent + all drops except RF_DROP_READ_FAULT. */
enum rf_fate {
	RF_FATE_SEEN = 0,
	RF_FATE_SENT = 1,  /* put into the ring */
	RF_FATE_DROPS = 2, /* + enum rf_drop */
	/* seen and dropped at once as RF_DROP_UNWATCHED, counted in neither: it is most of what happens */
	RF_FATE_PASSED = RF_FATE_DROPS + RF_DROPS,
};

/* Dimensions of the counters. Powers of two, so that masking bounds an index for the verifier. */
enum rf_counters_limit { RF_KINDS_MAX = 64, RF_FATES_MAX = 16, RF_CPUS_MAX = 256 };

/* Counters of a CPU (array map). CPUs beyond RF_CPUS_MAX share entries: the index is the CPU's number
 * modulo RF_CPUS_MAX, as in records. A lane's sequence = sent + ring full, summed over all kinds. */
struct rf_counters {
	__u64 sequence[8];                                     /* by lane; one cache line */
	__u64 fates[RF_LANES * RF_KINDS_MAX * RF_FATES_MAX]; /* by lane, kind and fate */
};

#endif
