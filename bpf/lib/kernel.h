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
#define AF_NETLINK 16
#define AF_PACKET 17
#define AF_ALG 38
#define AF_VSOCK 40
#define SOCK_TYPE_MASK 0xf
#define NETLINK_XFRM 6
#define NETLINK_AUDIT 9
#define NETLINK_NETFILTER 12
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd

#define O_ACCMODE 3
#define O_WRONLY 1
#define O_CREAT 0100
#define O_EXCL 0200
#define O_NOCTTY 0400
#define O_TRUNC 01000
#define FMODE_CREATED 0x100000

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_ISUID 04000
#define S_ISGID 02000

#define TMPFS_MAGIC 0x01021994
#define HUGETLBFS_MAGIC 0x958458f6

#define PF_KTHREAD 0x00200000
#define SIGNAL_GROUP_EXIT 4
#define EINTR 4
#define EAGAIN 11
#define EINPROGRESS 115
/* the kernel's own: a signal came, and the call is made again or becomes EINTR */
#define ERESTARTSYS 512
#define ERESTART_RESTARTBLOCK 516
#define O_NONBLOCK 04000

/* Since 6.11 seconds and nanoseconds stand apart. */
struct inode___6_7 {
	struct timespec64 __i_ctime;
	struct timespec64 __i_mtime;
} __attribute__((preserve_access_index));

struct inode___6_1 {
	struct timespec64 i_ctime;
	struct timespec64 i_mtime;
} __attribute__((preserve_access_index));

/* In a module's BTF on some kernels. */
struct sockaddr_vm___own {
	unsigned int svm_port;
	unsigned int svm_cid;
} __attribute__((preserve_access_index));

struct vsock_sock___own {
	struct sockaddr_vm___own local_addr;
} __attribute__((preserve_access_index));

/* Since 6.16 the tracepoint says whether the whole thread group is gone. */
struct trace_event_raw_sched_process_exit___6_16 {
	bool group_dead;
} __attribute__((preserve_access_index));

#endif
