/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The one header shared by the sensor and TypeScript: packages/schema/src/generated/records.generated.ts is made from its BTF.
 *
 * A record in a ring:
 *
 *   0        8        16       24     28     32       40       48     52  54  56
 *   +--------+--------+--------+------+------+--------+--------+------+---+---+---------------+-------------+
 *   | ktime  |sequence| start  | tgid | tid  | cgroup | exec_id| size |knd|c|g| fixed part    | tail (text) |
 *   +--------+--------+--------+------+------+--------+--------+------+---+---+---------------+-------------+
 *
 * `size` counts the whole record. Text lives in the tail: each struct rf_text gives where it starts (from the record's first byte), how many
 * bytes were kept, and how many there were. Padding is explicit, all integers are little-endian, nothing is a pointer.
 */
#ifndef RINGFENCE_H
#define RINGFENCE_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define RF_ARGV_MAX 32768      /* bytes of argv kept whole; beyond: head and tail */
#define RF_PATH_MAX 4096       /* bytes of a path kept whole; beyond: head and tail */
#define RF_ENVIRONMENT_MAX 2048 /* bytes of chosen environment variables that are kept; beyond: their head */
#define RF_RECORD_MAX (RF_ARGV_MAX + 4 * RF_PATH_MAX + RF_ENVIRONMENT_MAX + 1024)
#define RF_UNIX_PATH_MAX 108
#define RF_SNAPSHOT_ARGV_MAX 16384 /* of a process found at start: an iterator hands over at most 32 KiB at once */
#define RF_WATCHED_MAX 256         /* bytes of a path that a watched prefix can tell apart */
#define RF_TLS_DATA_MAX 1024       /* bytes of one call of libssl */
#define RF_NAME_MAX 32             /* bytes of a file name that are told apart: its last */
#define RF_DNS_MAX 512             /* bytes of a packet's payload that are kept: its first */
#define RF_ATTEMPT_ARGV_MAX 4096   /* bytes of the arguments of an exec that failed that are kept: their head */
#define RF_GROUPS_MAX 32           /* supplementary groups that are kept: the lowest */
#define RF_TLS_MAX 2048            /* a hello with keys that quantum computers don't break has some 1,800 */

/* Lanes: each has its own ring, sequence and loss counters. User-space lanes follow in packages/schema/src/lanes.ts. */
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

/* Where an event went that was not sent, and RF_DROP_READ_FAULT, which is sent. Suppression by filter is counted apart from loss. */
enum rf_drop {
	RF_DROP_RING_FULL = 0,   /* loss */
	RF_DROP_READ_FAULT = 1,  /* a field could not be read; the record is sent without it */
	RF_DROP_SELF = 2,        /* file and network noise of the agent's own processes */
	RF_DROP_UNWATCHED = 3,   /* no loaded rule, policy or audit setting can match it */
	RF_DROP_SCRATCH = 4,     /* loss: the per-CPU scratch buffer was in use */
	RF_DROP_MERGED = 5,      /* equal to one sent shortly before: the next one of its kind that is sent counts it */
	RF_DROP_OWNER = 6,       /* whose socket it was is not known: older than the sensor, made by io_uring, or forgotten for others */
	RF_DROP_THROTTLED = 7,   /* loss: its cgroup had more than its share, and the ring was filling up */
	RF_DROP_FORGOTTEN = 8,   /* loss: a map had no room for what was to be told later */
	RF_DROP_PROBE_RATE = 9,  /* loss: a user-defined probe fired more often in a second than it may */
	RF_DROPS = 10,
};

/* First bit of rf_exec.stdio_sockets for sockets that are no unix sockets */
#define RF_STDIO_NETWORK 0x100

/* Bits of rf_exec.flags */
enum rf_exec_flag {
	RF_EXEC_MEMFD = 1,        /* executable lives in a memfd or other unlinked shmem file */
	RF_EXEC_DELETED = 2,      /* executable has no link in any directory */
	RF_EXEC_SETUID = 4,       /* set-user-id bit on the file */
	RF_EXEC_SETGID = 8,
	RF_EXEC_PRIVILEGED = 16,  /* bprm->per_clear or secureexec: the exec raised privileges */
	RF_EXEC_SCRIPT = 32,      /* started through an interpreter line */
	RF_EXEC_UPPER = 64,       /* executable was written into the upper layer of an overlay: it is not the image's */
	RF_EXEC_FILE_CAPS = 128,  /* capabilities of the file raised the process's; not set beside set-id bits that took effect */
};

struct rf_text {
	__u32 offset;
	__u32 kept;
	__u32 length; /* true length in bytes; > kept when cut. A cut text keeps its head and its tail, half each */
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
	__u8 generation; /* of the interest that was in force: rf_control.generation */
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
	__u64 parent_start; /* of the process that called fork: with CLONE_PARENT not the one getppid() tells */
	__u32 parent_tgid;
	__u32 count;        /* forks that this one stands for: itself, and equal ones merged since the last */
	struct rf_namespaces namespaces;
	__u64 flags;        /* CLONE_* without the exit signal; of clone3 as they stand in the caller's memory; 0: fork, or a kernel thread */
};

struct rf_exec {
	struct rf_header h;
	__u64 parent_start;
	__u64 inode;
	__u64 ctime; /* ns since the epoch: last change of the executable's inode */
	__u64 mtime;
	__u64 script_inode; /* of the file that the interpreter is for; 0: none, or the profile doesn't know it */
	__u64 script_ctime;
	struct rf_credentials credentials;
	struct rf_namespaces namespaces;
	__u32 parent_tgid;
	__u32 device;      /* kernel dev_t of the executable's filesystem */
	__u32 flags;       /* enum rf_exec_flag */
	__u32 mode;        /* st_mode of the executable */
	__u32 owner;       /* uid of the owner of the executable */
	__u32 loginuid;    /* (u32)-1 when unset */
	__u32 session_id;
	__u32 tty;         /* kernel dev_t of the controlling terminal, 0: none */
	__u32 argc;        /* 0 in a snapshot: not known to the kernel any more */
	__u32 snapshot;    /* 1: read by an iterator, not seen happening */
	__u32 stdio_sockets; /* bit n: descriptor n (0..2) is a socket; bit n + 8: and no unix socket, which is how a reverse shell looks */
	__u32 script_device;
	__u32 pad;
	struct rf_text path;     /* of the opened executable: the kernel's copy */
	struct rf_text filename; /* as given to execve; in a snapshot only a kernel thread has one: its name */
	struct rf_text cwd;
	struct rf_text argv;     /* NUL-separated without the last NUL, from the new mm */
	struct rf_text environment; /* NAME=value of chosen names, NUL-separated, from the new mm; a cut one keeps its head; none in a snapshot */
	struct rf_text interpreter; /* as the interpreter line names it, or the binary format; empty: none */
	struct rf_text script; /* path of the file that the interpreter is for: the kernel's copy; empty where only `filename` says it */
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
	struct rf_text groups_before; /* supplementary groups, a __u32 each, ascending, where setgroups has changed them: of the initial user namespace */
	struct rf_text groups_after;
};

struct rf_open {
	struct rf_header h;
	__u64 inode;
	__u32 device;
	__u32 flags;   /* O_* as the kernel opened it */
	__s32 result;  /* fd, or -errno */
	__u32 mode;    /* st_mode of what was opened; 0 when the open failed */
	struct rf_text path; /* from the opened file; for a failed open the caller's text */
	__u32 source_caller; /* 1: the path is the caller's memory, not the kernel's copy */
	__u32 count;         /* opens that this one stands for: itself, and equal ones merged since the last */
	__u32 pad;
};

struct rf_connect {
	struct rf_header h;
	__u16 family;    /* AF_INET 2, AF_INET6 10, AF_UNIX 1 */
	__u16 type;      /* SOCK_STREAM 1, SOCK_DGRAM 2 */
	__u16 protocol;  /* IPPROTO_TCP 6, IPPROTO_UDP 17, 0 for unix */
	__u16 port;      /* host order */
	__u8 address[16];/* network order; IPv4 in the first four */
	__s32 result;    /* 0, or -errno (-EINPROGRESS for a non-blocking one) */
	struct rf_text path; /* unix only: of the socket's file, or as bound; an abstract name begins with NUL */
	__u16 source_caller; /* 1: the address is the caller's memory, not the kernel's copy */
	__u16 local_port;    /* host order; 0: not bound, or unix */
	__u32 count;         /* calls that this one stands for: itself, and equal ones merged since the last */
	__u8 local_address[16]; /* as `address`; zero: not bound */
	__u64 duration;      /* ns the call took; 0: not known, since it was refused before the kernel came to the address, or began before the sensor */
};

/* Somebody has connected to us: the other end of a struct rf_connect. IPv4 and IPv6 only. */
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
	__s32 result;     /* the new descriptor, or -errno: then nobody is known to be the peer */
};

