/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Macros and constants of the kernel that its BTF lacks, and older shapes of structs that changed since 6.1.
 * Constants that records contain are in ringfence.h. */
#ifndef RF_LIB_KERNEL_H
#define RF_LIB_KERNEL_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "../ringfence.h"

/* Reads a field behind a kernel address. Since 6.2 a program can declare the address to be of a type, so that a
 * plain load does it, at a tenth of a helper's cost. The verifier knows the version and prunes the other branch. */
extern int LINUX_KERNEL_VERSION __kconfig;
extern void *bpf_rdonly_cast(const void *address, __u32 type) __ksym __weak;

#define kernel__read(address, field)                                                                                                    \
	(LINUX_KERNEL_VERSION >= KERNEL_VERSION(6, 2, 0)                                                                                 \
		 ? ((typeof(*(address)) *)bpf_rdonly_cast(address, bpf_core_type_id_kernel(typeof(*(address)))))->field                  \
		 : BPF_CORE_READ(address, field))

/* Casts a trusted task to a plain address of its type. For each pointer loaded from a trusted task the
 * verifier looks names up in the kernel's whole BTF, on every path: that took 45 % of the load time on 6.18. */
#define kernel__plain(pointer)                                                                                                           \
	(LINUX_KERNEL_VERSION >= KERNEL_VERSION(6, 2, 0)                                                                                 \
		 ? (typeof(pointer))bpf_rdonly_cast(pointer, bpf_core_type_id_kernel(typeof(*(pointer))))                                \
		 : (pointer))

/* Reads the eight bytes at a kernel address, whatever their type: struct rb_node begins with a plain word. */
#define kernel__word(address) kernel__read((struct rb_node *)(address), __rb_parent_color)

/* Returns the bytes including the NUL, or -errno. For an empty string the helper
 * returns 0 and writes nothing on 6.1 and 6.12, and returns 1 on some later kernels. */
static __always_inline long kernel__read_user_string(char *to, __u32 max, const void *from)
{
	long size = bpf_probe_read_user_str(to, max, from);

	if (size)
		return size;
	*to = 0;
	return 1;
}

#define SOCK_TYPE_MASK 0xf
#define SOCK_BINDPORT_LOCK 8
#define NETLINK_XFRM 6
#define NETLINK_AUDIT 9
#define NETLINK_NETFILTER 12
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd

#define FMODE_WRITE 2
#define FMODE_CREATED 0x100000

#define AT_FDCWD -100

#define TMPFS_MAGIC 0x01021994
#define HUGETLBFS_MAGIC 0x958458f6
#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#define SB_RDONLY 1
#define S_IMMUTABLE 8

#define CAP_DAC_OVERRIDE 1

#define PROC_SUPER_MAGIC 0x9fa0
#define NSFS_MAGIC 0x6e736673
#define PIDFS_MAGIC 0x50494446
#define PIPEFS_MAGIC 0x50495045

#define PROT_WRITE 2
#define PROT_EXEC 4
#define MAP_ANONYMOUS 0x20

#define CLONE_NEW_ANY 0x7e020080 /* every CLONE_NEW* */
#define CLONE_SIGNAL 0xff        /* the exit signal among the flags of clone */
#define CLONE_AS_VFORK 0x4100    /* CLONE_VFORK | CLONE_VM */

#define PF_IO_WORKER 0x00000010
#define PF_KTHREAD 0x00200000
#define TS_COMPAT 2   /* x86 */
#define TIF_32BIT 22  /* arm64 */
#define SIGNAL_STOP_STOPPED 1
#define SIGNAL_GROUP_EXIT 4
/* kernel-internal: a signal arrived, and the kernel restarts the call or turns this into EINTR */
#define ERESTARTSYS 512
#define ERESTART_RESTARTBLOCK 516

#define RF_BPF_TOKEN_CREATE 36 /* since 6.9 */

