/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The environment variables that change what a program does, or that identify the origin of its user. */
#ifndef RF_LIB_ENVIRONMENT_H
#define RF_LIB_ENVIRONMENT_H

#include "text.h"

/* Bytes and variables searched: a process can hide a variable behind more than that. */
#define ENVIRONMENT_BYTES_MAX 32768
#define ENVIRONMENT_STEPS_MAX 8192
#define ENVIRONMENT_NAME_MAX 24

#define environment__is(head, name) (!__builtin_memcmp(head, name "=", sizeof(name)))

/* Variables that make a loader, shell or interpreter run or load code; those that hide a
 * shell's history; those that identify the session. None of them usually holds secrets. */
static __always_inline bool environment__is_chosen(const char head[ENVIRONMENT_NAME_MAX])
{
	return environment__is(head, "LD_PRELOAD") || environment__is(head, "LD_AUDIT") || environment__is(head, "LD_LIBRARY_PATH") ||
	       environment__is(head, "GLIBC_TUNABLES") || environment__is(head, "GCONV_PATH") || environment__is(head, "BASH_ENV") ||
	       environment__is(head, "ENV") || environment__is(head, "PROMPT_COMMAND") || environment__is(head, "PYTHONPATH") ||
	       environment__is(head, "PYTHONSTARTUP") || environment__is(head, "PYTHONHOME") || environment__is(head, "PERL5LIB") ||
	       environment__is(head, "PERL5OPT") || environment__is(head, "PERL5DB") || environment__is(head, "RUBYOPT") ||
	       environment__is(head, "RUBYLIB") || environment__is(head, "NODE_OPTIONS") || environment__is(head, "NODE_PATH") ||
	       environment__is(head, "JAVA_TOOL_OPTIONS") || environment__is(head, "_JAVA_OPTIONS") || environment__is(head, "LUA_INIT") ||
	       environment__is(head, "GIT_SSH_COMMAND") || environment__is(head, "HISTFILE") || environment__is(head, "HISTSIZE") ||
	       environment__is(head, "SSH_CONNECTION") || environment__is(head, "SUDO_USER");
}

/* bpf_loop passes its callback a pointer to the stack only. */
struct environment_loop {
	struct rf_environment_work *work;
};

/* Reads a variable, or the next part of a long variable. */
static long environment__step(__u32 index, struct environment_loop *loop)
{
	struct rf_environment_work *w = loop->work;
	__u64 head[ENVIRONMENT_NAME_MAX / sizeof(__u64)] = {};
	__u32 position = w->position;
	__u32 bytes;
	long size;

	rf_barrier(position);
	if (w->cursor >= w->end || position > RF_ENVIRONMENT_MAX)
		return 1;
	size = kernel__read_user_string(w->text + position, RF_ENVIRONMENT_MAX, (const void *)w->cursor);
	if (size < 1) {
		w->faults++;
		return 1;
	}
	bytes = size - 1;
	if (!w->inside) {
		bpf_probe_read_kernel(head, sizeof(head), w->text + position);
		w->chosen = environment__is_chosen((const char *)head);
	}
	/* after a full read it is unknown whether the variable ends there: if it does, the next part is empty */
	w->inside = size == RF_ENVIRONMENT_MAX;
	w->cursor += w->inside ? bytes : size;
	if (!w->chosen)
		return 0;
	w->length += w->inside ? bytes : size;
	position += w->inside ? bytes : size;
	w->position = position > RF_ENVIRONMENT_MAX ? RF_ENVIRONMENT_MAX : position;
	return 0;
}

static __noinline int environment__gather(struct rf_environment_work *w, struct mm_struct *mm)
{
	struct environment_loop loop = { .work = w };

	w->cursor = mm->env_start;
	w->end = mm->env_end;
	w->position = 0;
	w->length = 0;
	w->inside = 0;
	w->chosen = 0;
	w->faults = 0;
	if (w->end > w->cursor + ENVIRONMENT_BYTES_MAX)
		w->end = w->cursor + ENVIRONMENT_BYTES_MAX;
	bpf_loop(ENVIRONMENT_STEPS_MAX, environment__step, &loop, 0);
	return 0;
}

/* The last NUL is not kept. */
static __always_inline void environment__append(struct rf_builder *b, __u32 capacity, struct rf_text *text, struct rf_environment_work *w,
						struct mm_struct *mm)
{
	__u32 kept;

	environment__gather(w, mm);
	b->faults += w->faults;
	kept = w->length > RF_ENVIRONMENT_MAX ? RF_ENVIRONMENT_MAX : w->length - 1;
	if (w->length)
		text__append(b, capacity, text, TEXT_KERNEL, w->text, kept, RF_ENVIRONMENT_MAX, w->length - 1);
	else
		text__clear(b, text);
}

#endif
