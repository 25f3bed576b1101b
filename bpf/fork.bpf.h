/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A new process (not a new thread). Runs in the parent once the child is
 * complete: the child already has its own cgroup, namespaces and start time. */
#include "lib/executable.h"
#include "lib/isolation.h"
#include "lib/share.h"

/* Merges a storm of forks by the parent and its executable; never
 * merges a child in new namespaces. Returns 0 if this fork is merged. */
static __always_inline __u32 fork__admit(struct task_struct *parent, __u64 cgroup, __u64 flags)
{
	struct rf_merge_key key;

	if (flags & CLONE_NEW_ANY || !share__is_exceeded(RF_LANE_SECURITY, cgroup))
		return 1;
	merge__fill_key(&key, parent, RF_FORK, parent->self_exec_id, 0);
	return merge__admit(RF_LANE_SECURITY, &key, false);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct rf_fork *record;
	struct rf_header number = {};
	__u64 flags;
	__u32 count;

	isolation__notice_compat(parent, RF_COMPAT_FORK);
	if (child->pid != child->tgid)
		return 0;
	executable__inherit(parent, child);
	ring__count_seen(RF_LANE_SECURITY, RF_FORK);
	flags = task__clone_flags(parent);
	count = fork__admit(parent, kernel__cgroup(child), flags);
	if (!count)
		return 0;
	record = ring__reserve(RF_LANE_SECURITY, RF_FORK, sizeof(*record), &number);
	if (!record)
		return 0;
	task__fill_header(&record->h, child, RF_FORK);
	record->parent_start = parent->group_leader->start_boottime;
	record->parent_tgid = parent->tgid;
	record->count = count;
	task__fill_namespaces(&record->namespaces, child);
	record->flags = flags;
	ring__submit_lazily(RF_LANE_SECURITY, record, sizeof(*record), &number);
	return 0;
}
