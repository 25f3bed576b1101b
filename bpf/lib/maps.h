/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* All maps and their values, in one table. Sizes are defaults: before load, user space sets the sizes of the rings,
 * and gives rf_counters and the scratch maps an entry for each possible CPU. */
#ifndef RF_LIB_MAPS_H
#define RF_LIB_MAPS_H

#include "kernel.h"

/* Keeps clang from rewriting a bound check into a form that an older verifier cannot follow. */
#define rf_barrier(x) asm volatile("" : "+r"(x))

#define RF_READ_ONCE(x) (*(volatile typeof(x) *)&(x))

/* Space behind a path being built: a whole component may be copied to its last byte. */
#define RF_COMPONENT_MAX 256
#define RF_SMALL_RECORD_MAX (4 * RF_PATH_MAX + 512)
/* A stored open, which has no raw path yet. */
#define RF_OPENED_RECORD_MAX (2 * RF_PATH_MAX + 512)

/* Buffer and state of the walk that builds a path. Not on the
 * stack, where the verifier would track the numbers of each step. */
struct rf_path_work {
	struct dentry *dentry;
	struct mount *mount;
	struct dentry *mount_root;
	__u32 position; /* the path, or its tail, is in text[position .. RF_PATH_MAX) */
	__u32 full;
	__u32 length; /* bytes of all components visited, each with its slash */
	__u32 total;
	__u32 last;
	__u32 kept; /* bytes of the finished path at text[position] */
	/* after a directory's path comes the caller's text relative to it */
	char text[RF_PATH_MAX + RF_COMPONENT_MAX + RF_PATH_MAX];
};

/* Result of scanning a path of the current record: see watch.h. Not on the stack for the same reason. */
struct rf_path_scan {
	__u32 begin;
	__u32 end;
	/* before the first component that is empty, `.` or `..` */
	__u32 components;
	__u32 ups;        /* how many components are `..` */
	__u32 irregular;  /* 1: some component is empty, `.` or `..` */
	__u32 last;       /* position of the slash before the last such component */
	__u32 slash;      /* position of the last slash */
};

/* Buffer for the selected environment variables, with space for a read at the last byte that is kept. */
struct rf_environment_work {
	__u64 cursor; /* in the caller's memory */
	__u64 end;
	__u32 position;
	__u32 length; /* of all selected variables, each with its NUL */
	__u32 inside; /* 1: the last read ended in the middle of a variable */
	__u32 chosen; /* enum environment_choice of that variable */
	__u32 faults;
	struct rf_variable_key key;
	char text[2 * RF_ENVIRONMENT_MAX];
};

/* Buffers for a record that is too big for the stack. `busy` comes first in each: see scratch.h. */
struct rf_scratch_big {
	__u32 busy;
	__u32 pad;
	struct rf_path_work path;
	struct rf_environment_work environment;
	char record[RF_RECORD_MAX];
};

struct rf_scratch_small {
	__u32 busy;
	__u32 pad;
	struct rf_path_work path;
	char record[RF_SMALL_RECORD_MAX];
	struct rf_watched_key key;
	struct rf_path_scan scan;
};

enum rf_destination_call { DESTINATION_CONNECT = 1, DESTINATION_BIND = 2 };

/* The address that the caller asked to connect or bind to, from the cgroup
 * hook or from the beginning of a connect. Kept until the system call ends. */
struct rf_destination {
	__u64 started; /* ns, CLOCK_BOOTTIME: when connect was called */
	__u16 call;  /* enum rf_destination_call */
	__u16 family;/* 0: the kernel has not read the address yet */
	__u16 port;
	__u16 type;
	__u8 address[16];
	__u64 cookie; /* of the socket in the call */
	__u32 protocol;
	__u32 pad;
};

/* One end of a connection, or of an exchange of datagrams. */
struct rf_end {
	__u8 address[16];
	__u16 port;   /* host order */
	__u16 family; /* 0: none */
	__u32 pad;
};

/* The owner of a socket: packets and changes of a connection's state are handled in the context of any task. */
struct rf_owner {
	__u64 start;
	__u64 cgroup;
	__u64 exec_id;
	__u64 established; /* ns, CLOCK_BOOTTIME; 0: not established yet */
	__u32 tgid;        /* 0: the connection is not accepted yet */
	__u32 tid;
	__u32 incoming;
	__u32 pad;
	struct rf_end last; /* the peer whose exchange began last: the head of a list */
};

