/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Full profile: the kernel's copy of what bpf(2) is asked for. */
#include "hook.h"

static __always_inline void bpf_calls__write_down(__u32 command, const void *attr, __u32 size)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_truth *truth;

	if (!bpf_calls__is_reported(command))
		return;
	truth = bpf_task_storage_get(&rf_truths, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!truth)
		return;
	truth__clear(truth);
	rf_barrier(size);
	if (size > sizeof(struct bpf_calls_attr))
		size = sizeof(struct bpf_calls_attr);
	__builtin_memset(truth->text, 0, sizeof(struct bpf_calls_attr));
	if (!bpf_probe_read_kernel(truth->text, size, attr))
		truth->call = truth__call(task);
}

FULL_HOOK(bpf, bpf_calls__write_down(command, attr, size), int command, void *attr, unsigned int size)
