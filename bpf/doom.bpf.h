/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A doom: all processes of a tree, a session or a cgroup are to be killed or stopped. The iterator marks each of them,
 * a child inherits the mark (lib/executable.h), and a marked process gets the signal at its next system call, before
 * the kernel carries the call out: since fork refuses to run with a fatal signal pending, nothing forks away. Attached
 * only while a doom is in force. User space sends the signal too, for a process that makes no system call. */
#include "lib/executable.h"

#define DOOM_CGROUP_DEPTH 32

static __always_inline bool doom__has_cgroup(const struct rf_doom *doom, struct task_struct *task)
{
	struct cgroup *cgroup = kernel__plain(task)->cgroups->dfl_cgrp;

	for (int depth = 0; depth < DOOM_CGROUP_DEPTH; depth++) {
		struct kernfs_node *node = kernel__read(cgroup, kn);
		struct cgroup_subsys_state *above = kernel__read(cgroup, self.parent);

		if (kernel__read(node, id) == doom->cgroup)
			return true;
		if (!above)
			break;
		cgroup = kernel__read(above, cgroup);
	}
	return false;
}

static __always_inline bool doom__has_session(const struct rf_doom *doom, struct task_struct *task)
{
	struct signal_struct *signal = kernel__plain(task)->signal;
	struct pid *leader = kernel__read(signal, pids[PIDTYPE_SID]);

	if (doom->login_session && bpf_core_field_exists(task->sessionid) && task->sessionid == doom->login_session)
		return true;
	return doom->session && kernel__read(leader, numbers[0].nr) == doom->session;
}

static __always_inline bool doom__has_parent(const struct rf_doom *doom, struct task_struct *task)
{
	struct task_struct *parent = task->real_parent;
	struct rf_executed *executed;

	if (!parent)
		return false;
	executed = bpf_task_storage_get(&rf_executed, parent->group_leader, 0, 0);
	return executed && executed->doom == doom->number;
}

static __always_inline bool doom__has(const struct rf_doom *doom, struct task_struct *task, struct rf_executed *executed)
{
	if (doom->root && (lineage__key(task) == doom->root || lineage__has(&executed->lineage, doom->root)))
		return true;
	if (doom->cgroup && doom__has_cgroup(doom, task))
		return true;
	return doom__has_session(doom, task) || doom__has_parent(doom, task);
}

/* Its descendants are not spared: a protected program must be no shield. */
static __always_inline bool doom__spares(const struct rf_doom *doom, struct task_struct *task)
{
	__u64 key = lineage__key(task);
	__u64 *number = bpf_map_lookup_elem(&rf_spared, &key);

	return number && *number == doom->number;
}

/* Marks and lists the processes of the first doom in rf_dooms. Those whose threads have all ended are left out. */
SEC("iter/task")
int doomed(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct rf_victim victim = {};
	struct rf_executed *executed;
	struct signal_struct *signal;
	struct task_struct *parent;
	struct rf_doom *doom;
	__u32 first = 0;

	if (!task || task->group_leader != task || task->flags & PF_KTHREAD)
		return 0;
	doom = bpf_map_lookup_elem(&rf_dooms, &first);
	executed = bpf_task_storage_get(&rf_executed, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	signal = kernel__plain(task)->signal;
	if (!doom || !executed || !kernel__read(signal, live.counter))
		return 0;
	if (doom__spares(doom, task)) {
		executed->doom = 0;
		return 0;
	}
	if (executed->doom != doom->number) {
		if (!doom__has(doom, task, executed))
			return 0;
		executed->doom = doom->number;
		victim.fresh = 1;
	}
	victim.start = task->start_boottime;
	victim.tgid = task->tgid;
	parent = kernel__plain(task)->real_parent;
	victim.parent_tgid = kernel__read(parent, tgid);
	victim.stopped = kernel__read(signal, flags) & SIGNAL_STOP_STOPPED;
	bpf_seq_write(context->meta->seq, &victim, sizeof(victim));
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(doomed_call, struct pt_regs *registers, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_executed *executed = bpf_task_storage_get(&rf_executed, task->group_leader, 0, 0);
	struct rf_doom *doom;
	__u32 slot;

	if (!executed || !executed->doom)
		return 0;
	slot = 1 + executed->doom % RF_DOOMS;
	doom = bpf_map_lookup_elem(&rf_dooms, &slot);
	if (doom && doom->number == executed->doom && doom->signal)
		bpf_send_signal(doom->signal);
	return 0;
}
