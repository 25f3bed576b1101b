/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Each hook of the full profile exists three times: for LSM; for fentry, on kernels whose
 * list of security modules lacks bpf; and for kprobes, on those without trampolines. User
 * space loads the first that attaches and is called. None of them decides anything. */
#ifndef RF_FULL_HOOK_H
#define RF_FULL_HOOK_H

#include "../lib/kernel_copy.h"

/* Numbers of system calls differ by architecture. `call`: from kernel_copy__call. */
static __always_inline bool kernel_copy__is_open(__u32 call)
{
#ifdef __TARGET_ARCH_x86
	return call == 2 + 1 || call == 85 + 1 || call == 257 + 1 || call == 304 + 1 || call == 437 + 1;
#else
	return call == 56 + 1 || call == 265 + 1 || call == 437 + 1;
#endif
}

/* Whether a socket is being bound: the file that this makes is no change of its own. */
static __always_inline bool kernel_copy__is_bind(__u32 call)
{
#ifdef __TARGET_ARCH_x86
	return call == 49 + 1;
#else
	return call == 200 + 1;
#endif
}

/* Whether this is bpf(2), whose request another hook stores: a pin is no change of its own. */
static __always_inline bool kernel_copy__is_bpf(__u32 call)
{
#ifdef __TARGET_ARCH_x86
	return call == 321 + 1;
#else
	return call == 280 + 1;
#endif
}

#define FULL_FUNCTION(name, function, call, ...)                                                                                         \
	SEC("?fentry/" function)                                                                                                         \
	int BPF_PROG(name##_fentry, __VA_ARGS__)                                                                                         \
	{                                                                                                                                \
		call;                                                                                                                    \
		return 0;                                                                                                                \
	}                                                                                                                                \
	SEC("?kprobe/" function)                                                                                                         \
	int BPF_KPROBE(name##_kprobe, __VA_ARGS__)                                                                                       \
	{                                                                                                                                \
		call;                                                                                                                    \
		return 0;                                                                                                                \
	}

/* Most hooks are called by a function of the same name. */
#define FULL_HOOK(name, call, ...) FULL_HOOK_OF(name, "security_" #name, call, __VA_ARGS__)

#define FULL_HOOK_OF(name, function, call, ...)                                                                                          \
	SEC("?lsm/" #name)                                                                                                               \
	int BPF_PROG(name, __VA_ARGS__)                                                                                                  \
	{                                                                                                                                \
		call;                                                                                                                    \
		return 0;                                                                                                                \
	}                                                                                                                                \
	FULL_FUNCTION(name, function, call, __VA_ARGS__)

#endif