struct rf_exchange_key {
	__u64 cookie;
	struct rf_end peer;
};

/* Datagrams between a socket and one peer that are not reported yet. */
struct rf_exchange {
	__u64 reported; /* ns, CLOCK_MONOTONIC_COARSE: when the exchange was last reported */
	__u64 sent;
	__u64 received;
	__u32 count;
	__u16 local_port;
	__u16 incoming;
	__u8 local_address[16];
	struct rf_end next; /* the socket's peer before this one */
};

/* Two per CPU: an incoming packet may interrupt an outgoing one. */
struct rf_scratch_wire {
	__u32 busy;
	__u32 pad;
	char record[sizeof(struct rf_packet) + RF_TLS_MAX];
};

struct rf_group_key {
	__u64 start;
	__u64 tgid;
};

/* Identifies an executable. */
struct rf_fault_key {
	__u64 inode;
	__u32 device;
	__u32 pad;
};

struct rf_fault_burst {
	__u64 last; /* ns, CLOCK_BOOTTIME */
	__u32 count;
	__u32 pad;
};

/* A kernel module as its tracepoint reported it; kept until the system call ends. */
struct rf_module_seen {
	char name[64];
	__u64 taints;
};

#define RF_IO_TEXT_MAX 1024

/* A request submitted to io_uring; kept until it completes, since the kernel frees its names earlier. */
struct rf_io_request {
	struct rf_io_uring record;
	__u32 fixed; /* 1: the file gets no descriptor but a slot in the ring's own table */
	__u32 pad;
	char path[RF_IO_TEXT_MAX];
	char target[RF_IO_TEXT_MAX];
};

/* A recent io_uring operation. */
struct rf_io_recent_key {
	__u32 tgid;
	__u32 opcode;
	__u32 command;
	__u16 family;
	__u16 port;
	__u8 address[16];
};

/* Events with equal keys are merged. `kind`: enum rf_kind; each kind defines `first` and `second`. */
struct rf_merge_key {
	__u64 start;
	__u64 first;
	__u64 second;
	__u32 tgid;
	__u32 kind;
};

struct rf_merge {
	__u64 sent;   /* ns, CLOCK_BOOTTIME: when the last one was sent */
	__u64 merged; /* events dropped since then */
};

/* See lib/share.h. */
struct rf_share_key {
	__u64 cgroup;
	__u64 lane;
};

struct rf_share {
	__u64 due; /* ns, CLOCK_BOOTTIME */
};

/* The holder of a share of a ring's bytes. See lib/byte_share.h. */
struct rf_byte_share_key {
	__u64 id; /* of a cgroup, or a user's uid */
	__u32 lane;
	__u32 is_user;
};

/* A sort of a cgroup's records. See lib/byte_share.h. */
struct rf_sort_share_key {
	__u64 cgroup;
	__u64 program; /* inode of the executable; 0: of any program */
	__u32 kind;
	__u32 class;   /* of an exec: its flags */
	__u64 lane;
};

/* The file opened by an open that is still under way. Only the full profile writes it. */
enum rf_opened_state { RF_OPENED_NONE, RF_OPENED_UNWATCHED, RF_OPENED_SELECTED };

struct rf_opened {
	__u32 state;
	__u32 size;
	char record[RF_OPENED_RECORD_MAX];
};

/* The supplementary groups of a thread. */
struct rf_groups {
	__u32 count; /* may exceed the number of ids kept */
	__u32 ids[RF_GROUPS_MAX];
	__u32 pad;
};

/* The privileges of a thread before its current system call. */
struct rf_privileges {
	struct rf_credentials credentials;
	struct rf_groups groups;
};

#define RF_LINEAGE_IMAGES 32
#define RF_LINEAGE_FORKS 8

/* The ancestors of a process, which outlive the ancestors themselves. See lib/lineage.h. */
struct rf_lineage {
	__u64 images[RF_LINEAGE_IMAGES]; /* those that executed a program, oldest first; itself last */
	__u64 forks[RF_LINEAGE_FORKS];   /* the latest parents, in a ring */
	__u32 image_count;
	__u32 fork_count;
};

