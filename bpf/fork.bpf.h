/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A new process (not a new thread). Fires in the parent once the child is complete: cgroup, namespaces and start time are its own. */
#include "lib/task.h"

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct rf_fork *record;
	struct rf_header number = {};

	if (child->pid != child->tgid)
		return 0;
	ring__see(RF_LANE_SECURITY, RF_FORK);
	record = ring__reserve(RF_LANE_SECURITY, RF_FORK, sizeof(*record), &number);
	if (!record)
		return 0;
	task__fill_header(&record->h, child, RF_FORK);
	record->parent_start = parent->group_leader->start_boottime;
	record->parent_tgid = parent->tgid;
	record->pad = 0;
	task__fill_namespaces(&record->namespaces, child);
	record->flags = task__clone_flags(parent);
	ring__submit(RF_LANE_SECURITY, record, sizeof(*record), &number);
	return 0;
}
