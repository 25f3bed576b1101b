/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The texts that a system call's arguments point to: strings,
 * arrays of strings and buffers, one after another in the record. */
#ifndef TRACE_TEXTS_H
#define TRACE_TEXTS_H

#include "lib/kernel.h"
#include "trace.h"

#define TR_TEXTS_MASK 2047

/* Each reader returns the bytes it stored at `at`, or a negative number. */
static __always_inline long trace__read_string(struct tr_record *r, struct tr_text *text, __u32 at, __u64 address)
{
	long size = kernel__read_user_string(r->text + at, TR_TEXT_MAX, (const void *)address);

	if (size <= 0)
		return -1;
	text->state = size == TR_TEXT_MAX ? TR_CUT : TR_WHOLE;
	return size - 1;
}

static __always_inline long trace__read_bytes(struct tr_record *r, struct tr_text *text, __u32 at, __u64 address, __u64 length)
{
	__u32 size = length < TR_TEXT_MAX ? length : TR_TEXT_MAX;

	asm volatile("" : "+r"(size));
	if (size > TR_TEXT_MAX || bpf_probe_read_user(r->text + at, size, (const void *)address))
		return -1;
	text->state = length > TR_TEXT_MAX ? TR_CUT : TR_WHOLE;
	return size;
}

struct strings_loop {
	struct tr_record *record;
	struct tr_text *text;
	__u64 address;
	__u32 at;
	__u32 used;
};

static long trace__read_element(__u32 index, struct strings_loop *loop)
{
	__u32 at = (loop->at + loop->used) & TR_TEXTS_MASK;
	__u64 string = 0;
	long size;

	if (bpf_probe_read_user(&string, sizeof(string), (const void *)(loop->address + index * sizeof(string))) || !string)
		return 1;
	if (loop->used > TR_TEXT_MAX - TR_STRING_MAX || at > TR_TEXTS_MAX || index == TR_STRINGS_MAX) {
		loop->text->state = TR_CUT;
		return 1;
	}
	size = kernel__read_user_string(loop->record->text + at, TR_STRING_MAX, (const void *)string);
	if (size == TR_STRING_MAX)
		loop->text->state = TR_CUT;
	if (size > 0)
		loop->used += size;
	return size <= 0;
}

/* Each string keeps its NUL. */
static __always_inline long trace__read_strings(struct tr_record *r, struct tr_text *text, __u32 at, __u64 address)
{
	struct strings_loop loop = { .record = r, .text = text, .address = address, .at = at };

	text->state = TR_WHOLE;
	bpf_loop(TR_STRINGS_MAX + 1, trace__read_element, &loop, 0);
	return loop.used;
}

struct texts_loop {
	struct tr_record *record;
	struct tr_call *call;
	__u32 mask; /* the arguments to read, a bit each */
	__u32 at;
	__u32 unread;
};

static __always_inline long trace__read_text(struct texts_loop *loop, struct tr_text *text, __u32 index, __u32 at)
{
	struct tr_record *r = loop->record;
	__u64 address = r->arguments[index];

	switch (loop->call->arguments[index]) {
	case TR_STRING:
		return trace__read_string(r, text, at, address);
	case TR_STRINGS:
		return trace__read_strings(r, text, at, address);
	case TR_INPUT:
		return trace__read_bytes(r, text, at, address, r->arguments[(index + 1) % TR_ARGUMENTS]);
	case TR_OUTPUT:
		return r->kind == TR_EXIT && r->result > 0 ? trace__read_bytes(r, text, at, address, r->result) : 0;
	}
	return 0;
}

static long trace__read_next(__u32 index, struct texts_loop *loop)
{
	__u32 at = loop->at & TR_TEXTS_MASK;
	struct tr_text *text;
	long size;

	if (index >= TR_ARGUMENTS || at > TR_TEXTS_MAX)
		return 1;
	if (!(loop->mask & 1U << index) || !loop->record->arguments[index])
		return 0;
	text = &loop->record->texts[index];
	size = trace__read_text(loop, text, index, at);
	if (size < 0) {
		text->state = TR_UNREADABLE;
		loop->unread |= 1U << index;
		return 0;
	}
	text->length = size;
	loop->at += size;
	return 0;
}

/* Returns the bytes of all texts. */
static __always_inline __u32 trace__read_texts(struct tr_record *r, struct tr_call *call, __u32 mask, __u32 *unread)
{
	struct texts_loop loop = { .record = r, .call = call, .mask = mask };

	bpf_loop(TR_ARGUMENTS, trace__read_next, &loop, 0);
	*unread = loop.unread;
	return loop.at <= TR_TEXTS_MAX + TR_TEXT_MAX ? loop.at : 0;
}

#endif
