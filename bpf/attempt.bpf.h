/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A fork, an exec or a change of credentials that fails, at the end of the system call; a call
 * that worked costs one comparison. Equal failures of a process (call, error, request) are
 * merged. An exec's request includes the first bytes of its path, so that a search along PATH is
 * reported in full if it is wanted. Once a cgroup exceeds its share, call and error alone decide. */
#include "lib/request.h"
#include "lib/share.h"
#include "lib/syscall.h"

#define ATTEMPT_RECORD_MAX RF_RECORD_MAX
#define ATTEMPT_ARGUMENTS_MAX 256
#define ATTEMPT_PATH_WORDS 8
#define ATTEMPT_ID_UNCHANGED 0xffffffffULL
#define NGROUPS_MAX 65536
#define CAPABILITY_VERSION_1 0x19980330 /* with this version sets have 32 bits */

struct attempt {
	struct request_path path; /* exec only, like the arguments */
	__u64 arguments;
	__u64 groups; /* setgroups: their address in the caller's memory */
	__u64 first;
	__u64 second;
	__u64 third;
	__u32 operation;
	__u32 call;
	__s32 result;
	__u32 source_caller;
};

static __always_inline __u64 attempt__forms(const struct attempt *attempt)
{
	if (attempt->operation == RF_ATTEMPT_FORK_FAILED)
		return INTEREST(ATTEMPT_FORK);
	if (attempt->operation == RF_ATTEMPT_CREDENTIALS_FAILED)
		return INTEREST(ATTEMPT_CREDENTIALS);
	return attempt->result == -ENOENT || attempt->result == -ENOTDIR ? INTEREST(ATTEMPT_EXEC_NOT_FOUND) : INTEREST(ATTEMPT_EXEC);
}

static __always_inline __u64 attempt__mix(__u64 key, __u64 word)
{
	key = (key ^ word) * 0x9e3779b97f4a7c15ULL;
	return key ^ key >> 32;
}

/* Returns a hash of the request. */
static __always_inline __u64 attempt__request_hash(const struct attempt *attempt)
{
	__u64 words[ATTEMPT_PATH_WORDS] = {};
	__u64 key = 0;

	if (attempt->operation != RF_ATTEMPT_EXEC_FAILED)
		return attempt__mix(attempt__mix(attempt->first, attempt->second), attempt->third);
	bpf_probe_read_user_str(words, sizeof(words), attempt->path.text);
#pragma unroll
	for (int word = 0; word < ATTEMPT_PATH_WORDS; word++)
		key = attempt__mix(key, words[word]);
	return key;
}

struct attempt_arguments {
	struct rf_scratch_big *scratch;
	const __u64 *next; /* in the caller's memory, as are the strings it points to */
	__u32 begin;       /* offset of the arguments in the record */
	__u32 size;        /* bytes read, each argument with its NUL */
	__u32 whole;       /* 1: the terminating null pointer was reached */
	__u32 faults;
};

static long attempt__read_argument(__u32 index, struct attempt_arguments *loop)
{
	__u32 at = loop->begin + loop->size;
	__u64 argument;
	long size;

	rf_barrier(at);
	if (at > ATTEMPT_RECORD_MAX - RF_ATTEMPT_ARGV_MAX)
		return 1;
	size = bpf_probe_read_user(&argument, sizeof(argument), loop->next++);
	if (!size && !argument) {
		loop->whole = 1;
		return 1;
	}
	if (!size)
		size = kernel__read_user_string(loop->scratch->record + at, RF_ATTEMPT_ARGV_MAX, (const void *)argument);
	if (size < 1) {
		failure__count(RF_PLACE_TEXT_USER, -size);
		loop->faults++;
		return 1;
	}
	loop->size += size;
	return loop->size >= RF_ATTEMPT_ARGV_MAX;
}

static __always_inline void attempt__append_arguments(struct rf_builder *b, struct rf_attempt *a, struct rf_scratch_big *scratch, __u64 arguments)
{
	struct attempt_arguments loop = { .scratch = scratch, .next = (const __u64 *)arguments, .begin = b->end };

	text__clear(b, &a->argv);
	a->argv_cut = 0;
	if (!arguments)
		return;
	bpf_loop(ATTEMPT_ARGUMENTS_MAX, attempt__read_argument, &loop, 0);
	b->faults += loop.faults;
	a->argv_cut = !loop.whole;
	if (!loop.size)
		return;
	a->argv.length = loop.size - 1;
	a->argv.kept = a->argv.length < RF_ATTEMPT_ARGV_MAX ? a->argv.length : RF_ATTEMPT_ARGV_MAX;
	b->end += a->argv.kept;
	if (!b->slim || a->argv.kept <= RF_SLIM_TEXT_MAX)
		return;
	b->end -= a->argv.kept - RF_SLIM_TEXT_MAX;
	a->argv.kept = RF_SLIM_TEXT_MAX;
	a->argv_cut = 1;
}

