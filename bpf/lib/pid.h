/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Finds processes by number or descriptor, in the namespace's own table: bpf_task_from_pid is
 * missing from system call tracepoints before 6.12, and does not take a number of another namespace. */
#ifndef RF_LIB_PID_H
#define RF_LIB_PID_H

#include "merge.h"

/* Levels of an XArray with 32-bit indexes. The low bits of an entry distinguish nodes from values. */
#define PID_LEVELS_MAX 6
#define PID_ENTRY_MASK 3
#define PID_ENTRY_NODE 2
#define PID_FILE_NAME "[pidfd]"

static __always_inline struct pid_namespace *pid__namespace(struct task_struct *task)
{
	struct pid *pid = kernel__read(task, thread_pid);
	__u32 level = kernel__read(pid, level);
	struct upid *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
	struct upid *innermost = (void *)numbers + level * bpf_core_type_size(struct upid);

	return kernel__read(innermost, ns);
}

/* Finds a pid by its number in the namespace of `task`; 0: there is none. */
static __noinline struct pid *pid__find(struct task_struct *task, __u32 number)
{
	struct pid_namespace *ns = pid__namespace(task);
	__u64 entry = (__u64)BPF_CORE_READ(ns, idr.idr_rt.xa_head);
	struct xa_node *node = 0;

	for (int level = 0; level < PID_LEVELS_MAX; level++) {
		__u32 slots = bpf_core_field_size(node->slots) / sizeof(void *);
		__u32 index;

		if ((entry & PID_ENTRY_MASK) != PID_ENTRY_NODE)
			break;
		node = (void *)(entry - PID_ENTRY_NODE);
		index = number >> (BPF_CORE_READ(node, shift) & 31);
		if (!level && index >= slots)
			return 0;
		index &= slots - 1;
		entry = 0;
		bpf_probe_read_kernel(&entry, sizeof(entry), (void *)node + bpf_core_field_offset(node->slots) + index * sizeof(void *));
	}
	return entry & PID_ENTRY_MASK ? 0 : (struct pid *)entry;
}

static __always_inline struct pid *pid__of_descriptor(struct task_struct *task, __u32 descriptor)
{
	struct file *file = file__of_descriptor(task, descriptor);
	char name[sizeof(PID_FILE_NAME)] = {};
	const unsigned char *from;

	if (!file)
		return 0;
	if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) == PIDFS_MAGIC)
		return BPF_CORE_READ(file, f_inode, i_private);
	/* before 6.9 an anonymous inode file, distinguished by its name alone */
	from = BPF_CORE_READ(file, f_path.dentry, d_name.name);
	if (bpf_probe_read_kernel_str(name, sizeof(name), from) != sizeof(name) || __builtin_memcmp(name, PID_FILE_NAME, sizeof(name) - 1))
		return 0;
	return BPF_CORE_READ(file, private_data);
}

/* Returns an address to be read with BPF_CORE_READ; 0: the task
 * is gone. PIDTYPE_PID comes first in both pid_links and tasks. */
static __always_inline struct task_struct *pid__task(struct pid *pid)
{
	struct hlist_node *first = pid ? BPF_CORE_READ(pid, tasks[0].first) : 0;

	return first ? (void *)first - bpf_core_field_offset(struct task_struct, pid_links) : 0;
}

/* Returns false if the task is gone. */
static __always_inline bool pid__identify(struct pid *pid, __u32 *tgid, __u64 *start)
{
	struct task_struct *task = pid__task(pid);

	*tgid = task ? BPF_CORE_READ(task, tgid) : 0;
	*start = task ? BPF_CORE_READ(task, group_leader, start_boottime) : 0;
	return task != 0;
}

#endif