/* A process. */
struct rf_executed {
	struct rf_name_key name; /* of its executable: the last component, as in rf_executables */
	__u64 known;             /* 0: unknown, so it may be any */
	__u64 doom;              /* number of the doom that it belongs to; 0: none. See doom.bpf.h */
	struct rf_lineage lineage;
};

/* Less than 8 KiB together with the kernel's own header: two paths that are longer together are not kept. */
#define RF_KERNEL_COPY_MAX (2 * RF_PATH_MAX - 256)

/* The kernel's own copy of what a system call is about, until the call ends. Only the full profile writes it. */
struct rf_kernel_copy {
	__u32 call; /* the system call's number plus 1; 0: nothing is stored */
	__u32 device;
	__u64 inode;
	__u64 object; /* address of the socket, or start of the target process */
	__u64 mount;  /* address of the mount on which attributes change */
	__u64 ctime;  /* of a script */
	__u32 protocol;
	__u16 family; /* of a socket */
	__u16 type;
	struct rf_text path; /* in `text` */
	struct rf_text target;
	struct rf_text filesystem; /* of a mount */
	struct rf_text options;
	__u32 faults; /* texts that could not be read */
	__u32 reported; /* 1: the call's record is already sent */
	char text[RF_KERNEL_COPY_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} rf_ring_security SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 32 << 20);
} rf_ring_bulk SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RF_CPUS_MAX);
	__type(key, __u32);
	__type(value, struct rf_counters);
} rf_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rf_failures);
} rf_failures SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_WATCHED_ENTRIES);
	__type(key, struct rf_watched_key);
	__type(value, __u32);
} rf_watched SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_WATCHED_ENTRIES);
	__type(key, struct rf_name_key);
	__type(value, __u32);
} rf_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_WATCHED_ENTRIES);
	__type(key, struct rf_variable_key);
	__type(value, __u32);
} rf_variables SEC(".maps");

