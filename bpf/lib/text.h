/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Texts behind a record's fixed part. */
#ifndef RF_LIB_TEXT_H
#define RF_LIB_TEXT_H

#include "scratch.h"

/* A record being assembled: `end` is its size so far. Callers pass the (constant) size of its buffer as `capacity`. */
struct rf_builder {
	char *record;
	__u32 end;
	__u32 faults;
	__u32 slim; /* 1: the caller is over its share, so text__slim shortens texts */
};

enum text_source { TEXT_KERNEL, TEXT_USER };

static __always_inline void text__clear(struct rf_builder *b, struct rf_text *text)
{
	text->offset = b->end;
	text->kept = 0;
	text->length = 0;
}

/* Copies `kept` bytes, at most `max` (constant). After a fault the
 * text is empty but has its true length; the fault is counted. */
static __always_inline void text__append(struct rf_builder *b, __u32 capacity, struct rf_text *text, enum text_source source, const void *from,
					 __u32 kept, __u32 max, __u32 length)
{
	__u32 end = b->end;
	long error;

	text__clear(b, text);
	text->length = length;
	rf_barrier(end);
	rf_barrier(kept);
	if (kept > max || end > capacity - max)
		return;
	error = source == TEXT_USER ? bpf_probe_read_user(b->record + end, kept, from) : bpf_probe_read_kernel(b->record + end, kept, from);
	if (error) {
		failure__count(source == TEXT_USER ? RF_PLACE_TEXT_USER : RF_PLACE_TEXT_KERNEL, -error);
		b->faults++;
		return;
	}
	text->kept = kept;
	b->end = end + kept;
}

/* Appends head and tail, `half` bytes (constant) each, of a text that is longer than both. */
static __always_inline void text__append_cut(struct rf_builder *b, __u32 capacity, struct rf_text *text, enum text_source source, const void *from,
					     __u32 half, __u32 length)
{
	struct rf_text tail;

	text__append(b, capacity, text, source, from, half, half, length);
	text__append(b, capacity, &tail, source, from + (length - half), half, half, length);
	text->kept += tail.kept;
}

/* Appends a NUL-terminated string of at most RF_PATH_MAX bytes, without its NUL. */
static __always_inline void text__append_string(struct rf_builder *b, __u32 capacity, struct rf_text *text, enum text_source source,
						const void *from)
{
	__u32 end = b->end;
	long size;

	text__clear(b, text);
	rf_barrier(end);
	if (end > capacity - RF_PATH_MAX)
		return;
	size = source == TEXT_USER ? kernel__read_user_string(b->record + end, RF_PATH_MAX, from)
				   : bpf_probe_read_kernel_str(b->record + end, RF_PATH_MAX, from);
	if (size < 1) {
		failure__count(source == TEXT_USER ? RF_PLACE_TEXT_USER : RF_PLACE_TEXT_KERNEL, -size);
		b->faults++;
		return;
	}
	text->kept = size - 1;
	text->length = size - 1;
	b->end = end + size - 1;
}

/* Over the caller's share: cuts the text, which must be the last one appended, to its head and tail. */
static __always_inline void text__slim(struct rf_builder *b, __u32 capacity, struct rf_text *text)
{
	const __u32 half = RF_SLIM_TEXT_MAX / 2;
	__u32 to = text->offset + half;
	__u32 from = text->offset + text->kept - half;

	if (!b->slim || text->kept <= RF_SLIM_TEXT_MAX)
		return;
	rf_barrier(to);
	rf_barrier(from);
	if (to > capacity - half || from > capacity - half)
		return;
	bpf_probe_read_kernel(b->record + to, half, b->record + from);
	text->kept = RF_SLIM_TEXT_MAX;
	b->end = to + half;
}

static __always_inline void text__count_faults(struct rf_builder *b, enum rf_lane lane)
{
	if (b->faults)
		ring__count_drop(lane, ((struct rf_header *)b->record)->kind, RF_DROP_READ_FAULT);
}

#endif