/* What a record of one kind tells of: its name in lower case is the event's action. */
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
	RF_FILE_SPLICE = 13, /* pages of a file that may only be read, into a pipe */
};

struct rf_file_change {
	struct rf_header h;
	__u64 inode;         /* of what was changed, 0: not known */
	__u32 device;
	__u32 operation;     /* enum rf_file_operation */
	__s32 result;        /* 0, or -errno */
	__u32 mode;          /* chmod, mkdir, mknod: as asked for */
	__u32 uid;           /* chown: (u32)-1 when it stays */
	__u32 gid;
	__u32 flags;         /* of the system call */
	__u32 source_caller; /* 1: a path is the caller's memory, not the kernel's copy */
	struct rf_text path;
	struct rf_text target; /* rename, link: the new path; symlink: what it points to; xattr: the attribute's name */
	__u64 length;          /* truncate: bytes it has then; splice: bytes asked for */
	__u32 special;         /* mknod: kernel dev_t of a character or block device */
	__u32 pad;
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
	struct rf_text source; /* device, or the path that is moved or bound; pivot_root: where the old root goes */
	struct rf_text target; /* mount point; pivot_root, chroot: the new root */
	struct rf_text filesystem;
	struct rf_text options;
	__u32 attributes; /* MOUNT_ATTR_*: fsmount, mount_setattr: that are set */
	__u32 cleared;    /* mount_setattr: MOUNT_ATTR_* that are taken away */
};

