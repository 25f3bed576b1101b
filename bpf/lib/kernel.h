/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What of the kernel is not in its BTF (macros), and older shapes of structs that changed since 6.1. */
#ifndef RF_LIB_KERNEL_H
#define RF_LIB_KERNEL_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "../ringfence.h"

/* Reading what an address points to. Since 6.2 an address can be declared to be of a type: then a plain load does it, at a tenth of a helper's
 * cost. The verifier knows the version, and forgets the other branch. */
extern int LINUX_KERNEL_VERSION __kconfig;
extern void *bpf_rdonly_cast(const void *address, __u32 type) __ksym __weak;

#define kernel__read(address, field)                                                                                                    \
	(LINUX_KERNEL_VERSION >= KERNEL_VERSION(6, 2, 0)                                                                                 \
		 ? ((typeof(*(address)) *)bpf_rdonly_cast(address, bpf_core_type_id_kernel(typeof(*(address)))))->field                  \
		 : BPF_CORE_READ(address, field))

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10

#define O_ACCMODE 3
#define O_WRONLY 1
#define O_CREAT 0100
#define O_EXCL 0200
#define O_NOCTTY 0400
#define O_TRUNC 01000
#define FMODE_WRITE 2
#define FMODE_CREATED 0x100000

#define AT_FDCWD -100
#define AT_REMOVEDIR 0x200
#define AT_EMPTY_PATH 0x1000

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define S_ISUID 04000
#define S_ISGID 02000

#define TMPFS_MAGIC 0x01021994
#define HUGETLBFS_MAGIC 0x958458f6
#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#define SB_RDONLY 1
#define S_IMMUTABLE 8

#define CAP_DAC_OVERRIDE 1

#define PF_KTHREAD 0x00200000
#define SIGNAL_GROUP_EXIT 4
#define EFAULT 14
#define EINPROGRESS 115

#define RF_BPF_TOKEN_CREATE 36 /* since 6.9 */

/* Since 6.11 seconds and nanoseconds stand apart. */
struct inode___6_7 {
	struct timespec64 __i_ctime;
	struct timespec64 __i_mtime;
} __attribute__((preserve_access_index));

struct inode___6_1 {
	struct timespec64 i_ctime;
	struct timespec64 i_mtime;
} __attribute__((preserve_access_index));

/* Since 6.16 the tracepoint says whether the whole thread group is gone. */
struct trace_event_raw_sched_process_exit___6_16 {
	bool group_dead;
} __attribute__((preserve_access_index));

#endif
