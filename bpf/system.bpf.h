/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Rare system calls that change, or show, state of the whole machine, at their end. Arguments are the
 * registers' values, which the kernel used; where the kernel keeps its own copy of the caller's memory, that is
 * reported. A successful reboot never returns, so only a failed one, or one that sets Ctrl-Alt-Del, is seen. */
#include "lib/syscall.h"
#include "lib/task.h"

#define SYSTEM_NAME_MAX 64
#define SYSTEM_COMMAND_LINE_MAX 2048

struct system_call {
	__u32 operation;
	__s32 result;
	__u64 first, second, third;
	struct file *file;      /* its path is the text */
	const char *kernel;     /* or a NUL-terminated text in kernel memory */
	const char *text;       /* or a text in the caller's memory; `size` 0: NUL-terminated */
	const char *detail;     /* NUL-terminated, in the caller's memory */
	__u32 size;
	__u32 source_caller;
};

static __always_inline void system__append_text(struct rf_builder *b, struct rf_system_change *s, struct rf_path_work *work,
						const struct system_call *call)
{
	struct file *file = call->file;
	__u32 size = call->size;

	text__clear(b, &s->text);
	if (file) {
		path__append_new(b, RF_RECORD_MAX, &s->text, work, kernel__read(file, f_path.mnt), kernel__read(file, f_path.dentry));
	} else if (call->kernel) {
		text__append_string(b, RF_RECORD_MAX, &s->text, TEXT_KERNEL, call->kernel);
	} else if (call->text) {
		s->source_caller = 1;
		if (!size)
			text__append_string(b, RF_RECORD_MAX, &s->text, TEXT_USER, call->text);
		else if (size <= SYSTEM_NAME_MAX)
			text__append(b, RF_RECORD_MAX, &s->text, TEXT_USER, call->text, size, SYSTEM_NAME_MAX, size);
		else
			text__append(b, RF_RECORD_MAX, &s->text, TEXT_USER, call->text, SYSTEM_NAME_MAX, SYSTEM_NAME_MAX, size);
	}
}

static __noinline int system__report(const struct system_call *call)
{
	struct rf_builder b = { .end = sizeof(struct rf_system_change) };
	struct rf_scratch_big *scratch;
	struct rf_system_change *s;

	if (!interest__admits(RF_LANE_SECURITY, RF_SYSTEM_CHANGE))
		return 0;
	ring__count_seen(RF_LANE_SECURITY, RF_SYSTEM_CHANGE);
	scratch = scratch__acquire(&rf_scratch_sec, ring__cpu(), RF_LANE_SECURITY, RF_SYSTEM_CHANGE);
	if (!scratch)
		return 0;
	b.record = scratch->record;
	b.slim = byte_share__slims(RF_LANE_SECURITY);
	s = (struct rf_system_change *)scratch->record;
	task__fill_header(&s->h, bpf_get_current_task_btf(), RF_SYSTEM_CHANGE);
	s->first = call->first;
	s->second = call->second;
	s->third = call->third;
	s->operation = call->operation;
	s->result = call->result;
	s->source_caller = call->source_caller;
	s->pad = 0;
	system__append_text(&b, s, &scratch->path, call);
	text__slim(&b, RF_RECORD_MAX, &s->text);
	text__clear(&b, &s->detail);
	if (call->detail) {
		s->source_caller = 1;
		text__append_string(&b, RF_RECORD_MAX, &s->detail, TEXT_USER, call->detail);
		text__slim(&b, RF_RECORD_MAX, &s->detail);
	}
	text__count_faults(&b, RF_LANE_SECURITY);
	ring__output(RF_LANE_SECURITY, s, b.end, RF_RECORD_MAX);
	scratch__release(scratch);
	return 0;
}

static __always_inline int system__skip(void)
{
	ring__count_skipped(RF_LANE_SECURITY, RF_SYSTEM_CHANGE, RF_DROP_UNWATCHED);
	return 0;
}

/* Defines the program for the end of a system call. The block after the macro
 * fills `call` from `registers`, `task` and `ret`; it returns 0 to skip the call. */
#define SYSTEM_CALL(name, number)                                                                                                        \
	static __always_inline int system__##name(struct task_struct *task, struct pt_regs *registers, long ret, struct system_call *call); \
	SEC("tracepoint/syscalls/sys_exit_" #name)                                                                                       \
	int name##_exit(void *context)                                                                                                   \
	{                                                                                                                                \
		struct task_struct *task = bpf_get_current_task_btf();                                                                   \
		struct system_call call = { .operation = number, .result = syscall__result(context) };                                   \
                                                                                                                                         \
		if (!system__##name(task, task__registers(task), call.result, &call))                                                    \
			return system__skip();                                                                                           \
		return system__report(&call);                                                                                            \
	}                                                                                                                                \
	static __always_inline int system__##name(struct task_struct *task, struct pt_regs *registers, long ret, struct system_call *call)

#define FIRST PT_REGS_PARM1_CORE_SYSCALL(registers)
#define SECOND PT_REGS_PARM2_CORE_SYSCALL(registers)
#define THIRD PT_REGS_PARM3_CORE_SYSCALL(registers)
#define FOURTH PT_REGS_PARM4_CORE_SYSCALL(registers)
#define FIFTH PT_REGS_PARM5_CORE_SYSCALL(registers)

static __always_inline void system__read_user(void *to, __u32 size, __u64 from)
{
	if (failure__check(RF_PLACE_ARGUMENT, bpf_probe_read_user(to, size, (const void *)from)))
		ring__count_drop(RF_LANE_SECURITY, RF_SYSTEM_CHANGE, RF_DROP_READ_FAULT);
}

#include "system/machine.h"
#include "system/clock.h"
#include "system/facilities.h"