enum rf_memory_operation {
	RF_MEMORY_MEMFD_CREATE = 1,
	RF_MEMORY_MMAP = 2,     /* writable and executable at once */
	RF_MEMORY_MPROTECT = 3, /* made executable: writable too, or written before */
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
	struct rf_text path; /* of the mapped or new file; of a memfd_create that failed, the name that the caller gave */
	__u32 count;         /* calls that this record stands for: this one, and those merged since the last */
};

/* A signal is sent to a process of other credentials, another cgroup or another pid namespace, or one that ends or stops the agent; or a system call
 * that should send one fails. Of a failed one the target is 0 when there is no such process, or when a whole group was meant. */
struct rf_signal {
	struct rf_header h;  /* who sends */
	__u64 target_start;
	__u32 target_tgid;
	__u32 target_uid;
	__u32 signal;
	__s32 code;          /* si_code */
	__s32 result;        /* of the tracepoint signal_generate, TRACE_SIGNAL_*: 0 delivered, 1 ignored, 2 pending already, 3 and 4 lost; of a failed call -errno */
	__u32 count;         /* signals that this record stands for: this one, and equal ones merged since the last */
};

/* A signal that the kernel sends because of what the thread did: SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS. */
struct rf_fault {
	struct rf_header h;
	__u64 address;     /* that was touched, or of the instruction */
	__u64 instruction; /* the instruction pointer */
	__u32 signal;
	__s32 code;        /* si_code */
	__u32 count;       /* of its executable's faults, this one among them, whatever processes had them, since a minute went by without any */
	__s32 system_call; /* SIGSYS: its number; else -1 */
};

enum rf_access_operation {
	RF_ACCESS_PTRACE = 1,
	RF_ACCESS_PROCESS_VM_READV = 2,
	RF_ACCESS_PROCESS_VM_WRITEV = 3,
	RF_ACCESS_PIDFD_GETFD = 4,
	RF_ACCESS_PROC_MEM = 5,     /* /proc/PID/mem is opened */
	RF_ACCESS_PROC_ENVIRON = 6, /* /proc/PID/environ is opened */
};

/* One process looks into another, or writes there. */
struct rf_process_access {
	struct rf_header h;
	__u64 target_start;
	__u64 address;       /* in the target */
	__u64 length;        /* bytes */
	__u32 target_tgid;
	__u32 operation;     /* enum rf_access_operation */
	__u32 request;       /* PTRACE_*; of an open, its O_*; pidfd_getfd: the target's descriptor */
	__s32 result;        /* bytes or a descriptor, or -errno */
	__u32 count;         /* calls that this record stands for: this one, and equal ones merged since the last */
	__u32 pad;
};

