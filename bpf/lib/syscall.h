/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How a program is attached to a system call: to its tracepoint, or by a trampoline around
 * the kernel's function, where the kernel supports that. One tracepoint on one system call
 * sends every system call of the machine down the kernel's slow path; a trampoline costs
 * the other calls nothing. The arguments are in the task's registers either way. */
#ifndef RF_LIB_SYSCALL_H
#define RF_LIB_SYSCALL_H

#include "task.h"

#define SYSCALL_ERRNO_MAX 4095

/* Returns the call's result if it is in the caller's registers
 * already, as after a call that seccomp did not let through. */
static __always_inline long syscall__return_value(struct task_struct *task)
{
	return PT_REGS_RC(task__registers(task));
}

/* In assembler, because clang would merge both loads into one
 * from a computed context address, which the verifier rejects. */
static __always_inline long syscall__result(void *context)
{
	long result;

	if (rf_refusals)
		result = syscall__return_value(bpf_get_current_task_btf());
	else if (rf_functions) /* u64[2]: the function's argument and its result */
		asm volatile("%0 = *(u64 *)(%1 + 8)" : "=r"(result) : "r"(context));
	else
		result = ((struct trace_event_raw_sys_exit *)context)->ret;
	rf_barrier(result);
	return result;
}

#endif
