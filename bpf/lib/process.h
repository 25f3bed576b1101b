/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What is remembered of a process, by its leader. */
#ifndef RF_LIB_PROCESS_H
#define RF_LIB_PROCESS_H

#include "executable.h"
#include "privileges.h"

/* It has executed a file, or was found. */
static __always_inline void process__note(struct task_struct *task, struct file *file)
{
	struct rf_process *process = bpf_task_storage_get(&rf_processes, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!process) {
		failure__count(RF_PLACE_EXECUTED, FAILURE_ENOMEM);
		return;
	}
	executable__fill(process, file);
	privileges__fill(&process->privileges, task);
	bpf_task_storage_delete(&rf_privileges, task);
}

/* One that the sensor found: what it was executed as is not known, or known already. */
static __always_inline void process__find(struct task_struct *task, struct file *file)
{
	if (!bpf_task_storage_get(&rf_processes, task, 0, 0))
		process__note(task, file);
}

static __always_inline void process__inherit(struct task_struct *parent, struct task_struct *child)
{
	struct rf_process *before = bpf_task_storage_get(&rf_processes, parent->group_leader, 0, 0);
	struct rf_process *process = before ? bpf_task_storage_get(&rf_processes, child, before, BPF_LOCAL_STORAGE_GET_F_CREATE) : 0;

	if (process)
		privileges__fill(&process->privileges, child);
	else if (before)
		failure__count(RF_PLACE_EXECUTED, FAILURE_ENOMEM);
}

#endif
