/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A process reads or writes another process: the record, and the opens of /proc/PID that do so. */
#ifndef RF_LIB_ACCESS_H
#define RF_LIB_ACCESS_H

#include "pid.h"
#include "tampering.h"

#define ACCESS_PATH_MAX 40
#define ACCESS_PROC "/proc/"
#define ACCESS_DIGITS_MAX 10

struct access {
	__u64 target_start;
	__u64 address;
	__u64 length;
	__u32 target_tgid;
	__u32 operation;
	__u32 request;
	__s32 result;
};

static __noinline int access__report(struct access *access)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_header number = {};
	struct rf_process_access *record;
	struct rf_merge_key key;
	__u32 count;

	if (!interest__admits(RF_LANE_SECURITY, RF_PROCESS_ACCESS))
		return 0;
	ring__count_seen(RF_LANE_SECURITY, RF_PROCESS_ACCESS);
	/* a descriptor or a number of bytes makes no difference, an error does */
	merge__fill_key(&key, task, RF_PROCESS_ACCESS, (__u64)access->target_tgid << 32 | access->request,
			(__u64)access->operation << 32 | (__u32)(access->result < 0 ? access->result : 0));
	record = merge__reserve(RF_LANE_SECURITY, &key, sizeof(*record), &number, &count);
	if (!record)
		return 0;
	task__fill_header(&record->h, task, RF_PROCESS_ACCESS);
	record->target_start = access->target_start;
	record->address = access->address;
	record->length = access->length;
	record->target_tgid = access->target_tgid;
	record->operation = access->operation;
	record->request = access->request;
	record->result = access->result;
	record->count = count;
	record->pad = 0;
	ring__submit(RF_LANE_SECURITY, record, sizeof(*record), &number);
	return 0;
}

/* Reading the environment, as ps does, is no tampering. */
static __always_inline void access__record_if_victim(const struct access *access)
{
	enum tampering_victim victim;

	if (access->operation == RF_ACCESS_PROC_ENVIRON)
		return;
	victim = tampering__victim(access->target_tgid, access->target_start);
	if (victim)
		tampering__record(victim | RF_TAMPERING_AGENT_ACCESS, access->operation, access->request, access->result < 0 ? access->result : 0, 0);
}

static __always_inline int access__handle(struct access *access)
{
	access__record_if_victim(access);
	return access__report(access);
}

/* Runs for every open: a few loads. */
static __always_inline bool access__is_proc(struct file *file)
{
	struct inode *inode = kernel__read(file, f_inode);
	struct super_block *super = kernel__read(inode, i_sb);

	return kernel__read(super, s_magic) == PROC_SUPER_MAGIC;
}

/* Returns 0 for any other file. */
static __always_inline __u32 access__operation(const char name[8])
{
	if (!__builtin_memcmp(name, "mem", 4))
		return RF_ACCESS_PROC_MEM;
	if (!__builtin_memcmp(name, "environ", 8))
		return RF_ACCESS_PROC_ENVIRON;
	return 0;
}

/* Files of the same name elsewhere in proc belong to no process. */
static __noinline int access__proc_opened(struct file *file, __u32 flags, __s32 result)
{
	struct access access = { .request = flags, .result = result };
	struct proc_inode *proc;
	struct inode *inode;
	char name[8] = {};

	/* a longer name has no NUL at its eighth byte, and is cut to a text that does not match */
	if (bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name)) < 4 ||
	    BPF_CORE_READ(file, f_path.dentry, d_name.len) >= sizeof(name))
		return 0;
	access.operation = access__operation(name);
	if (!access.operation)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	proc = (void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);
	if (!pid__identify(BPF_CORE_READ(proc, pid), &access.target_tgid, &access.target_start))
		return 0;
	if (access.target_tgid != bpf_get_current_pid_tgid() >> 32)
		access__handle(&access);
	return 0;
}

/* Reads a number and returns how many digits it has. Without branches: the verifier would follow each
 * length separately. Not inlined, so that its registers are not on the stack below a report. */
static __noinline __u32 access__number(const char *text, __u32 *number)
{
	__u32 digits = 0;
	__u32 active = 1;

	*number = 0;
#pragma unroll
	for (int at = 0; at < ACCESS_DIGITS_MAX; at++) {
		__u32 digit = (__u8)(text[at] - '0');

		active &= ~((9 - digit) >> 31);
		rf_barrier(active);
		*number += active * (*number * 9 + digit);
		digits += active;
	}
	return digits;
}

/* A refused open has no file: /proc/NUMBER/mem and environ are recognised in the caller's
 * text. A refused open of the agent's files is only reported, not recorded as tampering. */
static __noinline int access__proc_refused(const char *path, __u32 flags, __s32 result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct access access = { .request = flags, .result = result };
	char text[ACCESS_PATH_MAX] = {};
	const int prefix = sizeof(ACCESS_PROC) - 1;
	__u32 number, digits;

	if (bpf_probe_read_user_str(text, sizeof(text), path) < 0 || __builtin_memcmp(text, ACCESS_PROC, prefix))
		return 0;
	digits = access__number(text + prefix, &number);
	rf_barrier(digits);
	if (digits < 1 || digits > ACCESS_DIGITS_MAX || text[prefix + digits] != '/')
		return 0;
	access.operation = access__operation(text + prefix + digits + 1);
	if (!access.operation)
		return 0;
	pid__identify(pid__find(task, number), &access.target_tgid, &access.target_start);
	if (access.target_tgid != bpf_get_current_pid_tgid() >> 32)
		access__report(&access);
	return 0;
}

#endif
