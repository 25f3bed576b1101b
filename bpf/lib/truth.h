/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the kernel itself knows of the system call that a task is in. A hook of the full profile (full/) writes it down while the call is under way; the
 * program at the call's end takes it, and tells it in place of the caller's memory. A call that came to no hook has none. */
#ifndef RF_LIB_TRUTH_H
#define RF_LIB_TRUTH_H

#include "task.h"

/* 0: what runs is no system call of this task, or a 32-bit one, whose numbers mean something else and whose end nobody sees. */
static __always_inline __u32 truth__call(struct task_struct *task)
{
	if (task->flags & (PF_KTHREAD | PF_IO_WORKER) || task__is_compat(task))
		return 0;
	return SYSCALL_NUMBER(task__registers(task)) + 1;
}

static __always_inline void truth__clear(struct rf_truth *truth)
{
	truth->call = 0;
	truth->device = 0;
	truth->inode = 0;
	truth->object = 0;
	truth->told = 0;
	truth->family = 0;
	truth->path.offset = truth->path.kept = truth->path.length = 0;
	truth->target = truth->filesystem = truth->options = truth->path;
}

/* What was written down during this call, once; 0: nothing. */
static __always_inline struct rf_truth *truth__take(struct task_struct *task)
{
	struct rf_truth *truth = rf_full ? bpf_task_storage_get(&rf_truths, task, 0, 0) : 0;
	__u32 call;

	if (!truth)
		return 0;
	call = truth->call;
	truth->call = 0;
	return call == SYSCALL_NUMBER(task__registers(task)) + 1 ? truth : 0;
}

/* `from`: truth->path or truth->target. */
static __always_inline void truth__append(struct rf_builder *b, __u32 room, struct rf_text *text, struct rf_truth *truth, const struct rf_text *from)
{
	__u32 offset = from->offset;

	rf_barrier(offset);
	if (offset <= RF_TRUTH_MAX - RF_PATH_MAX)
		text__append(b, room, text, TEXT_KERNEL, truth->text + offset, from->kept, RF_PATH_MAX, from->length);
	else
		text__clear(b, text);
}

#endif
