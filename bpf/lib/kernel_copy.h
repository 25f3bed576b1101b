/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The kernel's own copy of what a task's system call is about. A hook of the full
 * profile (full/) stores it while the call is under way; the program at the call's end
 * reports it in place of the caller's memory. A call that reached no hook has none. */
#ifndef RF_LIB_KERNEL_COPY_H
#define RF_LIB_KERNEL_COPY_H

#include "task.h"

/* Returns the call's number plus 1. 0: the task is in no system call of its
 * own, or in a 32-bit one, whose numbers differ and whose end is not traced. */
static __always_inline __u32 kernel_copy__call(struct task_struct *task)
{
	if (task->flags & (PF_KTHREAD | PF_IO_WORKER) || task__is_compat(task))
		return 0;
	return SYSCALL_NUMBER(task__registers(task)) + 1;
}

static __always_inline void kernel_copy__clear(struct rf_kernel_copy *copy)
{
	copy->call = 0;
	copy->device = 0;
	copy->inode = 0;
	copy->object = 0;
	copy->reported = 0;
	copy->family = 0;
	copy->path.offset = copy->path.kept = copy->path.length = 0;
	copy->target = copy->filesystem = copy->options = copy->path;
}

/* Takes what a hook stored during this call, once; 0: nothing. */
static __always_inline struct rf_kernel_copy *kernel_copy__take(struct task_struct *task)
{
	struct rf_kernel_copy *copy = rf_full ? bpf_task_storage_get(&rf_kernel_copy, task, 0, 0) : 0;
	__u32 call;

	if (!copy)
		return 0;
	call = copy->call;
	copy->call = 0;
	return call == SYSCALL_NUMBER(task__registers(task)) + 1 ? copy : 0;
}

/* `from`: a member of the copy, such as copy->path. */
static __always_inline void kernel_copy__append(struct rf_builder *b, __u32 capacity, struct rf_text *text, struct rf_kernel_copy *copy, const struct rf_text *from)
{
	__u32 offset = from->offset;

	rf_barrier(offset);
	if (offset <= RF_KERNEL_COPY_MAX - RF_PATH_MAX)
		text__append(b, capacity, text, TEXT_KERNEL, copy->text + offset, from->kept, RF_PATH_MAX, from->length);
	else
		text__clear(b, text);
}

#endif
