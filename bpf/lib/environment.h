/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The environment variables that change what a program does, or that identify the origin of its user; and those that
 * rules name, or every variable if a rule asks for all. */
#ifndef RF_LIB_ENVIRONMENT_H
#define RF_LIB_ENVIRONMENT_H

#include "text.h"

/* Bytes and variables searched: a process can hide a variable behind more than that. */
#define ENVIRONMENT_BYTES_MAX 32768
#define ENVIRONMENT_STEPS_MAX 8192
#define ENVIRONMENT_NAME_MAX 24

/* Variables that no rule names share the first half of the room, so that they push out none that is named. */
#define ENVIRONMENT_UNNAMED_MAX (RF_ENVIRONMENT_MAX / 2)

enum environment_choice { ENVIRONMENT_SKIPPED, ENVIRONMENT_NAMED, ENVIRONMENT_UNNAMED };

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

/* By the name of the variable that was read to text[position]. */
static __always_inline enum environment_choice environment__choose(struct rf_environment_work *w, __u32 position)
{
	__u64 head[ENVIRONMENT_NAME_MAX / sizeof(__u64)] = {};

	bpf_probe_read_kernel(head, sizeof(head), w->text + position);
	if (environment__is_chosen((const char *)head))
		return ENVIRONMENT_NAMED;
	if (RF_READ_ONCE(rf_control.variables_named)) {
		w->key.prefixlen = RF_VARIABLE_MAX * 8;
		bpf_probe_read_kernel(w->key.name, RF_VARIABLE_MAX, w->text + position);
		if (bpf_map_lookup_elem(&rf_variables, &w->key))
			return ENVIRONMENT_NAMED;
	}
	return RF_READ_ONCE(rf_control.all_variables) && position < ENVIRONMENT_UNNAMED_MAX ? ENVIRONMENT_UNNAMED : ENVIRONMENT_SKIPPED;
}

/* Adds what was read to text[position]. */
static __always_inline void environment__keep(struct rf_environment_work *w, __u32 position, __u32 bytes)
{
	__u32 end = position + bytes;

	w->length += bytes;
	if (w->chosen == ENVIRONMENT_UNNAMED && end > ENVIRONMENT_UNNAMED_MAX) {
		w->text[ENVIRONMENT_UNNAMED_MAX - 1] = 0;
		end = ENVIRONMENT_UNNAMED_MAX;
	}
	w->position = end > RF_ENVIRONMENT_MAX ? RF_ENVIRONMENT_MAX : end;
}

/* bpf_loop passes its callback a pointer to the stack only. */
struct environment_loop {
	struct rf_environment_work *work;
};

/* Reads a variable, or the next part of a long variable. */
static long environment__step(__u32 index, struct environment_loop *loop)
{
	struct rf_environment_work *w = loop->work;
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
	if (!w->inside)
		w->chosen = environment__choose(w, position);
	/* after a full read it is unknown whether the variable ends there: if it does, the next part is empty */
	w->inside = size == RF_ENVIRONMENT_MAX;
	w->cursor += w->inside ? bytes : size;
	if (w->chosen)
		environment__keep(w, position, w->inside ? bytes : size);
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

static __always_inline void environment__append(struct rf_builder *b, __u32 capacity, struct rf_text *text, struct rf_environment_work *w,
						struct mm_struct *mm)
{
	__u32 kept;

	environment__gather(w, mm);
	b->faults += w->faults;
	kept = w->position;
	/* unless the text was cut, it ends in a NUL, which is not kept */
	if (kept < RF_ENVIRONMENT_MAX || kept == w->length)
		kept--;
	if (w->length)
		text__append(b, capacity, text, TEXT_KERNEL, w->text, kept, RF_ENVIRONMENT_MAX, w->length - 1);
	else
		text__clear(b, text);
}

#endif
