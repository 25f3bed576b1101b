/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A thread's user, group or capability sets change. commit_creds has no tracepoint, so each system call that can change them is watched: the
 * credentials before it are kept until it ends. What an exec changes is in the exec's record. */
#include "lib/task.h"

static __always_inline int credentials__remember(void)
{
	__u64 key = bpf_get_current_pid_tgid();
	struct rf_credentials before = {};

	task__fill_credentials(&before, kernel__plain(bpf_get_current_task_btf())->cred);
	failure__of(RF_PLACE_CREDS_BEFORE, bpf_map_update_elem(&rf_creds_before, &key, &before, BPF_ANY));
	return 0;
}

static __always_inline bool credentials__differ(const struct rf_credentials *a, const struct rf_credentials *b)
{
	const __u64 *left = (const __u64 *)a;
	const __u64 *right = (const __u64 *)b;

	for (int word = 0; word < sizeof(*a) / sizeof(__u64); word++)
		if (left[word] != right[word])
			return true;
	return false;
}

static __always_inline int credentials__compare(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 key = bpf_get_current_pid_tgid();
	struct rf_credentials *before = bpf_map_lookup_elem(&rf_creds_before, &key);
	struct rf_credentials_change *record;
	struct rf_credentials after = {};
	struct rf_header number = {};

	if (!before)
		return 0;
	task__fill_credentials(&after, kernel__plain(task)->cred);
	if (credentials__differ(before, &after)) {
		ring__see(RF_LANE_SECURITY, RF_CREDENTIALS_CHANGE);
		record = ring__reserve(RF_LANE_SECURITY, RF_CREDENTIALS_CHANGE, sizeof(*record), &number);
		if (record) {
			task__fill_header(&record->h, task, RF_CREDENTIALS_CHANGE);
			record->before = *before;
			record->after = after;
			ring__submit(RF_LANE_SECURITY, record, sizeof(*record), &number);
		}
	}
	bpf_map_delete_elem(&rf_creds_before, &key);
	return 0;
}

#define CREDENTIALS_SYSCALL(name)                                                                                                        \
	SEC("tracepoint/syscalls/sys_enter_" #name)                                                                                      \
	int name##_enter(void *context)                                                                                                  \
	{                                                                                                                                \
		return credentials__remember();                                                                                          \
	}                                                                                                                                \
	SEC("tracepoint/syscalls/sys_exit_" #name)                                                                                       \
	int name##_exit(void *context)                                                                                                   \
	{                                                                                                                                \
		return credentials__compare();                                                                                           \
	}

CREDENTIALS_SYSCALL(setuid)
CREDENTIALS_SYSCALL(setgid)
CREDENTIALS_SYSCALL(setreuid)
CREDENTIALS_SYSCALL(setregid)
CREDENTIALS_SYSCALL(setresuid)
CREDENTIALS_SYSCALL(setresgid)
CREDENTIALS_SYSCALL(setfsuid)
CREDENTIALS_SYSCALL(setfsgid)
CREDENTIALS_SYSCALL(capset)
/* a new user namespace gives every capability inside it */
CREDENTIALS_SYSCALL(unshare)
CREDENTIALS_SYSCALL(setns)
