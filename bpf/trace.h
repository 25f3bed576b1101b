/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Shared by trace.bpf.c and packages/syscall-trace/src: the settings and records of
 * `ringfence trace`. TypeScript reads offsets from the object's BTF. */
#ifndef TRACE_H
#define TRACE_H

#define TR_ARGUMENTS 6
#define TR_CALLS 1024        /* bounds the numbers of system calls, of which the highest is about 470 */
#define TR_TEXT_MAX 256      /* bytes kept of one argument */
#define TR_TEXTS_MAX 1024    /* bytes kept of all arguments of one call */
#define TR_STRINGS_MAX 16    /* elements kept of an array of strings */
#define TR_STRING_MAX 64     /* bytes kept of each of them */

enum tr_kind {
	TR_ENTER = 1,
	TR_EXIT = 2,
	TR_GONE = 3, /* a thread exited */
};

/* How an argument is read. */
enum tr_argument {
	TR_NUMBER = 0,
	TR_STRING = 1,  /* up to its NUL */
	TR_STRINGS = 2, /* an array of strings, up to a null pointer */
	TR_INPUT = 3,   /* the next argument is its number of bytes */
	TR_OUTPUT = 4,  /* filled by the kernel: the call's result is its number of bytes */
};

enum tr_state {
	TR_NO_TEXT = 0,
	TR_WHOLE = 1,
	TR_CUT = 2,
	TR_UNREADABLE = 3, /* not in memory, or no valid address */
};

/* A system call (array tr_calls, by number). */
struct tr_call {
	__u8 wanted;
	__u8 exec; /* 1: executes a program: an armed process is traced from here on */
	__u8 arguments[TR_ARGUMENTS]; /* enum tr_argument */
};

struct tr_text {
	__u16 length; /* bytes kept; texts follow one another in the order of the arguments */
	__u16 state;  /* enum tr_state */
};

struct tr_record {
	__u64 time;   /* ns, CLOCK_MONOTONIC */
	__s64 result; /* of a call; for an exited thread the status that wait() returns */
	__u64 arguments[TR_ARGUMENTS];
	__u32 tgid;   /* in the initial pid namespace */
	__u32 tid;
	__u32 number; /* of the call; (u32)-1: the kernel no longer has it, as after sigreturn */
	__u16 kind;   /* enum tr_kind */
	__u8 compat;  /* 1: a 32-bit call, which has its own numbers */
	__u8 last;    /* 1: the exited thread was the last of its process */
	char name[16];
	struct tr_text texts[TR_ARGUMENTS];
	char text[TR_TEXTS_MAX + TR_TEXT_MAX]; /* space behind, so that a whole text may be copied to the last byte */
};

/* Values of the map tr_targets, by process. */
enum tr_target {
	TR_TRACED = 1,
	TR_ARMED = 2, /* traced from its next exec on */
};

#endif