static __always_inline void attempt__append_groups(struct rf_builder *b, struct rf_attempt *a, const struct attempt *attempt)
{
	__u64 count = attempt->groups && attempt->first <= NGROUPS_MAX ? attempt->first : 0;

	a->pad = 0;
	text__append(b, ATTEMPT_RECORD_MAX, &a->groups, TEXT_USER, (const void *)attempt->groups,
		     (count < RF_GROUPS_MAX ? count : RF_GROUPS_MAX) * sizeof(__u32), RF_GROUPS_MAX * sizeof(__u32), count * sizeof(__u32));
}

/* Without a path execveat executes the descriptor's file. */
static __always_inline void attempt__append_path(struct rf_builder *b, struct rf_attempt *a, struct rf_path_work *work, struct task_struct *task,
						 const struct request_path *path)
{
	struct file *file = request__file(task, path);

	if (file)
		path__append_new(b, ATTEMPT_RECORD_MAX, &a->path, work, kernel__read(file, f_path.mnt), kernel__read(file, f_path.dentry));
	else
		request__append(b, ATTEMPT_RECORD_MAX, &a->path, work, path);
	text__slim(b, ATTEMPT_RECORD_MAX, &a->path);
}

static __always_inline void attempt__send(struct rf_scratch_big *scratch, const struct attempt *attempt, struct task_struct *task, __u32 count)
{
	struct rf_builder b = {
		.record = scratch->record,
		.end = sizeof(struct rf_attempt),
		.slim = byte_share__slims(RF_LANE_SECURITY),
	};
	struct rf_attempt *a = (struct rf_attempt *)scratch->record;

	task__fill_header(&a->h, task, RF_ATTEMPT);
	a->first = attempt->first;
	a->second = attempt->second;
	a->third = attempt->third;
	a->operation = attempt->operation;
	a->call = attempt->call;
	a->result = attempt->result;
	a->source_caller = attempt->source_caller;
	a->count = count;
	text__clear(&b, &a->path);
	if (attempt->operation == RF_ATTEMPT_EXEC_FAILED)
		attempt__append_path(&b, a, &scratch->path, task, &attempt->path);
	attempt__append_arguments(&b, a, scratch, attempt->arguments);
	attempt__append_groups(&b, a, attempt);
	text__count_faults(&b, RF_LANE_SECURITY);
	ring__output(RF_LANE_SECURITY, a, b.end, RF_RECORD_MAX);
}

static __noinline int attempt__report(const struct attempt *attempt)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 cgroup = kernel__cgroup(task);
	struct rf_scratch_big *scratch;
	struct rf_merge_key key;
	__u32 count;

	/* the kernel restarts the call */
	if (attempt->result <= -ERESTARTSYS)
		return 0;
	if (!interest__admits_forms(RF_LANE_SECURITY, RF_ATTEMPT, attempt__forms(attempt), cgroup))
		return 0;
	ring__count_seen(RF_LANE_SECURITY, RF_ATTEMPT);
	merge__fill_key(&key, task, RF_ATTEMPT, (__u64)attempt->call << 32 | (__u32)attempt->result,
			share__is_exceeded(RF_LANE_SECURITY, cgroup) ? 0 : attempt__request_hash(attempt));
	count = merge__admit(RF_LANE_SECURITY, &key, false);
	if (!count)
		return 0;
	scratch = scratch__acquire(&rf_scratch_sec, ring__cpu(), RF_LANE_SECURITY, RF_ATTEMPT);
	if (!scratch)
		return 0;
	attempt__send(scratch, attempt, task, count);
	scratch__release(scratch);
	return 0;
}

static __always_inline int attempt__exec(enum rf_attempt_call call, struct request_path path, __u64 arguments, long result)
{
	struct attempt attempt = {
		.path = path,
		.arguments = arguments,
		.operation = RF_ATTEMPT_EXEC_FAILED,
		.call = call,
		.result = result,
		.source_caller = 1,
	};

	return attempt__report(&attempt);
}

