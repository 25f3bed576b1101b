/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The credentials and groups that a thread had before it changed them: remembered from when its process began, executed something or was found. No
 * program waits at the entry of the system call for it. */
#ifndef RF_LIB_PRIVILEGES_H
#define RF_LIB_PRIVILEGES_H

#include "task.h"

static __always_inline void privileges__fill_groups(struct rf_groups *groups, const struct cred *cred)
{
	const struct group_info *info = cred->group_info;
	__u32 count = info->ngroups;

	__builtin_memset(groups, 0, sizeof(*groups));
	groups->count = count;
	rf_barrier(count);
	if (count > RF_GROUPS_MAX)
		count = RF_GROUPS_MAX;
	failure__of(RF_PLACE_CREDS_BEFORE, bpf_probe_read_kernel(groups->ids, count * sizeof(__u32), info->gid));
}

static __always_inline void privileges__fill(struct rf_privileges *privileges, struct task_struct *task)
{
	const struct cred *cred = kernel__plain(task)->cred;

	task__fill_credentials(&privileges->credentials, cred);
	privileges__fill_groups(&privileges->groups, cred);
}

/* A new thread has what the one that makes it has: its process's, unless that one has changed its own. */
static __always_inline void privileges__inherit(struct task_struct *maker, struct task_struct *thread)
{
	struct rf_privileges *changed = bpf_task_storage_get(&rf_privileges, maker, 0, 0);

	if (changed && !bpf_task_storage_get(&rf_privileges, thread, changed, BPF_LOCAL_STORAGE_GET_F_CREATE))
		failure__count(RF_PLACE_CREDS_BEFORE, FAILURE_ENOMEM);
}

/* 0: of a process that began while the sensor was put in place. A thread that had others than its process when the sensor found it is told to have had
 * its process's. */
static __always_inline struct rf_privileges *privileges__before(struct task_struct *task)
{
	struct rf_privileges *changed = bpf_task_storage_get(&rf_privileges, task, 0, 0);
	struct rf_process *process;

	if (changed)
		return changed;
	process = bpf_task_storage_get(&rf_processes, task->group_leader, 0, 0);
	/* apart from the other way, or clang adds to what may be no address */
	if (!process)
		return 0;
	rf_barrier(process);
	return &process->privileges;
}

/* Where the thread's own are to be written; `before`: what it had. 0: there is no room, which is counted. */
static __always_inline struct rf_privileges *privileges__own(struct task_struct *task, struct rf_privileges *before)
{
	struct rf_privileges *own = bpf_task_storage_get(&rf_privileges, task, before, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!own)
		failure__count(RF_PLACE_CREDS_BEFORE, FAILURE_ENOMEM);
	return own;
}

#endif