enum rf_isolation_operation {
	RF_ISOLATION_SETNS = 1,
	RF_ISOLATION_UNSHARE = 2,
	RF_ISOLATION_PRCTL = 3,
	RF_ISOLATION_SECCOMP = 4,
	RF_ISOLATION_PERSONALITY = 5,
};

/* A thread changes what confines it. */
struct rf_isolation {
	struct rf_header h;
	__u64 option;    /* setns, unshare: CLONE_NEW*; prctl: PR_*; seccomp: SECCOMP_SET_MODE_*; personality: the persona */
	__u64 argument;  /* of prctl, the first; seccomp: flags; personality: the persona before */
	struct rf_namespaces namespaces; /* afterwards */
	__u32 operation; /* enum rf_isolation_operation */
	__s32 result;
	__u32 count;     /* calls that this record stands for: this one, and equal ones merged since the last */
	__u32 pad;
};

/* The kernel asks whether a task has a capability. */
struct rf_capability {
	struct rf_header h;
	__u32 capability;     /* CAP_* */
	__s32 result;         /* 0: yes; -EPERM */
	__u32 user_namespace; /* nsfs inode of the one that was asked about */
	__u32 count;          /* how many were merged into this one */
};

enum rf_module_operation {
	RF_OPERATION_MODULE_LOAD = 1,
	RF_OPERATION_MODULE_UNLOAD = 2,
};

/* Where the name of a module is from. */
enum rf_module_name {
	RF_MODULE_NAME_NONE = 0,
	RF_MODULE_NAME_KERNEL = 1, /* of the module as it was loaded or freed */
	RF_MODULE_NAME_FILE = 2,   /* the file's, without what begins with ".ko" */
	RF_MODULE_NAME_CALLER = 3, /* the caller's memory */
};

struct rf_module {
	struct rf_header h;
	__u64 inode;
	__u32 device;
	__u32 operation;   /* enum rf_module_operation */
	__s32 result;
	__u32 flags;       /* MODULE_INIT_*, O_* */
	__u32 from_memory; /* 1: init_module: no file is known */
	__u32 taints;      /* of the module, when it was loaded */
	struct rf_text name;
	struct rf_text path;
	struct rf_text parameters; /* the caller's memory */
	__u32 name_source; /* enum rf_module_name */
};

