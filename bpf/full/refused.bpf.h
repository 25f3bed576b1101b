/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Full profile: a system call that seccomp refuses never reaches the kernel
 * function around which its program is attached. That program is loaded a second
 * time and run from here, so that the record is the same as at a tracepoint. */
#include "../lib/syscall.h"
#include "hook.h"

/* __secure_computing returns -1 for a call that is not made: refused, answered
 * by a tracer or a supervisor, or ending its thread, which fault.bpf.h reports. */
SEC("?fexit/__secure_computing")
int call_refused(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	__u64 verdict = 0;

	bpf_get_func_ret(context, &verdict);
	if (!(__s32)verdict || task__is_compat(task) || (__u64)syscall__return_value(task) < (__u64)-SYSCALL_ERRNO_MAX)
		return 0;
	bpf_tail_call(context, &rf_refused, SYSCALL_NUMBER(registers));
	return 0;
}
