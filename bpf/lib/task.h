/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Facts of a task. */
#ifndef RF_LIB_TASK_H
#define RF_LIB_TASK_H

#include "file.h"

static __always_inline void task__fill_header(struct rf_header *h, struct task_struct *task, enum rf_kind kind)
{
	h->ktime = bpf_ktime_get_boot_ns();
	h->sequence = 0;
	h->start = BPF_CORE_READ(task, group_leader, start_boottime);
	h->tgid = BPF_CORE_READ(task, tgid);
	h->tid = BPF_CORE_READ(task, pid);
	h->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	h->exec_id = BPF_CORE_READ(task, self_exec_id);
	h->size = 0;
	h->kind = kind;
	h->cpu = 0;
}

static __always_inline void task__fill_credentials(struct rf_credentials *c, const struct cred *cred)
{
	c->uid = BPF_CORE_READ(cred, uid.val);
	c->gid = BPF_CORE_READ(cred, gid.val);
	c->euid = BPF_CORE_READ(cred, euid.val);
	c->egid = BPF_CORE_READ(cred, egid.val);
	c->suid = BPF_CORE_READ(cred, suid.val);
	c->sgid = BPF_CORE_READ(cred, sgid.val);
	c->fsuid = BPF_CORE_READ(cred, fsuid.val);
	c->fsgid = BPF_CORE_READ(cred, fsgid.val);
	/* until 6.3 two words, since then one: 8 bytes, little-endian, either way */
	bpf_core_read(&c->cap_effective, sizeof(__u64), &cred->cap_effective);
	bpf_core_read(&c->cap_permitted, sizeof(__u64), &cred->cap_permitted);
	bpf_core_read(&c->cap_inheritable, sizeof(__u64), &cred->cap_inheritable);
}

static __always_inline void task__fill_pid_namespace(struct rf_namespaces *ns, struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
	struct upid *own = (void *)numbers + level * bpf_core_type_size(struct upid);

	ns->pid_in_ns = BPF_CORE_READ(own, nr);
	ns->pid = BPF_CORE_READ(own, ns, ns.inum);
}

static __always_inline void task__fill_namespaces(struct rf_namespaces *ns, struct task_struct *task)
{
	struct nsproxy *proxy = BPF_CORE_READ(task, nsproxy);

	ns->mnt = BPF_CORE_READ(proxy, mnt_ns, ns.inum);
	ns->net = BPF_CORE_READ(proxy, net_ns, ns.inum);
	ns->uts = BPF_CORE_READ(proxy, uts_ns, ns.inum);
	ns->ipc = BPF_CORE_READ(proxy, ipc_ns, ns.inum);
	ns->cgroup = BPF_CORE_READ(proxy, cgroup_ns, ns.inum);
	ns->user = BPF_CORE_READ(task, cred, user_ns, ns.inum);
	task__fill_pid_namespace(ns, task);
}

static __always_inline __u32 task__tty(struct task_struct *task)
{
	struct tty_struct *tty = BPF_CORE_READ(task, signal, tty);
	struct tty_driver *driver;

	if (!tty)
		return 0;
	driver = BPF_CORE_READ(tty, driver);
	return (BPF_CORE_READ(driver, major) << 20) | (BPF_CORE_READ(driver, minor_start) + BPF_CORE_READ(tty, index));
}

static __always_inline __u32 task__stdio_sockets(struct task_struct *task)
{
	__u32 sockets = 0;

	for (__u32 descriptor = 0; descriptor < 3; descriptor++)
		if (file__is_socket(file__of_descriptor(task, descriptor)))
			sockets |= 1 << descriptor;
	return sockets;
}

static __always_inline bool task__is_agent(void)
{
	__u32 agent = RF_READ_ONCE(rf_control.agent_tgid);

	return agent && agent == bpf_get_current_pid_tgid() >> 32;
}

/* System call arguments at its exit: the registers still hold what the kernel was given, so no program is needed at its entry. */
static __always_inline struct pt_regs *task__registers(struct task_struct *task)
{
	return (struct pt_regs *)bpf_task_pt_regs(task);
}

#endif
