/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Shared by trace.bpf.c and packages/syscall-trace/src: what `ringfence trace` tells the kernel, and what it gets back. Offsets are read from the object's BTF. */
#ifndef TRACE_H
#define TRACE_H

#define TR_ARGUMENTS 6
#define TR_CALLS 1024        /* numbers of system calls; the highest is about 470 */
#define TR_TEXT_MAX 256      /* bytes of one argument that are shown */
#define TR_TEXTS_MAX 1024    /* bytes of all of one call */
#define TR_STRINGS_MAX 16    /* of an array of strings */
#define TR_STRING_MAX 64     /* bytes of each of them */

enum tr_kind {
	TR_ENTER = 1,
	TR_EXIT = 2,
	TR_GONE = 3, /* a thread has ended */
};

/* How an argument is read. */
enum tr_argument {
	TR_NUMBER = 0,
	TR_STRING = 1,  /* up to a NUL */
	TR_STRINGS = 2, /* an array of them, up to a null pointer */
	TR_INPUT = 3,   /* as many bytes as the next argument says */
	TR_OUTPUT = 4,  /* filled by the kernel: as many bytes as the call returns */
};

enum tr_state {
	TR_NO_TEXT = 0,
	TR_WHOLE = 1,
	TR_CUT = 2,
	TR_UNREADABLE = 3, /* not in memory, or no address at all */
};

/* What is known of a system call (array tr_calls, by number). */
struct tr_call {
	__u8 wanted;
	__u8 exec; /* starts a program: an armed process is shown from here on */
	__u8 arguments[TR_ARGUMENTS]; /* enum tr_argument */
};

struct tr_text {
	__u16 length; /* bytes kept, one text behind the other in the order of the arguments */
	__u16 state;  /* enum tr_state */
};

struct tr_record {
	__u64 time;   /* ns, CLOCK_MONOTONIC */
	__s64 result; /* of a call; of a thread that is gone, as wait() tells it */
	__u64 arguments[TR_ARGUMENTS];
	__u32 tgid;   /* in the initial pid namespace */
	__u32 tid;
	__u32 number; /* of the call; (u32)-1: the kernel has forgotten it, as after sigreturn */
	__u16 kind;   /* enum tr_kind */
	__u8 compat;  /* 1: a 32-bit call, which has numbers of its own */
	__u8 last;    /* of a thread that is gone: no other is left in its process */
	char name[16];
	struct tr_text texts[TR_ARGUMENTS];
	char text[TR_TEXTS_MAX + TR_TEXT_MAX]; /* room behind, so that a whole text may be copied at the last byte */
};

/* Values of the map tr_targets, by process. */
enum tr_target {
	TR_TRACED = 1,
	TR_ARMED = 2, /* from its next exec on */
};

#endif
