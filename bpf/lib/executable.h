/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Whether a rule asks for everything the current process opens and changes, by the last component
 * of its executable at its last exec. The name is stored then, as rules compare that one: after a
 * rename or PR_SET_MM_EXE_FILE the kernel would return another. Threads share their leader's. */
#ifndef RF_LIB_EXECUTABLE_H
#define RF_LIB_EXECUTABLE_H

#include "lineage.h"
#include "watch.h"

/* An executable that is no regular file can have a slash in its
 * name, such as one from memfd_create: then its path ends otherwise. */
static __always_inline bool executable__has_slash(const struct rf_name_key *key)
{
	const __u64 *words = (const __u64 *)key->name;
	__u64 found = 0;

	for (int at = 0; at < RF_NAME_MAX / sizeof(*words); at++)
		found |= watch__find(words[at], '/');
	return found;
}

static __always_inline void executable__fill(struct rf_executed *executed, struct file *file)
{
	struct qstr name = {};

	executed->known = 0;
	if (!file || !path__last_name(kernel__read(file, f_path.mnt), kernel__read(file, f_path.dentry), &name))
		return;
	watch__cut(&name);
	executed->known = watch__fill_key(&executed->name, name.name, name.len) && !executable__has_slash(&executed->name);
}

/* `process` is the leader of its thread group. */
static __always_inline void executable__store(struct task_struct *process, struct file *file)
{
	struct rf_executed *executed = bpf_task_storage_get(&rf_executed, process, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!executed) {
		failure__count(RF_PLACE_EXECUTED, FAILURE_ENOMEM);
		return;
	}
	executable__fill(executed, file);
	lineage__note_image(&executed->lineage, process);
}

/* For a process that the sensor finds at start. Does not overwrite what is stored already. */
static __always_inline void executable__store_if_absent(struct task_struct *process, struct file *file)
{
	struct rf_executed *executed = bpf_task_storage_get(&rf_executed, process, 0, 0);

	if (!executed) {
		executable__store(process, file);
		executed = bpf_task_storage_get(&rf_executed, process, 0, 0);
	}
	if (executed)
		lineage__adopt(&executed->lineage, process);
}

static __always_inline void executable__inherit(struct task_struct *parent, struct task_struct *child)
{
	struct rf_executed *executed = bpf_task_storage_get(&rf_executed, parent->group_leader, 0, 0);
	struct rf_executed *inherited;

	if (!executed)
		return;
	inherited = bpf_task_storage_get(&rf_executed, child, executed, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!inherited)
		inherited = bpf_task_storage_get(&rf_executed, child, 0, 0);
	if (!inherited) {
		failure__count(RF_PLACE_EXECUTED, FAILURE_ENOMEM);
		return;
	}
	/* An iterator may have met the child before this hook: what it stored knows no ancestors. */
	if (!inherited->lineage.fork_count)
		__builtin_memcpy(inherited, executed, sizeof(*inherited));
	lineage__note_parent(&inherited->lineage, parent);
}

/* Global, so that the verifier checks it once and not on every path: the leader must be a trusted pointer,
 * for which the verifier looks names up in the kernel's whole BTF. That took half of the load time. */
__noinline int executable__is_listed(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_executed *executed = bpf_task_storage_get(&rf_executed, task->group_leader, 0, 0);

	return !executed || !executed->known || bpf_map_lookup_elem(&rf_executables, &executed->name);
}

/* An unknown executable may be any. Costs one load while no rule asks for executables. */
static __always_inline bool executable__is_watched(void)
{
	return RF_READ_ONCE(rf_control.executables_named) && executable__is_listed();
}

#endif
