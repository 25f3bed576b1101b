/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A sysctl is about to be written. Runs after the permission check, right before the kernel takes
 * the value: a value that it then refuses is reported too, and a file of /proc/sys that may not
 * be opened is a failed open. This hook only observes: it always allows the write and leaves the
 * value alone. Sysctls set by the system call or on the kernel's command line have no hook. */
#include "lib/task.h"

#define SYSCTL_TEXT_MAX 256
#define E2BIG 7

/* `size`: what the helper wrote at the record's end, or -E2BIG
 * when only the beginning fits; then the true length is unknown. */
static __always_inline void sysctl__set_text(struct rf_builder *b, struct rf_text *text, long size)
{
	__u32 end = b->end;
	char last = 0;

	text__clear(b, text);
	text->length = size == -E2BIG ? SYSCTL_TEXT_MAX : size;
	if (size == -E2BIG)
		size = SYSCTL_TEXT_MAX - 1;
	if (size < 1 || size >= SYSCTL_TEXT_MAX)
		return;
	text->kept = size;
	end += size - 1;
	rf_barrier(end);
	if (end < RF_RECORD_MAX)
		last = b->record[end];
	/* drops the newline that users type */
	if (last == '\n') {
		text->kept--;
		text->length--;
	}
	b->end += text->kept;
}

#define SYSCTL_BUFFER(b)                                                                                                                 \
	({                                                                                                                               \
		__u32 end__ = (b)->end;                                                                                                  \
		rf_barrier(end__);                                                                                                       \
		if (end__ > RF_RECORD_MAX - SYSCTL_TEXT_MAX)                                                                             \
			end__ = 0;                                                                                                       \
		(b)->record + end__;                                                                                                     \
	})

static __always_inline void sysctl__report(struct rf_scratch_big *scratch, struct bpf_sysctl *context)
{
	struct rf_builder b = { .record = scratch->record, .end = sizeof(struct rf_sysctl) };
	struct rf_sysctl *s = (struct rf_sysctl *)scratch->record;

	task__fill_header(&s->h, bpf_get_current_task_btf(), RF_SYSCTL);
	s->pad = 0;
	sysctl__set_text(&b, &s->name, bpf_sysctl_get_name(context, SYSCTL_BUFFER(&b), SYSCTL_TEXT_MAX, 0));
	sysctl__set_text(&b, &s->before, bpf_sysctl_get_current_value(context, SYSCTL_BUFFER(&b), SYSCTL_TEXT_MAX));
	sysctl__set_text(&b, &s->after, bpf_sysctl_get_new_value(context, SYSCTL_BUFFER(&b), SYSCTL_TEXT_MAX));
	ring__output(RF_LANE_SECURITY, s, b.end, RF_RECORD_MAX);
}

SEC("cgroup/sysctl")
int sysctl(struct bpf_sysctl *context)
{
	struct rf_scratch_big *scratch;

	if (!context->write || !interest__admits(RF_LANE_SECURITY, RF_SYSCTL))
		return 1;
	ring__count_seen(RF_LANE_SECURITY, RF_SYSCTL);
	scratch = scratch__acquire(&rf_scratch_sec, ring__cpu(), RF_LANE_SECURITY, RF_SYSCTL);
	if (!scratch)
		return 1;
	sysctl__report(scratch, context);
	scratch__release(scratch);
	return 1;
}
