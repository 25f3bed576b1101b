/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A thread's users, groups or capability sets change. commit_creds has no
 * tracepoint, so each system call that can change them is traced: the credentials at
 * its beginning are kept until it ends. Changes by an exec are in the exec's record. */
#include "lib/syscall.h"

static __always_inline void credentials__fill_groups(struct rf_groups *groups, const struct cred *cred)
{
	const struct group_info *info = cred->group_info;
	__u32 count = info->ngroups;

	__builtin_memset(groups, 0, sizeof(*groups));
	groups->count = count;
	rf_barrier(count);
	if (count > RF_GROUPS_MAX)
		count = RF_GROUPS_MAX;
	failure__check(RF_PLACE_CREDS_BEFORE, bpf_probe_read_kernel(groups->ids, count * sizeof(__u32), info->gid));
}

static __always_inline int credentials__remember(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_privileges *before = bpf_task_storage_get(&rf_privileges, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	const struct cred *cred = kernel__plain(task)->cred;

	if (!before) {
		failure__count(RF_PLACE_CREDS_BEFORE, FAILURE_ENOMEM);
		return 0;
	}
	task__fill_credentials(&before->credentials, cred);
	credentials__fill_groups(&before->groups, cred);
	return 0;
}

static __always_inline bool credentials__differ(const struct rf_credentials *a, const struct rf_credentials *b)
{
	const __u64 *first = (const __u64 *)a;
	const __u64 *second = (const __u64 *)b;

	for (int word = 0; word < sizeof(*a) / sizeof(__u64); word++)
		if (first[word] != second[word])
			return true;
	return false;
}

static __always_inline void credentials__report(struct task_struct *task, const struct rf_credentials *before, const struct rf_credentials *after)
{
	struct rf_credentials_change *record;
	struct rf_header number = {};

	ring__count_seen(RF_LANE_SECURITY, RF_CREDENTIALS_CHANGE);
	record = ring__reserve(RF_LANE_SECURITY, RF_CREDENTIALS_CHANGE, sizeof(*record), &number);
	if (!record)
		return;
	task__fill_header(&record->h, task, RF_CREDENTIALS_CHANGE);
	record->before = *before;
	record->after = *after;
	record->groups_before.offset = sizeof(*record);
	record->groups_before.kept = 0;
	record->groups_before.length = 0;
	record->groups_after = record->groups_before;
	ring__submit(RF_LANE_SECURITY, record, sizeof(*record), &number);
}

/* Returns true if the credentials changed. */
static __always_inline bool credentials__compare(struct task_struct *task)
{
	/* 0: seccomp refused the call, or it began before the sensor */
	struct rf_privileges *before = bpf_task_storage_get(&rf_privileges, task, 0, 0);
	struct rf_credentials after = {};
	bool differ;

	if (!before)
		return false;
	task__fill_credentials(&after, kernel__plain(task)->cred);
	differ = credentials__differ(&before->credentials, &after);
	if (differ)
		credentials__report(task, &before->credentials, &after);
	bpf_task_storage_delete(&rf_privileges, task);
	return differ;
}

/* setfsuid and setfsgid return the previous id, whether they worked or not: if nothing changed and the requested
 * id differs from the previous one, the call failed. Both are in the caller's user namespace. -1 only queries. */
static __always_inline long credentials__fs_result(struct task_struct *task, long before, bool changed)
{
	__u32 requested = PT_REGS_PARM1_SYSCALL(task__registers(task));

	return changed || requested == (__u32)-1 || requested == (__u32)before ? 0 : -EPERM;
}

static __always_inline int credentials__finish(void *context, enum rf_attempt_call call)
{
	struct task_struct *task = bpf_get_current_task_btf();
	long result = syscall__result(context);
	bool changed = credentials__compare(task);

	if (call == RF_CALL_SETFSUID || call == RF_CALL_SETFSGID)
		result = credentials__fs_result(task, result, changed);
	return result < 0 ? attempt__credentials(task, call, result) : 0;
}

/* With more groups than are kept, any of the others may have changed. */
static __always_inline bool credentials__groups_differ(const struct rf_groups *a, const struct rf_groups *b)
{
	if (a->count != b->count || a->count > RF_GROUPS_MAX)
		return true;
	for (int group = 0; group < RF_GROUPS_MAX; group++)
		if (a->ids[group] != b->ids[group])
			return true;
	return false;
}

static __always_inline void credentials__append_groups(struct rf_builder *b, struct rf_text *text, const struct rf_groups *groups)
{
	__u32 kept = groups->count < RF_GROUPS_MAX ? groups->count : RF_GROUPS_MAX;

	text__append(b, RF_RECORD_MAX, text, TEXT_KERNEL, groups->ids, kept * sizeof(__u32), sizeof(groups->ids), groups->count * sizeof(__u32));
}

static __always_inline void credentials__report_groups(struct task_struct *task, const struct rf_groups *before, const struct rf_groups *after)
{
	struct rf_builder b = { .end = sizeof(struct rf_credentials_change) };
	struct rf_credentials_change *record;
	struct rf_scratch_big *scratch;

	ring__count_seen(RF_LANE_SECURITY, RF_CREDENTIALS_CHANGE);
	scratch = scratch__acquire(&rf_scratch_sec, ring__cpu(), RF_LANE_SECURITY, RF_CREDENTIALS_CHANGE);
	if (!scratch)
		return;
	b.record = scratch->record;
	record = (struct rf_credentials_change *)scratch->record;
	task__fill_header(&record->h, task, RF_CREDENTIALS_CHANGE);
	task__fill_credentials(&record->before, kernel__plain(task)->cred);
	record->after = record->before;
	credentials__append_groups(&b, &record->groups_before, before);
	credentials__append_groups(&b, &record->groups_after, after);
	text__count_faults(&b, RF_LANE_SECURITY);
	ring__output(RF_LANE_SECURITY, record, b.end, RF_RECORD_MAX);
	scratch__release(scratch);
}

static __always_inline void credentials__compare_groups(struct task_struct *task)
{
	struct rf_privileges *before = bpf_task_storage_get(&rf_privileges, task, 0, 0);
	struct rf_groups after;

	if (!before)
		return;
	credentials__fill_groups(&after, kernel__plain(task)->cred);
	if (credentials__groups_differ(&before->groups, &after))
		credentials__report_groups(task, &before->groups, &after);
	bpf_task_storage_delete(&rf_privileges, task);
}

#define CREDENTIALS_ENTER(name)                                                                                                          \
	SEC("tracepoint/syscalls/sys_enter_" #name)                                                                                      \
	int name##_enter(void *context)                                                                                                  \
	{                                                                                                                                \
		return credentials__remember();                                                                                          \
	}

CREDENTIALS_ENTER(setgroups)

SEC("tracepoint/syscalls/sys_exit_setgroups")
int setgroups_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	long result = syscall__result(context);

	credentials__compare_groups(task);
	return result < 0 ? attempt__credentials(task, RF_CALL_SETGROUPS, result) : 0;
}

#define CREDENTIALS_SYSCALL(name, call)                                                                                                  \
	CREDENTIALS_ENTER(name)                                                                                                          \
	SEC("tracepoint/syscalls/sys_exit_" #name)                                                                                       \
	int name##_exit(void *context)                                                                                                   \
	{                                                                                                                                \
		return credentials__finish(context, call);                                                                               \
	}

CREDENTIALS_SYSCALL(setuid, RF_CALL_SETUID)
CREDENTIALS_SYSCALL(setgid, RF_CALL_SETGID)
CREDENTIALS_SYSCALL(setreuid, RF_CALL_SETREUID)
CREDENTIALS_SYSCALL(setregid, RF_CALL_SETREGID)
CREDENTIALS_SYSCALL(setresuid, RF_CALL_SETRESUID)
CREDENTIALS_SYSCALL(setresgid, RF_CALL_SETRESGID)
CREDENTIALS_SYSCALL(setfsuid, RF_CALL_SETFSUID)
CREDENTIALS_SYSCALL(setfsgid, RF_CALL_SETFSGID)
CREDENTIALS_SYSCALL(capset, RF_CALL_CAPSET)
/* a new user namespace gives every capability inside it; isolation.bpf.h compares when the call ends */
CREDENTIALS_ENTER(unshare)
CREDENTIALS_ENTER(setns)
