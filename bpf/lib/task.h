/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Facts about a task. The kernel passes it as a typed pointer, so
 * plain loads follow its pointers at a tenth of a helper's cost. */
#ifndef RF_LIB_TASK_H
#define RF_LIB_TASK_H

#include "file.h"

static __always_inline void task__fill_header(struct rf_header *h, struct task_struct *task, enum rf_kind kind)
{
	h->ktime = bpf_ktime_get_boot_ns();
	h->sequence = 0;
	h->start = kernel__start(task);
	h->tgid = task->tgid;
	h->tid = task->pid;
	h->cgroup = kernel__cgroup(task);
	h->exec_id = task->self_exec_id;
	h->size = 0;
	h->kind = kind;
	h->cpu = 0;
	h->generation = interest__generation();
}

static __always_inline void task__fill_credentials(struct rf_credentials *c, const struct cred *cred)
{
	c->uid = cred->uid.val;
	c->gid = cred->gid.val;
	c->euid = cred->euid.val;
	c->egid = cred->egid.val;
	c->suid = cred->suid.val;
	c->sgid = cred->sgid.val;
	c->fsuid = cred->fsuid.val;
	c->fsgid = cred->fsgid.val;
	/* two words until 6.3, one since: the same 8 little-endian bytes */
	c->cap_effective = *(__u64 *)&cred->cap_effective;
	c->cap_permitted = *(__u64 *)&cred->cap_permitted;
	c->cap_inheritable = *(__u64 *)&cred->cap_inheritable;
}

static __always_inline void task__fill_pid_namespace(struct rf_namespaces *ns, struct task_struct *task)
{
	struct signal_struct *signal = kernel__plain(task)->signal;
	struct pid *pid = kernel__read(signal, pids[PIDTYPE_TGID]);
	__u32 level = kernel__read(pid, level);
	struct upid *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
	struct upid *innermost = (void *)numbers + level * bpf_core_type_size(struct upid);
	struct pid_namespace *namespace = kernel__read(innermost, ns);

	ns->pid_in_ns = kernel__read(innermost, nr);
	ns->pid = kernel__read(namespace, ns.inum);
}

/* Returns the number of a process group or session in the task's own pid namespace; 0: it has none there. */
static __always_inline __u32 task__number_of(struct task_struct *task, struct pid *leader)
{
	struct signal_struct *signal = kernel__plain(task)->signal;
	struct pid *own = kernel__read(signal, pids[PIDTYPE_TGID]);
	__u32 level = kernel__read(own, level);
	__u32 offset = bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid);
	struct upid *own_number = (void *)own + offset;
	struct upid *number = (void *)leader + offset;

	if (!leader || kernel__read(leader, level) < level || kernel__read(number, ns) != kernel__read(own_number, ns))
		return 0;
	return kernel__read(number, nr);
}

static __always_inline void task__fill_leaders(struct rf_exec *e, struct task_struct *task)
{
	struct signal_struct *signal = kernel__plain(task)->signal;

	e->process_group = task__number_of(task, kernel__read(signal, pids[PIDTYPE_PGID]));
	e->process_session = task__number_of(task, kernel__read(signal, pids[PIDTYPE_SID]));
}

static __always_inline void task__fill_namespaces(struct rf_namespaces *ns, struct task_struct *task)
{
	struct nsproxy *proxy = kernel__plain(task)->nsproxy;

	ns->mnt = proxy->mnt_ns->ns.inum;
	ns->net = proxy->net_ns->ns.inum;
	ns->uts = proxy->uts_ns->ns.inum;
	ns->ipc = proxy->ipc_ns->ns.inum;
	ns->cgroup = proxy->cgroup_ns->ns.inum;
	ns->user = kernel__plain(task)->cred->user_ns->ns.inum;
	task__fill_pid_namespace(ns, task);
}

static __always_inline __u32 task__tty(struct task_struct *task)
{
	struct tty_struct *tty = kernel__plain(task)->signal->tty;
	struct tty_driver *driver;

	if (!tty)
		return 0;
	driver = tty->driver;
	return (driver->major << 20) | (driver->minor_start + tty->index);
}

static __always_inline __u32 task__stdio_sockets(struct task_struct *task)
{
	__u32 sockets = 0;

	for (__u32 descriptor = 0; descriptor < 3; descriptor++) {
		struct file *file = file__of_descriptor(task, descriptor);

		if (file__is_socket(file))
			sockets |= 1 << descriptor;
		if (file__is_network_socket(file))
			sockets |= RF_STDIO_NETWORK_INPUT << descriptor;
	}
	return sockets;
}

static __always_inline bool task__is_agent(struct task_struct *task)
{
	__u32 agent = RF_READ_ONCE(rf_control.agent_tgid);

	return agent && agent == task->tgid && kernel__start(task) == RF_READ_ONCE(rf_control.agent_start);
}

/* Returns the value of bpf_get_current_pid_tgid at a tenth of its cost. */
static __always_inline __u64 task__key(struct task_struct *task)
{
	return (__u64)task->tgid << 32 | (__u32)task->pid;
}

/* System call arguments at exit: the registers still hold what
 * the kernel was passed, so no program is needed at entry. */
static __always_inline struct pt_regs *task__registers(struct task_struct *task)
{
	return (struct pt_regs *)bpf_task_pt_regs(task);
}

/* If true, another thread may swap the file behind a descriptor before the system call ends. */
static __always_inline bool task__shares_files(struct task_struct *task)
{
	struct files_struct *files = kernel__plain(task)->files;

	return files && files->count.counter > 1;
}

/* Whether the task is in a 32-bit system call. */
static __always_inline bool task__is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return task->thread_info.status & TS_COMPAT;
#else
	return task->thread_info.flags & 1UL << TIF_32BIT;
#endif
}

/* Whether the address space of a process has 32 bits: i386, x32, or 32-bit Arm.
 * Until 6.15 an exiting task has no `mm` any more, but the same one as `active_mm`. */
static __always_inline bool task__is_32bit(struct task_struct *task)
{
	return kernel__plain(task)->active_mm->task_size <= 1ULL << 32;
}

/* Returns CLONE_* of the current task's call, without the exit signal; 0: fork, a kernel thread, or another
 * call. clone3's flags are in the caller's memory, which another thread may have changed meanwhile. */
static __always_inline __u64 task__clone_flags(struct task_struct *task)
{
	struct pt_regs *registers = task__registers(task);
	__s32 number = SYSCALL_NUMBER(registers);
	__u64 flags = 0;

	if (task->flags & PF_KTHREAD)
		return 0;
	if (number == SYSCALL_CLONE) {
		flags = PT_REGS_PARM1_SYSCALL(registers);
	} else if (number == SYSCALL_VFORK) {
		flags = CLONE_AS_VFORK;
	} else if (number == SYSCALL_CLONE3) {
		bpf_probe_read_user(&flags, sizeof(flags), (const void *)PT_REGS_PARM1_SYSCALL(registers));
		/* otherwise clang merges this load and the register's into one instruction */
		rf_barrier(flags);
	}
	return flags & ~(__u64)CLONE_SIGNAL;
}

#endif