struct rf_bpf {
	struct rf_header h;
	__u32 command;      /* enum bpf_cmd */
	__u32 program_type; /* enum bpf_prog_type, or of a map enum bpf_map_type */
	__u32 attach_type;  /* enum bpf_attach_type */
	__s32 result;       /* descriptor or 0, or -errno */
	__u32 source_caller;
	struct rf_text name; /* of the program, map or tracepoint; OBJ_PIN, OBJ_GET: the path */
	__u32 id;           /* of the program or map, 0: not known */
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

/* A rarely used system call that changes, or shows, what is everybody's. */
struct rf_system_change {
	struct rf_header h;
	__u64 first;         /* the system call's arguments, where they aren't texts */
	__u64 second;
	__u64 third;
	__u32 operation;     /* enum rf_system_operation */
	__s32 result;
	__u32 source_caller;
	struct rf_text text;   /* a path, a key's description, a name */
	struct rf_text detail; /* kexec_file_load: the command line; add_key, request_key: the key's type */
	__u32 pad;
};

/* A sysctl is about to be written; whether the value is taken comes later. */
struct rf_sysctl {
	struct rf_header h;
	struct rf_text name;  /* kernel/core_pattern */
	struct rf_text before;
	struct rf_text after; /* as written */
	__u32 pad;
};

/* Those of enum io_uring_op that are reported. */
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

/* An operation that a task has left to io_uring. */
struct rf_io_uring {
	struct rf_header h;
	__u64 inode;
	__u32 device;
	__u32 opcode;     /* enum rf_io_operation */
	__u32 flags;      /* O_* of an open; mkdir: the mode; listen: the backlog; socket: the type; uring_cmd: the command; else the operation's flags */
	__s32 result;
	__u32 submission_thread; /* 1: a kernel thread took it (SQPOLL) */
	__u16 family;     /* of connect and bind */
	__u16 port;       /* host order */
	__u8 address[16]; /* network order */
	struct rf_text path;   /* of the file; a name that is not opened stands behind its directory's path, links not followed */
	struct rf_text target; /* rename, link: the new path; symlink: what it points to; xattr: the attribute's name */
	__u32 source_caller;   /* 1: the address is the caller's memory, not the kernel's copy */
	__u32 result_unknown;  /* 1: the caller wanted no completion (IOSQE_CQE_SKIP_SUCCESS): it was submitted, what came of it nobody hears */
};

enum rf_socket_operation {
	RF_SOCKET_SOCKET = 1,
	RF_SOCKET_BIND = 2,
	RF_SOCKET_LISTEN = 3,
};

struct rf_socket {
	struct rf_header h;
	__u16 family;      /* AF_*: also PACKET 17, ALG 38, VSOCK 40 */
	__u16 type;        /* SOCK_*: also RAW 3 */
	__u32 protocol;    /* IPPROTO_*; of a packet socket ETH_P_* */
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

/* Datagrams between two ends: one record for the first, and for what followed within a time. Of unix sockets those that are sent. */
struct rf_datagram {
	struct rf_header h;
	__u64 sent;       /* bytes; unix: of the last one */
	__u64 received;   /* bytes */
	__u16 family;     /* AF_INET 2, AF_INET6 10, AF_UNIX 1 */
	__u16 protocol;
	__u16 port;       /* the peer's, host order */
	__u16 local_port; /* host order; 0: not bound */
	__u8 address[16]; /* the peer's, network order */
	__u8 local_address[16];
	__s32 result;     /* of a send that failed: -errno */
	__u32 count;      /* datagrams */
	struct rf_text path; /* unix: of the peer; an abstract name begins with NUL */
	__u32 incoming;   /* 1: the first of them came from the peer */
	__u32 source_caller; /* 1: the peer is the caller's memory: of a send that failed, or to a unix socket by its name */
	__u32 pad;
};

enum rf_packet_content { RF_PACKET_DNS = 1, RF_PACKET_TLS = 2 };

/* The beginning of a packet whose content matters: DNS questions and answers, the hello of a TLS client. Parsed in user space. */
struct rf_packet {
	struct rf_header h;
	__u16 family;
	__u16 protocol;   /* IPPROTO_* */
	__u16 port;       /* the peer's */
	__u16 local_port;
	__u8 address[16]; /* the peer's */
	__u8 local_address[16];
	__u32 content;    /* enum rf_packet_content */
	__u32 egress;     /* 1: it leaves; 0: it arrives */
	struct rf_text payload;
	__u32 pad;
};

/* A connection is over. */
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
	__u32 incoming;   /* 1: it was accepted */
	__s32 error;      /* sk_err: why it ended, 0: in peace */
};

/* Somebody was asked to prove who they are: what PAM's pam_authenticate told the program that called it. Texts are from the caller's memory. */
struct rf_authentication {
	struct rf_header h;
	__s32 result;        /* PAM_*: 0 success, 7 not proved, 10 no such user */
	__u32 source_caller; /* 1, always */
	struct rf_text service;
	struct rf_text user;
	struct rf_text remote_host;
	struct rf_text tty;
};

/* A line that was typed into a shell, from its memory. */
struct rf_shell_line {
	struct rf_header h;
	__u32 tty;           /* kernel dev_t of the controlling terminal, 0: none */
	__u32 source_caller; /* 1, always */
	struct rf_text line;
	__u32 pad;
};

/* What a program gave to or got from libssl, before encryption or after decryption. */
struct rf_tls_data {
	struct rf_header h;
	__u32 egress;           /* 1: it was sent; 0: received */
	struct rf_text payload; /* its beginning */
};

enum rf_tampering_operation {
	RF_TAMPERING_AGENT_SIGNAL = 1,  /* one that may end, stop or open it, but those that ask it to end */
	RF_TAMPERING_AGENT_EXIT = 2,    /* it is gone without having taken its leave; it is itself the actor */
	RF_TAMPERING_AGENT_ACCESS = 3,  /* ptrace, process_vm_readv and _writev, pidfd_getfd, /proc/PID/mem */
	RF_TAMPERING_LINK_DETACH = 4,   /* of a link of the sensor's */
	RF_TAMPERING_LINK_UPDATE = 5,   /* another program in its place */
	RF_TAMPERING_SENSOR_REMOVED = 6,/* found at a start: its pins are gone. Nobody is known to have done it */
};

/* Something is done to the agent or to its sensor. In no ring: it stays in rf_tamperings until an agent has told it. */
struct rf_tampering {
	struct rf_header h;  /* who does it; `sequence` counts what was done since the sensor was loaded */
	__u64 victim_start;  /* the process that it is done to: the agent, or its partner */
	__u32 victim_tgid;
	__u32 operation;     /* enum rf_tampering_operation */
	__u32 detail;        /* number of the signal; of an exit its code; of an access enum rf_access_operation; of a link its id */
	__u32 request;       /* PTRACE_*; of an exit the signal that ended it */
	__s32 result;        /* 0, or -errno */
	__u32 uid;           /* of who does it */
	__u32 count;         /* how often this was done in a row */
	struct rf_text program;    /* the sensor's, whose link it is */
	struct rf_text command;    /* what the actor's thread is called */
	struct rf_text executable; /* name of the actor's executable, without its directory */
};

#define RF_PROBE_NAME_MAX 64          /* bytes of a user-defined probe's name */
#define RF_PROBE_ARGUMENT_NAME_MAX 24 /* bytes of an argument's name */
#define RF_PROBE_ARGUMENTS_MAX 8
#define RF_PROBE_BYTES_MAX 1024       /* bytes of an argument that are kept: its first */

/* Where a user-defined probe is set. */
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

/* One argument among rf_probe.arguments; `kept` bytes follow it, then the next one. */
struct rf_probe_argument {
	__u64 value;  /* unsigned, signed (two's complement), pointer; of the others how many bytes there were: more than `kept` when it was cut */
	__u32 failed; /* 1: it could not be read, and has no value */
	__u16 kept;
	__u16 type;   /* enum rf_probe_type */
	char name[RF_PROBE_ARGUMENT_NAME_MAX]; /* padded with NUL */
};

/* A user-defined probe has fired. */
struct rf_probe {
	struct rf_header h;
	__u32 place;         /* enum rf_probe_place */
	__u32 source_caller; /* 1: arguments are the caller's memory or registers, not the kernel's copy */
	struct rf_text name;
	struct rf_text arguments; /* struct rf_probe_argument, one behind the other */
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
	RF_CALL_SETREUID = 12, /* two: real and effective */
	RF_CALL_SETREGID = 13,
	RF_CALL_SETRESUID = 14, /* three: and saved */
	RF_CALL_SETRESGID = 15,
	RF_CALL_SETGROUPS = 16,
};

/* A fork, an exec or a change of credentials that failed. A kind of its own: what reads the others takes them for done. */
struct rf_attempt {
	struct rf_header h; /* who tried */
	__u64 first;        /* of a fork its CLONE_* without the exit signal; capset: the effective set; set*id: an id, (u32)-1 when it is to stay or the call has none;
			     * setgroups: how many */
	__u64 second;       /* capset: the permitted set; set*id: an id */
	__u64 third;        /* capset: the inheritable set; set*id: an id */
	__u32 operation;    /* enum rf_attempt_operation */
	__u32 call;         /* enum rf_attempt_call */
	__s32 result;       /* -errno; setfsuid and setfsgid don't tell: -EPERM */
	__u32 source_caller; /* 1: what was asked for is the caller's memory: of exec, clone3, capset and setgroups */
	__u32 count;        /* calls that this record stands for: this one, and equal ones merged since the last */
	__u32 argv_cut;     /* 1: there were more arguments, or the last one is longer */
	struct rf_text path; /* of an exec, made absolute as of the caller's text */
	struct rf_text argv; /* NUL-separated without the last NUL; their head. `length`: what was read */
	struct rf_text groups; /* setgroups: a __u32 each, as the caller's user namespace counts them */
	__u32 pad;
};

enum rf_redirect_call {
	RF_REDIRECT_DUP = 1,
	RF_REDIRECT_DUP2 = 2,
	RF_REDIRECT_DUP3 = 3,
	RF_REDIRECT_FCNTL = 4, /* F_DUPFD or F_DUPFD_CLOEXEC */
};

/* A standard stream becomes a socket that is no unix socket, as of a shell that is handed to somebody else; or it should have, and the call failed. */
struct rf_redirect {
	struct rf_header h;
	__u16 family;             /* AF_INET 2, AF_INET6 10; others have no addresses here */
	__u16 type;               /* SOCK_* */
	__u16 protocol;           /* IPPROTO_* */
	__u16 port;               /* the peer's, host order; 0: not connected */
	__u8 address[16];         /* the peer's, network order; IPv4 in the first four */
	__u8 local_address[16];
	__u16 local_port;         /* host order; 0: not bound */
	__u8 incoming;            /* 1: the peer has connected */
	__u8 source_caller;       /* 1: of a task that shares its descriptors: another thread may have put another file there */
	__u32 source_descriptor;  /* that is copied */
	__u32 target_descriptor;  /* 0 to 2 */
	__u32 call;               /* enum rf_redirect_call */
	__s32 result;             /* target_descriptor, or -errno */
	__u32 count;              /* calls that this record stands for: this one, and equal ones merged since the last */
};

/* Any of them. */
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

/* No record of a ring: an open socket, as the inventory's iterator writes it. Addresses are in network order, ports in host order. */
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
	__u8 state;       /* TCP's numbers, of unix sockets too */
	__u8 path_bytes;  /* unix only: bytes of the path; an abstract one begins with NUL */
	__u8 address[16];
	__u8 local_address[16];
	__u8 path[RF_UNIX_PATH_MAX];
};

