/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A process reads or writes another process, at the end of the system call.
 * open.bpf.h sees opens of files in /proc. The registers name the target by number
 * or descriptor; target 0: no such process, or its descriptor is closed again. */
#include "lib/access.h"
#include "lib/syscall.h"
#include "lib/kernel_copy.h"

#define PTRACE_TRACEME 0
#define PTRACE_POKETEXT 4
#define PTRACE_POKEDATA 5
#define PTRACE_POKEUSR 6
#define PTRACE_SETREGS 13
#define PTRACE_SETFPREGS 15
#define PTRACE_ATTACH 16
#define PTRACE_SETREGSET 0x4205
#define PTRACE_SEIZE 0x4206

/* Requests that attach to a process or change it. Reading registers
 * and resuming is what every tracer then does, endlessly. */
static __always_inline bool access__is_reported(__u32 request)
{
	return request == PTRACE_TRACEME || (request >= PTRACE_POKETEXT && request <= PTRACE_POKEUSR) || request == PTRACE_SETREGS ||
	       request == PTRACE_SETFPREGS || request == PTRACE_ATTACH || request == PTRACE_SETREGSET || request == PTRACE_SEIZE;
}

/* `pid`: the process that the call names. */
static __always_inline void access__fill_target(struct access *access, struct task_struct *task, struct pid *pid)
{
	struct rf_kernel_copy *copy = kernel_copy__take(task);

	if (copy) {
		access->target_tgid = copy->inode;
		access->target_start = copy->object;
	} else
		pid__identify(pid, &access->target_tgid, &access->target_start);
}

SEC("tracepoint/syscalls/sys_exit_ptrace")
int ptrace_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct access access = { .operation = RF_ACCESS_PTRACE, .request = PT_REGS_PARM1_SYSCALL(registers), .result = syscall__result(context) };

	if (!access__is_reported(access.request))
		return 0;
	if (access.request == PTRACE_TRACEME) {
		/* the caller itself is traced from now on */
		access.target_tgid = task->tgid;
		access.target_start = kernel__start(task);
	} else {
		access.address = PT_REGS_PARM3_SYSCALL(registers);
		access__fill_target(&access, task, pid__find(task, PT_REGS_PARM2_SYSCALL(registers)));
	}
	return access__handle(&access);
}

/* Reports the first of several pieces. Its address is the caller's memory; the result is what was moved in total. */
static __always_inline int access__vm(void *context, enum rf_access_operation operation)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct access access = { .operation = operation, .result = syscall__result(context) };
	const void *remote = (const void *)PT_REGS_PARM4_SYSCALL(registers);
	struct iovec piece = {};

	access__fill_target(&access, task, pid__find(task, PT_REGS_PARM1_SYSCALL(registers)));
	if (access.target_tgid == task->tgid)
		return 0;
	bpf_probe_read_user(&piece, sizeof(piece), remote);
	access.address = (__u64)piece.iov_base;
	access.length = piece.iov_len;
	return access__handle(&access);
}

SEC("tracepoint/syscalls/sys_exit_process_vm_readv")
int process_vm_readv_exit(void *context)
{
	return access__vm(context, RF_ACCESS_PROCESS_VM_READV);
}

SEC("tracepoint/syscalls/sys_exit_process_vm_writev")
int process_vm_writev_exit(void *context)
{
	return access__vm(context, RF_ACCESS_PROCESS_VM_WRITEV);
}

SEC("tracepoint/syscalls/sys_exit_pidfd_getfd")
int pidfd_getfd_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct access access = {
		.operation = RF_ACCESS_PIDFD_GETFD,
		.request = PT_REGS_PARM2_SYSCALL(registers),
		.result = syscall__result(context),
	};

	access__fill_target(&access, task, pid__of_descriptor(task, PT_REGS_PARM1_SYSCALL(registers)));
	if (access.target_tgid == task->tgid)
		return 0;
	return access__handle(&access);
}
