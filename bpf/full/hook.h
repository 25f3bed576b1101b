/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A hook of the full profile, three times: by LSM; by fentry, for kernels whose list of security modules lacks bpf; by kprobe, for those without
 * trampolines. User space loads the first that the kernel attaches and that is called. None of them decides anything. */
#ifndef RF_FULL_HOOK_H
#define RF_FULL_HOOK_H

#include "../lib/kernel_copy.h"

/* Numbers of system calls are the architecture's own. `call`: of kernel_copy__call. */
static __always_inline bool kernel_copy__is_open(__u32 call)
{
#ifdef __TARGET_ARCH_x86
	return call == 2 + 1 || call == 85 + 1 || call == 257 + 1 || call == 437 + 1;
#else
	return call == 56 + 1 || call == 437 + 1;
#endif
}

/* Whether a unix socket is being bound: the file that this makes is no change of its own. */
static __always_inline bool kernel_copy__is_bind(__u32 call)
{
#ifdef __TARGET_ARCH_x86
	return call == 49 + 1;
#else
	return call == 200 + 1;
#endif
}

/* Whether bpf(2) is at work, which has written down what it was asked for: a pin that it makes is no change of its own. */
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

/* Nearly every hook is called by a function of its name. */
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
