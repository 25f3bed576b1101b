/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The record of a thread that changes its own confinement, or that makes a
 * 32-bit system call although it is a 64-bit one: those are not traced. */
#ifndef RF_LIB_ISOLATION_H
#define RF_LIB_ISOLATION_H

#include "merge.h"

struct isolation {
	__u64 option;
	__u64 argument;
	const struct rf_privileges *before; /* 0: the call changes no credentials */
	__u32 operation;
	__s32 result;
};

/* After a successful setns or unshare the new namespaces are part
 * of the merge key: two equal calls can lead to different ones. */
static __always_inline __u64 isolation__merge_detail(const struct rf_namespaces *ns, const struct isolation *isolation)
{
	if (isolation->result < 0 || isolation->operation > RF_ISOLATION_UNSHARE)
		return isolation->argument;
	return (__u64)(ns->mnt ^ ns->user ^ ns->uts) << 32 | (__u32)(ns->net ^ ns->pid ^ ns->ipc ^ ns->cgroup);
}

static __noinline int isolation__report(const struct isolation *isolation)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_namespaces namespaces = {};
	struct rf_isolation *record;
	struct rf_header number = {};
	struct rf_merge_key key;
	__u32 count;

	if (!interest__admits(RF_LANE_SECURITY, RF_ISOLATION))
		return 0;
	ring__count_seen(RF_LANE_SECURITY, RF_ISOLATION);
	task__fill_namespaces(&namespaces, task);
	merge__fill_key(&key, task, RF_ISOLATION, (__u64)isolation->operation << 56 ^ (__u64)(__u32)isolation->result << 32 ^ isolation->option,
			isolation__merge_detail(&namespaces, isolation));
	record = merge__reserve(RF_LANE_SECURITY, &key, sizeof(*record), &number, &count);
	if (!record)
		return 0;
	task__fill_header(&record->h, task, RF_ISOLATION);
	record->option = isolation->option;
	record->argument = isolation->argument;
	record->namespaces = namespaces;
	task__fill_credentials(&record->after, kernel__plain(task)->cred);
	record->before = isolation->before ? isolation->before->credentials : record->after;
	record->operation = isolation->operation;
	record->result = isolation->result;
	record->count = count;
	record->pad = 0;
	ring__submit(RF_LANE_SECURITY, record, sizeof(*record), &number);
	return 0;
}

/* A 64-bit process enters the kernel by int 0x80, where no program for the end of a system call
 * runs. Hooks that run anyway notice it. Only x86 has such calls: on arm64 a process has one kind. */
static __always_inline void isolation__notice_compat(struct task_struct *task, enum rf_compat_hook hook)
{
#ifdef __TARGET_ARCH_x86
	struct isolation isolation = { .operation = RF_ISOLATION_COMPAT_CALL, .argument = hook };

	if (!task__is_compat(task) || task__is_32bit(task))
		return;
	isolation.option = (__u32)SYSCALL_NUMBER(task__registers(task));
	isolation__report(&isolation);
#endif
}

#endif
