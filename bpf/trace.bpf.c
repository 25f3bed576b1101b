/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Every system call of selected processes, for `ringfence trace`. A separate object: the two raw tracepoints cost
 * every call of the machine a little, so it is loaded only during a trace, and the first test skips other processes. */
#include "lib/kernel.h"
#include "trace.h"
#include "trace_texts.h"

#define COMPAT_CALL 2 /* TS_COMPAT of x86 */

/* Set before load. */
const volatile __u32 tr_by_cgroup;
const volatile __u32 tr_follow;    /* 1: trace children too */
const volatile __u32 tr_tracer;    /* the process that shows the trace, never traced itself */
const volatile __u32 tr_no_texts;  /* 1: no texts, for a summary */

__u64 tr_lost;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} tr_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u32);
} tr_targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} tr_cgroup SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TR_CALLS);
	__type(key, __u32);
	__type(value, struct tr_call);
} tr_calls SEC(".maps");

/* Arguments, a bit each, that were not in memory at a call's entry:
 * by its end the kernel has read them itself. Key: pid_tgid. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, __u32);
} tr_unread SEC(".maps");

/* A record per CPU is enough: tracepoints run with preemption off, and system calls of a CPU do not nest. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tr_record);
} tr_scratch SEC(".maps");

struct thread_info___x86 {
	__u32 status;
} __attribute__((preserve_access_index));

struct task_struct___x86 {
	struct thread_info___x86 thread_info;
} __attribute__((preserve_access_index));

/* Returns enum tr_target; 0: not traced. */
static __always_inline __u32 trace__target(__u32 tgid)
{
	__u32 *target;

	if (tr_by_cgroup)
		return tgid != tr_tracer && bpf_current_task_under_cgroup(&tr_cgroup, 0) == 1 ? TR_TRACED : 0;
	target = bpf_map_lookup_elem(&tr_targets, &tgid);
	return target ? *target : 0;
}

static __always_inline bool trace__is_compat(struct task_struct *task)
{
	struct task_struct___x86 *x86 = (void *)task;

	if (!bpf_core_field_exists(x86->thread_info.status))
		return false;
	return BPF_CORE_READ(x86, thread_info.status) & COMPAT_CALL;
}

static __always_inline __u32 trace__number(struct pt_regs *registers)
{
#if defined(__TARGET_ARCH_x86)
	return registers->orig_ax;
#else
	return registers->syscallno;
#endif
}

static __always_inline void trace__read_arguments(struct tr_record *r, struct pt_regs *registers)
{
#if defined(__TARGET_ARCH_x86)
	if (r->compat) {
		r->arguments[0] = (__u32)registers->bx;
		r->arguments[1] = (__u32)registers->cx;
		r->arguments[2] = (__u32)registers->dx;
		r->arguments[3] = (__u32)registers->si;
		r->arguments[4] = (__u32)registers->di;
		r->arguments[5] = (__u32)registers->bp;
		return;
	}
	r->arguments[5] = registers->r9;
#else
	r->arguments[5] = registers->regs[5];
#endif
	r->arguments[0] = PT_REGS_PARM1_SYSCALL(registers);
	r->arguments[1] = PT_REGS_PARM2_SYSCALL(registers);
	r->arguments[2] = PT_REGS_PARM3_SYSCALL(registers);
	r->arguments[3] = PT_REGS_PARM4_SYSCALL(registers);
	r->arguments[4] = PT_REGS_PARM5_SYSCALL(registers);
}

static __always_inline struct tr_record *trace__begin(struct task_struct *task, enum tr_kind kind)
{
	__u32 zero = 0;
	struct tr_record *r = bpf_map_lookup_elem(&tr_scratch, &zero);

	if (!r)
		return 0;
	r->time = bpf_ktime_get_ns();
	r->result = 0;
	r->tgid = task->tgid;
	r->tid = task->pid;
	r->kind = kind;
	r->compat = trace__is_compat(task);
	r->last = 0;
	bpf_get_current_comm(r->name, sizeof(r->name));
	__builtin_memset(r->texts, 0, sizeof(r->texts));
	__builtin_memset(r->arguments, 0, sizeof(r->arguments));
	return r;
}

