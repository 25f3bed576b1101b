/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A thread changes its own confinement, at the end of the system call. A new user namespace gives capabilities: the
 * change of credentials is reported after the call, so that on the call's event the process has those of before. */
#include "lib/isolation.h"
#include "lib/syscall.h"

#define PR_SET_DUMPABLE 4
#define PR_SET_KEEPCAPS 8
#define PR_SET_SECCOMP 22
#define PR_SET_SECUREBITS 28
#define PR_SET_MM 35
#define PR_SET_CHILD_SUBREAPER 36
#define PR_SET_NO_NEW_PRIVS 38
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_IS_SET 1
#define PR_SET_PTRACER 0x59616d61

#define SECCOMP_SET_MODE_FILTER 1
#define PERSONALITY_QUERY 0xffffffff

/* For setns without a type: returns the type of the descriptor's namespace. */
static __always_inline __u32 isolation__type_of(struct task_struct *task, __u32 descriptor)
{
	struct file *file = file__of_descriptor(task, descriptor);
	struct proc_ns_operations___6_17 *operations;
	struct ns_common___6_18 *typed;
	struct ns_common *ns;

	if (!file || BPF_CORE_READ(file, f_inode, i_sb, s_magic) != NSFS_MAGIC)
		return 0;
	ns = BPF_CORE_READ(file, f_inode, i_private);
	typed = (void *)ns;
	if (bpf_core_field_exists(typed->ns_type))
		return BPF_CORE_READ(typed, ns_type);
	operations = (void *)BPF_CORE_READ(ns, ops);
	return BPF_CORE_READ(operations, type);
}

SEC("tracepoint/syscalls/sys_exit_setns")
int setns_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	__u32 type = PT_REGS_PARM2_SYSCALL(registers);
	struct isolation isolation = { .option = type, .operation = RF_ISOLATION_SETNS, .result = syscall__result(context) };

	isolation.before = bpf_task_storage_get(&rf_privileges, task, 0, 0);
	if (!type)
		isolation.option = isolation__type_of(task, PT_REGS_PARM1_SYSCALL(registers));
	isolation__report(&isolation);
	credentials__compare(task);
	return 0;
}

/* Unsharing files or the working directory confines nothing. */
SEC("tracepoint/syscalls/sys_exit_unshare")
int unshare_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 flags = PT_REGS_PARM1_SYSCALL(task__registers(task));
	struct isolation isolation = { .option = flags, .operation = RF_ISOLATION_UNSHARE, .result = syscall__result(context) };

	isolation.before = bpf_task_storage_get(&rf_privileges, task, 0, 0);
	if (flags & CLONE_NEW_ANY)
		isolation__report(&isolation);
	credentials__compare(task);
	return 0;
}

/* Reported options decide who may access the process (DUMPABLE, PTRACER), what it looks like from outside (MM:
 * command line and executable), who gets its orphans (CHILD_SUBREAPER), and what it keeps or gains over an
 * exec or a change of user (KEEPCAPS, SECUREBITS, NO_NEW_PRIVS, CAP_AMBIENT, SECCOMP). Not CAPBSET_DROP, which
 * only removes and is called forty times at the start of a container, nor NAME, which threads change freely. */
static __always_inline bool isolation__is_reported(__u32 option, __u32 argument)
{
	switch (option) {
	case PR_SET_DUMPABLE:
	case PR_SET_KEEPCAPS:
	case PR_SET_SECCOMP:
	case PR_SET_SECUREBITS:
	case PR_SET_MM:
	case PR_SET_CHILD_SUBREAPER:
	case PR_SET_NO_NEW_PRIVS:
	case PR_SET_PTRACER:
		return true;
	case PR_CAP_AMBIENT:
		return argument != PR_CAP_AMBIENT_IS_SET;
	default:
		return false;
	}
}

SEC("tracepoint/syscalls/sys_exit_prctl")
int prctl_exit(void *context)
{
	struct pt_regs *registers = task__registers(bpf_get_current_task_btf());
	struct isolation isolation = {
		.option = (__u32)PT_REGS_PARM1_SYSCALL(registers),
		.argument = PT_REGS_PARM2_SYSCALL(registers),
		.operation = RF_ISOLATION_PRCTL,
		.result = syscall__result(context),
	};

	return isolation__is_reported(isolation.option, isolation.argument) ? isolation__report(&isolation) : 0;
}

/* Other operations of seccomp only query. */
SEC("tracepoint/syscalls/sys_exit_seccomp")
int seccomp_exit(void *context)
{
	struct pt_regs *registers = task__registers(bpf_get_current_task_btf());
	struct isolation isolation = {
		.option = (__u32)PT_REGS_PARM1_SYSCALL(registers),
		.argument = (__u32)PT_REGS_PARM2_SYSCALL(registers),
		.operation = RF_ISOLATION_SECCOMP,
		.result = syscall__result(context),
	};

	return isolation.option <= SECCOMP_SET_MODE_FILTER ? isolation__report(&isolation) : 0;
}

/* arm64 has its own call instead. */
#ifdef __TARGET_ARCH_arm64
#define PERSONALITY_EXIT "tracepoint/syscalls/sys_exit_arm64_personality"
#else
#define PERSONALITY_EXIT "tracepoint/syscalls/sys_exit_personality"
#endif

/* The call returns the previous persona. */
SEC(PERSONALITY_EXIT)
int personality_exit(void *context)
{
	struct pt_regs *registers = task__registers(bpf_get_current_task_btf());
	__u32 persona = PT_REGS_PARM1_SYSCALL(registers);
	struct isolation isolation = { .option = persona, .operation = RF_ISOLATION_PERSONALITY, .result = syscall__result(context) };

	if (persona == PERSONALITY_QUERY || persona == (__u32)isolation.result)
		return 0;
	if (isolation.result >= 0) {
		isolation.argument = isolation.result;
		isolation.result = 0;
	}
	return isolation__report(&isolation);
}
