/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Full profile: stores the kernel's copy of bpf(2)'s attributes. */
#include "hook.h"

static __always_inline void bpf_calls__store(__u32 command, const void *attr, __u32 size)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_kernel_copy *copy;

	if (!bpf_calls__is_reported(command))
		return;
	copy = bpf_task_storage_get(&rf_kernel_copy, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!copy)
		return;
	kernel_copy__clear(copy);
	rf_barrier(size);
	if (size > sizeof(struct bpf_calls_attr))
		size = sizeof(struct bpf_calls_attr);
	__builtin_memset(copy->text, 0, sizeof(struct bpf_calls_attr));
	if (!bpf_probe_read_kernel(copy->text, size, attr))
		copy->call = kernel_copy__call(task);
}

FULL_HOOK(bpf, bpf_calls__store(command, attr, size), int command, void *attr, unsigned int size)