/* Value of rf_cgroups (LRU, key: cgroup id): where a cgroup was made. It may be gone before anybody asks. */
#define RF_CGROUP_PATH_MAX 512
struct rf_cgroup_made {
	__u64 ktime;  /* ns, CLOCK_BOOTTIME */
	__u32 length; /* of the path, without the NUL; more than is there: it was cut */
	__u32 pad;
	__u8 path[RF_CGROUP_PATH_MAX];
};

/* An entry of rf_tamperings (array, mapped): the record and its texts. Of what is done the last RF_TAMPERINGS are kept. */
#define RF_TAMPERINGS 64
struct rf_tampering_entry {
	struct rf_tampering record;
	__u8 program[32];
	__u8 command[16];
	__u8 executable[64];
};

/* Key: id of a link of the sensor's; value: the program it runs. */
struct rf_own_link {
	__u8 program[32];
};

/* Written by the consumer, read by the sensor (.bss, mapped). */
struct rf_control {
	__u32 agent_tgid;        /* whose file and network noise is dropped; 0: nobody */
	__u32 all_opens;         /* 1: send every open; 0: writes, creates, watched paths, names and executables */
	__u32 sleeping[RF_LANES];/* the reader sets 1, looks at the ring once more and sleeps; the next record wakes it and clears it */
	__u32 watched_heads[2];  /* bit n: the first component of some prefix in rf_watched begins with a byte that is n modulo 64, or is not known */
	__u32 nothing_named;     /* 1: rf_names is empty */
	__u32 generation;        /* 1 to 255: rf_interests[generation % 2] is in force; 0: none, every kind of event is sent */
	__u64 share_interval;    /* ns between two events of a cgroup that has spent its burst */
	__u64 share_burst;       /* ns: so many intervals' worth it may send at once */
	__u32 share_from[RF_LANES]; /* bytes in the ring from which on shares count; 0: never */
	__u64 agent_start;       /* ns, CLOCK_BOOTTIME: of agent_tgid, whose number somebody else may have once the agent is dead */
	__u32 executables_named; /* 0: rf_executables is empty */
	__u32 changed_heads[2];  /* as watched_heads, of rf_changed */
	__u32 changes_named;     /* 0: rf_changed_names is empty */
	__u32 partner_tgid;      /* the process beside the agent that does all the rest, without privileges; what it does is seen like anybody's; 0: none */
	__u32 pad;
	__u64 partner_start;
};