#define CAP_SYS_ADMIN 21

/* Numbers of the system calls that the sensor distinguishes.
 * The installed header has only those of the build machine. */
#if defined(__TARGET_ARCH_x86)
#define SYSCALL_NUMBER(registers) ((__s32)(registers)->orig_ax)
#define SYSCALL_PARM6(registers) ((registers)->r9) /* libbpf has it since 1.2 */
#define SYSCALL_WRITE 1
#define SYSCALL_MMAP 9
#define SYSCALL_MPROTECT 10
#define SYSCALL_MUNMAP 11
#define SYSCALL_BRK 12
#define SYSCALL_WRITEV 20
#define SYSCALL_MREMAP 25
#define SYSCALL_CONNECT 42
#define SYSCALL_SENDTO 44
#define SYSCALL_SENDMSG 46
#define SYSCALL_CLONE 56
#define SYSCALL_FORK 57
#define SYSCALL_VFORK 58
#define SYSCALL_EXECVE 59
#define SYSCALL_RT_SIGQUEUEINFO 129
#define SYSCALL_RT_TGSIGQUEUEINFO 297
#define SYSCALL_SENDMMSG 307
#define SYSCALL_EXECVEAT 322
#define SYSCALL_PKEY_MPROTECT 329
#elif defined(__TARGET_ARCH_arm64)
#define SYSCALL_NUMBER(registers) ((__s32)(registers)->syscallno)
#define SYSCALL_PARM6(registers) ((registers)->regs[5])
#define SYSCALL_WRITE 64
#define SYSCALL_WRITEV 66
#define SYSCALL_MMAP 222
#define SYSCALL_MPROTECT 226
#define SYSCALL_MUNMAP 215
#define SYSCALL_BRK 214
#define SYSCALL_MREMAP 216
#define SYSCALL_CONNECT 203
#define SYSCALL_SENDTO 206
#define SYSCALL_SENDMSG 211
#define SYSCALL_CLONE 220
#define SYSCALL_VFORK -2 /* arm64 has no vfork */
#define SYSCALL_EXECVE 221
#define SYSCALL_RT_SIGQUEUEINFO 138
#define SYSCALL_RT_TGSIGQUEUEINFO 240
#define SYSCALL_SENDMMSG 269
#define SYSCALL_EXECVEAT 281
#define SYSCALL_PKEY_MPROTECT 288
#endif
/* newer calls have the same number on every architecture */
#define SYSCALL_PIDFD_SEND_SIGNAL 424
#define SYSCALL_CLONE3 435
#define SYSCALL_SETXATTRAT 463
#define SYSCALL_REMOVEXATTRAT 466

/* Since 6.11 seconds and nanoseconds are separate fields. */
struct inode___6_7 {
	struct timespec64 __i_ctime;
	struct timespec64 __i_mtime;
} __attribute__((preserve_access_index));

struct inode___6_1 {
	struct timespec64 i_ctime;
	struct timespec64 i_mtime;
} __attribute__((preserve_access_index));

/* Since 6.16 the tracepoint reports whether the whole thread group is dead. */
struct trace_event_raw_sched_process_exit___6_16 {
	bool group_dead;
} __attribute__((preserve_access_index));

/* Until 6.17 only the namespace's operations gave its type. */
struct ns_common___6_18 {
	__u32 ns_type;
} __attribute__((preserve_access_index));

struct proc_ns_operations___6_17 {
	int type;
} __attribute__((preserve_access_index));

/* Returns when the first thread of the group began, ns since boot.
 * It distinguishes the task from earlier ones with the same pid. */
static __always_inline __u64 kernel__start(struct task_struct *task)
{
	return kernel__plain(task)->group_leader->start_boottime;
}

static __always_inline __u64 kernel__cgroup(struct task_struct *task)
{
	return kernel__plain(task)->cgroups->dfl_cgrp->kn->id;
}

#endif
