/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Reports the process that changes a limit of the agent with prlimit(2). The agent itself finds a
 * changed limit at its next tick, but not the process that changed it. */
#include "lib/pid.h"
#include "lib/syscall.h"
#include "lib/tampering.h"

/* Linked programs ask for their limits at their start: without a new limit, and without a pid. */
SEC("tracepoint/syscalls/sys_exit_prlimit64")
int prlimit_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	enum tampering_victim victim;
	__u32 tgid;
	__u64 start;

	if (!PT_REGS_PARM1_SYSCALL(registers) || !PT_REGS_PARM3_SYSCALL(registers))
		return 0;
	if (!pid__identify(pid__find(task, PT_REGS_PARM1_SYSCALL(registers)), &tgid, &start) || tgid == task->tgid)
		return 0;
	victim = tampering__victim(tgid, start);
	if (victim)
		tampering__record(victim | RF_TAMPERING_AGENT_LIMIT, PT_REGS_PARM2_SYSCALL(registers), 0, syscall__result(context), 0);
	return 0;
}
