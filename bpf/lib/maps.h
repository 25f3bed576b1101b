/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* All maps. Sizes are the defaults: user space sets the rings' before load, and the scratch maps' entries to the number of possible CPUs. */
#ifndef RF_LIB_MAPS_H
#define RF_LIB_MAPS_H

#include "kernel.h"

/* Room behind a path being built, so that one whole component may be copied at its last byte. */
#define RF_NAME_ROOM 256
#define RF_SMALL_RECORD_MAX (RF_PATH_MAX + 512)

/* Where a path is built, and the state of the walk. Not on the stack: there the verifier would tell each step's numbers apart. */
struct rf_path_work {
	struct dentry *dentry;
	struct mount *mount;
	struct dentry *mount_root;
	const unsigned char *head; /* name of the first component, in the kernel */
	__u32 position; /* the path, or its tail, stands in text[position .. RF_PATH_MAX) */
	__u32 full;
	__u32 length; /* bytes of all components seen, each with its slash */
	__u32 total;
	__u32 last;
	__u32 kept; /* bytes of the path as built: at text[position] */
	char text[RF_PATH_MAX + RF_NAME_ROOM];
};

/* Where a record that is too big for the stack is put together. `busy` comes first in each: see scratch.h. */
struct rf_scratch_big {
	__u32 busy;
	__u32 pad;
	struct rf_path_work path;
	char record[RF_RECORD_MAX];
};

struct rf_scratch_small {
	__u32 busy;
	__u32 pad;
	struct rf_path_work path;
	char record[RF_SMALL_RECORD_MAX];
	struct rf_watched_key key;
};

/* What the kernel was asked to connect to, from the cgroup hook until the system call ends. */
struct rf_destination {
	__u16 family;
	__u16 port;
	__u8 address[16];
};

struct rf_group_key {
	__u64 start;
	__u64 tgid;
};

/* What an open that is not over yet has opened; only the full profile writes it. */
enum rf_opened_state { RF_OPENED_NOTHING, RF_OPENED_UNWATCHED, RF_OPENED_WANTED };

struct rf_opened {
	__u32 state;
	__u32 size;
	char record[RF_SMALL_RECORD_MAX];
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
	__uint(max_entries, RF_LANES * RF_CPUS_MAX);
	__type(key, __u32);
	__type(value, struct rf_counters);
} rf_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct rf_watched_key);
	__type(value, __u32);
} rf_watched SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct rf_name_key);
	__type(value, __u32);
} rf_names SEC(".maps");

/* Arrays with an entry per CPU: a per-CPU map can't hold more than 32 KiB. Each lane has its own, so that files can't hold up execs. */
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

/* The snapshot may sleep, so it shares with nobody. */
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
	__type(value, struct rf_credentials);
} rf_creds_before SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct rf_destination);
} rf_destinations SEC(".maps");

/* Thread groups already reported as gone, by start time; needed before 6.16 only. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct rf_group_key);
	__type(value, __u8);
} rf_groups_gone SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct rf_opened);
} rf_opened SEC(".maps");

/* Set before load: lsm/file_open is attached. */
const volatile bool rf_full_open = false;

struct rf_control rf_control = {};

#endif