SEC("tracepoint/syscalls/sys_exit_execve")
int execve_failed(void *context)
{
	struct pt_regs *registers = task__registers(bpf_get_current_task_btf());
	long result = syscall__result(context);

	if (result >= 0)
		return 0;
	return attempt__exec(RF_CALL_EXECVE, request__at(AT_FDCWD, PT_REGS_PARM1_SYSCALL(registers)), PT_REGS_PARM2_SYSCALL(registers), result);
}

SEC("tracepoint/syscalls/sys_exit_execveat")
int execveat_failed(void *context)
{
	struct pt_regs *registers = task__registers(bpf_get_current_task_btf());
	long result = syscall__result(context);
	struct request_path path;

	if (result >= 0)
		return 0;
	path = request__at_or_file(PT_REGS_PARM1_SYSCALL(registers), PT_REGS_PARM2_SYSCALL(registers),
				   PT_REGS_PARM5_SYSCALL(registers) & AT_EMPTY_PATH);
	return attempt__exec(RF_CALL_EXECVEAT, path, PT_REGS_PARM3_SYSCALL(registers), result);
}

/* Threads too: a limit counts them like processes. */
#define ATTEMPT_FORK(name, number)                                                                                                       \
	SEC("tracepoint/syscalls/sys_exit_" #name)                                                                                       \
	int name##_failed(void *context)                                                                                                 \
	{                                                                                                                                \
		struct attempt attempt = { .operation = RF_ATTEMPT_FORK_FAILED, .call = number, .result = syscall__result(context) };    \
                                                                                                                                         \
		if (attempt.result >= 0)                                                                                                 \
			return 0;                                                                                                        \
		attempt.first = task__clone_flags(bpf_get_current_task_btf());                                                           \
		attempt.source_caller = number == RF_CALL_CLONE3;                                                                        \
		return attempt__report(&attempt);                                                                                        \
	}

ATTEMPT_FORK(fork, RF_CALL_FORK)
ATTEMPT_FORK(vfork, RF_CALL_VFORK)
ATTEMPT_FORK(clone, RF_CALL_CLONE)
ATTEMPT_FORK(clone3, RF_CALL_CLONE3)

static __always_inline void attempt__read_sets(struct attempt *attempt, struct pt_regs *registers)
{
	const void *from = (const void *)PT_REGS_PARM2_SYSCALL(registers);
	__u32 low[3] = {}; /* effective, permitted, inheritable */
	__u32 high[3] = {};
	__u32 version = 0;

	attempt->source_caller = 1;
	failure__check(RF_PLACE_ARGUMENT, bpf_probe_read_user(&version, sizeof(version), (const void *)PT_REGS_PARM1_SYSCALL(registers)));
	failure__check(RF_PLACE_ARGUMENT, bpf_probe_read_user(low, sizeof(low), from));
	if (version != CAPABILITY_VERSION_1)
		failure__check(RF_PLACE_ARGUMENT, bpf_probe_read_user(high, sizeof(high), from + sizeof(low)));
	attempt->first = (__u64)high[0] << 32 | low[0];
	attempt->second = (__u64)high[1] << 32 | low[1];
	attempt->third = (__u64)high[2] << 32 | low[2];
}

static __always_inline int attempt__credentials(struct task_struct *task, enum rf_attempt_call call, long result)
{
	struct pt_regs *registers = task__registers(task);
	struct attempt attempt = { .operation = RF_ATTEMPT_CREDENTIALS_FAILED, .call = call, .result = result };

	if (call == RF_CALL_CAPSET) {
		attempt__read_sets(&attempt, registers);
	} else if (call == RF_CALL_SETGROUPS) {
		attempt.source_caller = 1;
		attempt.first = (__u32)PT_REGS_PARM1_SYSCALL(registers);
		attempt.groups = PT_REGS_PARM2_SYSCALL(registers);
	} else {
		attempt.first = (__u32)PT_REGS_PARM1_SYSCALL(registers);
		attempt.second = call >= RF_CALL_SETREUID ? (__u32)PT_REGS_PARM2_SYSCALL(registers) : ATTEMPT_ID_UNCHANGED;
		attempt.third = call >= RF_CALL_SETRESUID ? (__u32)PT_REGS_PARM3_SYSCALL(registers) : ATTEMPT_ID_UNCHANGED;
	}
	return attempt__report(&attempt);
}