/* rf_unnamed, rf_unwatched (.bss, mapped) spare most paths a look at the maps: bit n is set when no name, no prefix has the hash n. That is the top bits of
 * (word ^ size) * RF_HASH_FACTOR. Of a name: its first eight bytes (of the RF_NAME_MAX that are kept), little-endian, filled up with 0, and how many bytes it has.
 * Of a prefix: the first bytes of its first three components, and how many these are. */
#define RF_HASHES 4096
#define RF_HASH_SHIFT 52
#define RF_HASH_FACTOR 0x9e3779b97f4a7c15ULL

/* What the sensor tells apart in the kinds that are frequent. Each has two bits in the masks of struct rf_interest: 2 * form for the host's processes,
 * 2 * form + 1 for those of containers. Loopback: the peer is 127.0.0.0/8 or ::1; of a flow, datagram or packet one end. */
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

/* What the loaded rules, policies and audit settings can match (.bss, mapped, two of them): the one that is not in force is written, then
 * rf_control.generation goes over to it, so that a program sees the whole old or the whole new one. */
#define RF_PORTS 65536
#define RF_PORT_CLASSES 256
struct rf_interest {
	__u64 version;  /* of whoever wrote it */
	__u64 kinds[2]; /* bit n: kind n (enum rf_kind) is wanted of the host's processes, of containers' */
	__u64 some;     /* bits of forms: some of these events are wanted */
	__u64 all;      /* all of them */
	__u64 own;      /* those of some own ports */
};

