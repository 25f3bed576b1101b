/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How a system call comes to its program: by its tracepoint, or by a trampoline around the kernel's function for it, where the kernel has them. One tracepoint
 * of one system call sends every system call of the machine down the kernel's slow path; a trampoline costs the calls that nobody watches nothing. What was
 * asked for is in the task's registers either way. */
#ifndef RF_LIB_SYSCALL_H
#define RF_LIB_SYSCALL_H

#include "task.h"

#define SYSCALL_ERRNO_MAX 4095

/* What the caller will get, where it is in its registers already: a call that was not made has its answer there. */
static __always_inline long syscall__return_value(struct task_struct *task)
{
	return PT_REGS_RC(task__registers(task));
}

/* In assembler, lest clang makes one load of both, at an address that it calculates: the verifier wants none of that of a context. */
static __always_inline long syscall__result(void *context)
{
	long result;

	if (rf_refusals)
		result = syscall__return_value(bpf_get_current_task_btf());
	else if (rf_functions) /* u64[2]: the function's argument, its result */
		asm volatile("%0 = *(u64 *)(%1 + 8)" : "=r"(result) : "r"(context));
	else
		result = ((struct trace_event_raw_sys_exit *)context)->ret;
	rf_barrier(result);
	return result;
}

#endif
