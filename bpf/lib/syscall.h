/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How a system call comes to its program: by its tracepoint, or by a trampoline around the kernel's function for it, where the kernel has them. One tracepoint
 * of one system call sends every system call of the machine down the kernel's slow path; a trampoline costs the calls that nobody watches nothing. What was
 * asked for is in the task's registers either way. Without tracepoints calls that seccomp refuses come to no program but refused.bpf.h's. */
#ifndef RF_LIB_SYSCALL_H
#define RF_LIB_SYSCALL_H

#include "task.h"

/* In assembler, lest clang makes one load of both, at an address that it calculates: the verifier wants none of that of a context. */
static __always_inline long syscall__result(void *context)
{
	long result;

	if (rf_functions) /* u64[2]: the function's argument, its result */
		asm volatile("%0 = *(u64 *)(%1 + 8)" : "=r"(result) : "r"(context));
	else
		result = ((struct trace_event_raw_sys_exit *)context)->ret;
	rf_barrier(result);
	return result;
}

#endif