/* The ports of an interest: two of them, in force together. */
struct rf_interest_ports {
	__u64 peer[RF_PORT_CLASSES];  /* by the class of the peer's port: bits of forms that are wanted for it */
	__u64 local[RF_PORT_CLASSES]; /* … of the own port */
	__u8 classes[RF_PORTS];       /* by port: of what class it is. Those that are the same to all rules share one */
};

/* Value of rf_scopes (LRU, key: cgroup id). One that isn't there may be either. */
enum rf_scope { RF_SCOPE_HOST = 1, RF_SCOPE_CONTAINER = 2 };

/* Key of rf_watched and rf_changed (LPM tries, value u32): every path that begins with these bytes is watched. */
struct rf_watched_key {
	__u32 prefixlen; /* bits */
	__u8 path[RF_WATCHED_MAX];
};

/* Key of rf_names, rf_changed_names and rf_executables (hashes, value u32): the last component of a path, or what its last RF_NAME_MAX bytes are when it is longer. Filled
 * up with NUL. */
struct rf_name_key {
	__u8 name[RF_NAME_MAX];
};

/* Key of rf_throttled (hash, value u64): how many events were held back since the sensor was loaded. What it has no room for is in the account only. */
struct rf_throttled_key {
	__u64 cgroup;
	__u32 lane;
	__u32 kind;
};

/* Where a helper of the kernel's may fail. From RF_PLACE_OWNERS on: maps that forget the oldest entry when they are full, or take no more. */
enum rf_place {
	RF_PLACE_RING_SECURITY = 0,
	RF_PLACE_RING_BULK = 1,
	RF_PLACE_TEXT_USER = 2,   /* a text in the caller's memory */
	RF_PLACE_TEXT_KERNEL = 3,
	RF_PLACE_PATH_USER = 4,   /* a path in the caller's memory */
	RF_PLACE_ARGUMENT = 5,    /* what else a system call is told by address */
	RF_PLACE_PACKET = 6,
	RF_PLACE_OPENED = 7,      /* storage of a task */
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
	RF_PLACE_EXECUTED = 20,   /* storage of a task */
};

#define RF_PLACES_MAX 32
#define RF_ERRNOS_MAX 64 /* the last one stands for all that are higher */

/* What failed, by place and errno; and of maps how many entries were made and removed: what is more than they hold was forgotten. */
struct rf_failures {
	__u64 failed[RF_PLACES_MAX * RF_ERRNOS_MAX];
	__u64 made[RF_PLACES_MAX];
	__u64 removed[RF_PLACES_MAX];
};

/* The account of a kind of events in a lane: seen = sent + all drops but RF_DROP_READ_FAULT, once nothing is under way. */
enum rf_fate {
	RF_FATE_SEEN = 0,
	RF_FATE_SENT = 1,  /* it is in the ring */
	RF_FATE_DROPS = 2, /* + enum rf_drop */
	/* seen and at once left out as RF_DROP_UNWATCHED, counted in neither: it is most of what happens */
	RF_FATE_PASSED = RF_FATE_DROPS + RF_DROPS,
};

#define RF_KINDS_MAX 64 /* powers of two, so that the verifier sees that no number leads out of the array */
#define RF_FATES_MAX 16

/* One per CPU (array map). CPUs beyond RF_CPUS_MAX share: their number is folded, in records too. A lane's sequence = sent + ring full, over all kinds. */
#define RF_CPUS_MAX 256
struct rf_counters {
	__u64 sequence[8];                                     /* by lane; a cache line */
	__u64 fates[RF_LANES * RF_KINDS_MAX * RF_FATES_MAX]; /* by lane, kind and fate */
};

#endif
