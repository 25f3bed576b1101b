/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The one header shared by the sensor and TypeScript: packages/schema/src/generated/records.generated.ts is made from its BTF.
 *
 * A record in a ring:
 *
 *   0        8        16       24     28     32       40       48     52  54  56
 *   +--------+--------+--------+------+------+--------+--------+------+---+---+---------------+-------------+
 *   | ktime  |sequence| start  | tgid | tid  | cgroup | exec_id| size |knd|cpu| fixed part    | tail (text) |
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
#define RF_RECORD_MAX (RF_ARGV_MAX + 4 * RF_PATH_MAX + 1024)
#define RF_UNIX_PATH_MAX 108
#define RF_SNAPSHOT_ARGV_MAX 16384 /* of a process found at start: an iterator hands over at most 32 KiB at once */
#define RF_WATCHED_MAX 256         /* bytes of a path that a watched prefix can tell apart */
#define RF_NAME_MAX 32             /* bytes of a file name that are told apart: its last */

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
};

/* Why a record did not reach its ring. Suppression by filter is counted apart from loss. */
enum rf_drop {
	RF_DROP_RING_FULL = 0,   /* loss */
	RF_DROP_READ_FAULT = 1,  /* a field could not be read; the record is sent without it */
	RF_DROP_SELF = 2,        /* file and network noise of the agent's own processes */
	RF_DROP_UNWATCHED = 3,   /* no loaded rule, policy or audit setting can match it */
	RF_DROP_SCRATCH = 4,     /* loss: the per-CPU scratch buffer was in use */
	RF_DROPS = 5,
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
	RF_EXEC_UPPER = 64,       /* reserved: overlay upper layer */
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
	__u16 cpu;
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
	__u32 pad;
	struct rf_namespaces namespaces;
};

struct rf_exec {
	struct rf_header h;
	__u64 parent_start;
	__u64 inode;
	__u64 ctime; /* ns since the epoch: last change of the executable's inode */
	__u64 mtime;
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
	__u32 pad;
	struct rf_text path;     /* of the opened executable: the kernel's copy */
	struct rf_text filename; /* as given to execve; in a snapshot only a kernel thread has one: its name */
	struct rf_text cwd;
	struct rf_text argv;     /* NUL-separated without the last NUL, from the new mm */
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
	__u32 source_caller; /* 1: the address is the caller's memory, not the kernel's copy */
	__u16 local_port;    /* host order; 0: not bound, or unix */
	__u16 pad;
	__u8 local_address[16]; /* as `address`; zero: not bound */
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
	__s32 result;     /* the new descriptor */
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
};

/* Written by the consumer, read by the sensor (.bss, mapped). */
struct rf_control {
	__u32 agent_tgid;        /* whose file and network noise is dropped; 0: nobody */
	__u32 all_opens;         /* 1: send every open; 0: writes, creates, watched paths and names */
	__u32 sleeping[RF_LANES];/* the reader sets 1, looks at the ring once more and sleeps; the next record wakes it and clears it */
	__u32 watched_heads[2];  /* bit n: the first component of some prefix in rf_watched begins with a byte that is n modulo 64, or is not known */
	__u32 nothing_named;     /* 1: rf_names is empty */
	__u32 pad;
	__u64 agent_start;       /* ns, CLOCK_BOOTTIME: of agent_tgid, whose number somebody else may have once the agent is dead */
};

/* Key of rf_watched (LPM trie, value u32): every path that begins with these bytes is watched. */
struct rf_watched_key {
	__u32 prefixlen; /* bits */
	__u8 path[RF_WATCHED_MAX];
};

/* Key of rf_names (hash, value u32): the last component of a path, or what its last RF_NAME_MAX bytes are when it is longer. Filled up with NUL. */
struct rf_name_key {
	__u8 name[RF_NAME_MAX];
};

/* One per lane and CPU (array map, lane * RF_CPUS_MAX + cpu), a cache line each. CPUs beyond share: their number is folded, in records too. */
#define RF_CPUS_MAX 256
struct rf_counters {
	__u64 sequence;
	__u64 drops[RF_DROPS];
	__u64 pad[2];
};

#endif