/* The same two maps for paths that are watched for changes only: opens never look here. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_WATCHED_ENTRIES);
	__type(key, struct rf_watched_key);
	__type(value, __u32);
} rf_changed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_WATCHED_ENTRIES);
	__type(key, struct rf_name_key);
	__type(value, __u32);
} rf_changed_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, RF_WATCHED_ENTRIES);
	__type(key, struct rf_name_key);
	__type(value, __u32);
} rf_executables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4 * RF_FILES_MAX);
	__type(key, struct rf_file_key);
	__type(value, __u32);
} rf_files SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RF_FILES_MAX);
	__type(key, __u32);
	__type(value, struct rf_file_path);
} rf_file_paths SEC(".maps");

/* Enum rf_scope by cgroup id. LRU, since most cgroups end unnoticed. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u32);
} rf_scopes SEC(".maps");

/* Arrays with an entry per CPU, since a per-CPU map cannot hold more than
 * 32 KiB. Each lane has its own, so that file events cannot delay execs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RF_CPUS_MAX);
	__type(key, __u32);
	__type(value, struct rf_scratch_big);
} rf_scratch_sec SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RF_CPUS_MAX);
	__type(key, __u32);
	__type(value, struct rf_scratch_small);
} rf_scratch_bulk SEC(".maps");

/* The snapshot may sleep, so it has its own buffer. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rf_scratch_big);
} rf_scratch_snap SEC(".maps");

/* Key: pid_tgid. LRU: a thread killed inside the system call leaves its entry behind. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct rf_destination);
} rf_destinations SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, struct rf_module_seen);
} rf_modules_seen SEC(".maps");

/* Key: address of the kernel's request. LRU: a completion may never come. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct rf_io_request);
} rf_io_requests SEC(".maps");

/* Value: ns, CLOCK_BOOTTIME, of the last report. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct rf_io_recent_key);
	__type(value, __u64);
} rf_io_recent SEC(".maps");

/* By socket cookie. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct rf_owner);
} rf_owners SEC(".maps");

/* The TCP ports with a listener when the sensor starts, a bit for each. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 65536 / 64);
	__type(key, __u32);
	__type(value, __u64);
} rf_listening SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct rf_exchange_key);
	__type(value, struct rf_exchange);
} rf_exchanges SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * RF_CPUS_MAX);
	__type(key, __u32);
	__type(value, struct rf_scratch_wire);
} rf_scratch_packet SEC(".maps");

/* Thread groups already reported as exited, by start time. Needed before 6.16 only. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct rf_group_key);
	__type(value, __u8);
} rf_groups_gone SEC(".maps");

/* Events that may be merged, by lane, so that a flood in one does not evict
 * entries of the other. After an eviction the next equal event is sent. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct rf_merge_key);
	__type(value, struct rf_merge);
} rf_merges_sec SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct rf_merge_key);
	__type(value, struct rf_merge);
} rf_merges_bulk SEC(".maps");

/* LRU: an evicted cgroup starts again with a full burst. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct rf_share_key);
	__type(value, struct rf_share);
} rf_shares SEC(".maps");

/* LRU: an evicted holder starts again with a full burst. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct rf_byte_share_key);
	__type(value, struct rf_share);
} rf_byte_shares SEC(".maps");

/* Apart from rf_byte_shares, so that many sorts of one cgroup evict no cgroup's share. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct rf_sort_share_key);
	__type(value, struct rf_share);
} rf_sort_shares SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct rf_throttled_key);
	__type(value, __u64);
} rf_throttled SEC(".maps");

/* Faults of an executable without a pause. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct rf_fault_key);
	__type(value, struct rf_fault_burst);
} rf_faults SEC(".maps");

/* Cgroups by id, with the path at which they were made. LRU, since most end without ever being looked up. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct rf_cgroup_made);
} rf_cgroups SEC(".maps");

/* The capabilities that were checked and granted, a bit for each, by cgroup id. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u64);
} rf_used_caps SEC(".maps");

/* Buffer that is too big for the stack. A buffer per CPU is enough, because
 * no other program on the CPU interrupts the creation of a cgroup. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rf_cgroup_made);
} rf_scratch_cgroup SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rf_opened);
} rf_opened SEC(".maps");

/* Keys are leaders of thread groups. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rf_executed);
} rf_executed SEC(".maps");

/* The first entry is the doom that the iterator `doomed` looks for, the others those in force. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 + RF_DOOMS);
	__type(key, __u32);
	__type(value, struct rf_doom);
} rf_dooms SEC(".maps");

/* Processes that a doom leaves alone: lineage__key of the process → number of the doom. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u64);
} rf_spared SEC(".maps");

/* Keys are threads that are, or were, in a call that may change their credentials. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rf_privileges);
} rf_privileges SEC(".maps");

/* Tampering with the agent. Mapped, and read by the next agent if this one dies. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, RF_TAMPERINGS);
	__type(key, __u32);
	__type(value, struct rf_tampering_entry);
} rf_tamperings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct rf_own_link);
} rf_own_links SEC(".maps");

/* The sensor's maps and programs. Twice as many as there are, since those of probes are replaced at each start. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 2048);
	__type(key, __u64);
	__type(value, struct rf_own_link);
} rf_own_objects SEC(".maps");

/* Number of tamperings so far. */
__u64 rf_tampered = 0;

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rf_kernel_copy);
} rf_kernel_copy SEC(".maps");

/* Set before load: some hook of the full profile is loaded. */
const volatile bool rf_full = false;
/* Set before load: datagrams to unix sockets are reported when the
 * kernel function that sends them returns (full/unix_datagram.bpf.h). */
const volatile bool rf_unix_sent = false;
/* Set before load: programs of system calls are attached around
 * the kernel's functions, not to tracepoints (lib/syscall.h). */
const volatile bool rf_functions = false;
/* Set before load: programs of system calls are run only by full/refused.bpf.h, for calls that seccomp refused. */
const volatile bool rf_refusals = false;

/* By the system call's number: the program for its end. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 512);
	__type(key, __u32);
	__type(value, __u32);
} rf_refused SEC(".maps");

struct rf_control rf_control = {};
/* A bit for each hash (lib/watch.h), set when no entry of rf_names or of rf_watched has that hash. */
__u64 rf_unnamed[RF_HASHES / 64] = {};
__u64 rf_unwatched[RF_HASHES / 64] = {};
__u64 rf_file_hashes[RF_HASHES / 64] = {};
struct rf_interest rf_interests[2] = {};
struct rf_interest_ports rf_interest_ports[2] = {};

/* 1: the kernel called file_open, through whichever attachment. Loading
 * and attaching succeed even where bpf is not among the security modules. */
__u32 rf_full_called = 0;

#endif
