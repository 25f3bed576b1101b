/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Full profile: stores which process is accessed or signalled. It may be gone when the call ends. */
#include "hook.h"

static __always_inline void process__store(struct task_struct *target)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 call = kernel_copy__call(task);
	struct rf_kernel_copy *copy;

	if (!call || kernel_copy__is_open(call))
		return;
	copy = bpf_task_storage_get(&rf_kernel_copy, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!copy)
		return;
	kernel_copy__clear(copy);
	copy->object = BPF_CORE_READ(target, group_leader, start_boottime);
	copy->inode = BPF_CORE_READ(target, tgid);
	copy->device = BPF_CORE_READ(target, cred, uid.val);
	copy->call = call;
}

FULL_HOOK(ptrace_access_check, process__store(target), struct task_struct *target)
FULL_HOOK(task_kill, process__store(target), struct task_struct *target)
