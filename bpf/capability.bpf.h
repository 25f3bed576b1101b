/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The kernel checks whether a task has a capability. Since 6.14; older kernels lack the hook.
 * For each process, capability and answer the first check is sent, then at most one a second
 * with those merged; root's successes on the host are sent once, since root is never refused. */
#include "lib/share.h"

#define USER_NAMESPACE_INITIAL 0xeffffffd

/* Allocating memory checks CAP_SYS_ADMIN on the side, to decide whether the reserve may be used. -1: a page fault. */
static __always_inline bool capability__is_accounting(struct task_struct *task)
{
	switch (SYSCALL_NUMBER(task__registers(task))) {
	case -1:
	case SYSCALL_MMAP:
	case SYSCALL_MPROTECT:
	case SYSCALL_MUNMAP:
	case SYSCALL_BRK:
	case SYSCALL_MREMAP:
	case SYSCALL_PKEY_MPROTECT:
	case SYSCALL_EXECVE:
	case SYSCALL_EXECVEAT:
		return true;
	case SYSCALL_CLONE:
	case SYSCALL_CLONE3:
		return !(task__clone_flags(task) & CLONE_NEW_ANY);
#ifdef SYSCALL_FORK
	case SYSCALL_FORK:
		return true;
#endif
	default:
		return false;
	}
}

/* A container runtime works in the container's cgroup before it executes the container's program. Its
 * capabilities do not count as the container's: its executable is not in the task's mount namespace. */
static __always_inline bool capability__is_of_task_mounts(struct task_struct *task)
{
	struct mm_struct *mm = kernel__plain(task)->mm;
	struct file *executable = mm ? kernel__read(mm, exe_file) : 0;
	struct vfsmount *vfsmount = executable ? kernel__read(executable, f_path.mnt) : 0;
	struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);

	return vfsmount && kernel__read(mount, mnt_ns) == kernel__plain(task)->nsproxy->mnt_ns;
}

static __always_inline void capability__remember(struct task_struct *task, __u32 capability)
{
	__u64 cgroup = kernel__cgroup(task);
	__u64 bit = 1ULL << (capability & 63);
	__u64 *used = bpf_map_lookup_elem(&rf_used_caps, &cgroup);

	if ((used && *used & bit) || !capability__is_of_task_mounts(task))
		return;
	if (used)
		__sync_fetch_and_or(used, bit);
	else
		bpf_map_update_elem(&rf_used_caps, &cgroup, &bit, BPF_NOEXIST);
}

static __always_inline void capability__report(struct task_struct *task, __u32 capability, __s32 result, __u32 namespace, __u32 count)
{
	struct rf_header number = {};
	struct rf_capability *record = ring__reserve(RF_LANE_BULK, RF_CAPABILITY, sizeof(*record), &number);

	if (!record)
		return;
	task__fill_header(&record->h, task, RF_CAPABILITY);
	record->capability = capability;
	record->result = result;
	record->user_namespace = namespace;
	record->count = count;
	ring__submit(RF_LANE_BULK, record, sizeof(*record), &number);
}

/* raw_tp and not a tracepoint, which would copy its arguments first: a single exec checks a dozen times.
 * Not tp_btf: where the kernel lacks the hook, only the hook is missing, and the object still loads. */
SEC("raw_tp/cap_capable")
int BPF_PROG(cap_capable, const struct cred *cred, struct user_namespace *target, const struct user_namespace *of, int capability, int result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_merge_key key;
	__u32 namespace, count;

	if (task->flags & PF_KTHREAD)
		return 0;
	if (capability == CAP_SYS_ADMIN && capability__is_accounting(task)) {
		ring__count_skipped(RF_LANE_BULK, RF_CAPABILITY, RF_DROP_UNWATCHED);
		return 0;
	}
	if (!result)
		capability__remember(task, capability);
	if (!interest__admits(RF_LANE_BULK, RF_CAPABILITY))
		return 0;
	ring__count_seen(RF_LANE_BULK, RF_CAPABILITY);
	if (task__is_agent(task)) {
		ring__count_drop(RF_LANE_BULK, RF_CAPABILITY, RF_DROP_SELF);
		return 0;
	}
	namespace = kernel__read(target, ns.inum);
	merge__fill_key(&key, task, RF_CAPABILITY, (__u64)(__u32)result << 32 | (__u32)capability, namespace);
	count = merge__admit(RF_LANE_BULK, &key, !result && namespace == USER_NAMESPACE_INITIAL && !kernel__plain(task)->cred->euid.val);
	if (count && !share__throttles(RF_LANE_BULK, RF_CAPABILITY, kernel__cgroup(task)))
		capability__report(task, capability, result, namespace, count);
	return 0;
}