static __always_inline void trace__send(struct tr_record *r, __u32 texts)
{
	__u32 size = offsetof(struct tr_record, text) + texts;

	/* for older verifiers: otherwise the compiler tests `texts` instead */
	asm volatile("" : "+r"(size));
	if (size > sizeof(*r))
		size = sizeof(*r);
	if (bpf_ringbuf_output(&tr_ring, r, size, BPF_RB_NO_WAKEUP))
		__sync_fetch_and_add(&tr_lost, 1);
}

static __always_inline struct tr_call *trace__call(__u32 number)
{
	return bpf_map_lookup_elem(&tr_calls, &number);
}

/* Returns the arguments that the kernel fills, a bit each. */
static __always_inline __u32 trace__outputs(const struct tr_call *call)
{
	__u32 mask = 0;

#pragma unroll
	for (int index = 0; index < TR_ARGUMENTS; index++)
		if (call->arguments[index] == TR_OUTPUT)
			mask |= 1U << index;
	return mask;
}

static __always_inline int trace__enter(struct pt_regs *registers, __u32 number, __u32 target)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 id = bpf_get_current_pid_tgid();
	struct tr_call *call = trace__call(number);
	__u32 armed = target == TR_ARMED, tgid = task->tgid, texts = 0, unread = 0, traced = TR_TRACED;
	struct tr_record *r;

	if (armed && (!call || !call->exec))
		return 0;
	if (armed)
		bpf_map_update_elem(&tr_targets, &tgid, &traced, BPF_EXIST);
	if (!call || !call->wanted)
		return 0;
	r = trace__begin(task, TR_ENTER);
	if (!r)
		return 0;
	r->number = number;
	trace__read_arguments(r, registers);
	if (!tr_no_texts && !r->compat)
		texts = trace__read_texts(r, call, 0x3f & ~trace__outputs(call), &unread);
	if (unread)
		bpf_map_update_elem(&tr_unread, &id, &unread, BPF_ANY);
	trace__send(r, texts);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(trace_enter, struct pt_regs *registers, long number)
{
	__u32 target = trace__target(bpf_get_current_pid_tgid() >> 32);

	return target ? trace__enter(registers, number, target) : 0;
}

static __always_inline int trace__exit(struct pt_regs *registers, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 id = bpf_get_current_pid_tgid();
	__u32 number = trace__number(registers), mask = 0, texts = 0, ignored;
	struct tr_call *call = trace__call(number);
	struct tr_record *r;
	__u32 *unread;

	if (call && !call->wanted)
		return 0;
	r = trace__begin(task, TR_EXIT);
	if (!r)
		return 0;
	r->number = number;
	r->result = result;
	if (call && !tr_no_texts && !r->compat) {
		trace__read_arguments(r, registers);
		mask = trace__outputs(call);
		unread = bpf_map_lookup_elem(&tr_unread, &id);
		if (unread)
			mask |= *unread;
		if (mask)
			texts = trace__read_texts(r, call, mask, &ignored);
		if (unread)
			bpf_map_delete_elem(&tr_unread, &id);
	}
	trace__send(r, texts);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(trace_exit, struct pt_regs *registers, long result)
{
	return trace__target(bpf_get_current_pid_tgid() >> 32) == TR_TRACED ? trace__exit(registers, result) : 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(trace_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 from = parent->tgid, tgid = child->tgid, *target;

	if (!tr_follow || from == tgid)
		return 0;
	target = bpf_map_lookup_elem(&tr_targets, &from);
	if (target && bpf_map_update_elem(&tr_targets, &tgid, target, BPF_ANY))
		__sync_fetch_and_add(&tr_lost, 1);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(trace_gone, struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct tr_record *r;

	if (!trace__target(tgid))
		return 0;
	r = trace__begin(task, TR_GONE);
	if (!r)
		return 0;
	r->number = 0;
	r->result = kernel__plain(task)->signal->flags & SIGNAL_GROUP_EXIT ? kernel__plain(task)->signal->group_exit_code : task->exit_code;
	r->last = !kernel__plain(task)->signal->live.counter;
	trace__send(r, 0);
	if (r->last)
		bpf_map_delete_elem(&tr_targets, &tgid);
	return 0;
}

/* Never set: puts the types that TypeScript reads into the object's BTF. */
struct tr_types {
	struct tr_record record;
	struct tr_call call;
	enum tr_kind kind;
	enum tr_argument argument;
	enum tr_state state;
	enum tr_target target;
} *tr_types;

char LICENSE[] SEC("license") = "Dual BSD/GPL";
