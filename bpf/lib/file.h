/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Facts about an open file. */
#ifndef RF_LIB_FILE_H
#define RF_LIB_FILE_H

#include "path.h"

#define NS_PER_S 1000000000ULL
/* since 6.13 the top bits of the nanoseconds are kernel flags */
#define NSEC_MASK 0x3fffffff

static __always_inline struct file *file__of_descriptor(struct task_struct *task, __u32 descriptor)
{
	struct fdtable *table = kernel__plain(task)->files->fdt;
	struct file **files = table->fd;

	if (descriptor >= table->max_fds)
		return 0;
	return (struct file *)kernel__word(files + descriptor);
}

static __always_inline bool file__is_socket(struct file *file)
{
	struct inode *inode;

	if (!file)
		return false;
	inode = kernel__read(file, f_inode);
	return (kernel__read(inode, i_mode) & S_IFMT) == S_IFSOCK;
}

/* True for sockets other than unix sockets: Node, sshd and
 * others use those as pipes, and they lead to no other machine. */
static __always_inline bool file__is_network_socket(struct file *file)
{
	struct socket *socket;
	struct sock *sk;

	if (!file__is_socket(file))
		return false;
	socket = kernel__read(file, private_data);
	sk = kernel__read(socket, sk);
	return kernel__read(sk, __sk_common.skc_family) != AF_UNIX;
}

static __always_inline __u64 file__nanoseconds(__s64 seconds, __u64 nanoseconds)
{
	return seconds * NS_PER_S + (nanoseconds & NSEC_MASK);
}

static __always_inline __u64 file__ctime(struct inode *inode)
{
	struct inode___6_7 *since_6_6 = (void *)inode;
	struct inode___6_1 *since_6_1 = (void *)inode;

	if (bpf_core_field_exists(inode->i_ctime_sec))
		return file__nanoseconds(BPF_CORE_READ(inode, i_ctime_sec), BPF_CORE_READ(inode, i_ctime_nsec));
	if (bpf_core_field_exists(since_6_6->__i_ctime))
		return file__nanoseconds(BPF_CORE_READ(since_6_6, __i_ctime.tv_sec), BPF_CORE_READ(since_6_6, __i_ctime.tv_nsec));
	return file__nanoseconds(BPF_CORE_READ(since_6_1, i_ctime.tv_sec), BPF_CORE_READ(since_6_1, i_ctime.tv_nsec));
}

static __always_inline __u64 file__mtime(struct inode *inode)
{
	struct inode___6_7 *since_6_7 = (void *)inode;
	struct inode___6_1 *since_6_1 = (void *)inode;

	if (bpf_core_field_exists(inode->i_mtime_sec))
		return file__nanoseconds(BPF_CORE_READ(inode, i_mtime_sec), BPF_CORE_READ(inode, i_mtime_nsec));
	if (bpf_core_field_exists(since_6_7->__i_mtime))
		return file__nanoseconds(BPF_CORE_READ(since_6_7, __i_mtime.tv_sec), BPF_CORE_READ(since_6_7, __i_mtime.tv_nsec));
	return file__nanoseconds(BPF_CORE_READ(since_6_1, i_mtime.tv_sec), BPF_CORE_READ(since_6_1, i_mtime.tv_nsec));
}

/* Whether an overlay's inode is in the upper layer: then it was written or copied there after the image
 * was made. struct ovl_inode has the upper dentry right behind the inode (fs/overlayfs/ovl_entry.h, 4.8
 * to 6.18). Read by position, since overlayfs is a module on many kernels: looking a type up in modules
 * takes CAP_SYS_ADMIN, without which no part of the sensor would load. */
static __always_inline bool file__is_upper(struct inode *inode)
{
	struct dentry *upper = 0;

	bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	return upper != 0;
}

static __always_inline __u32 file__exec_flags(struct file *file)
{
	struct inode *inode = kernel__read(file, f_inode);
	struct super_block *super = kernel__read(inode, i_sb);
	__u32 mode = kernel__read(inode, i_mode);
	__u32 magic = kernel__read(super, s_magic);
	__u32 flags = 0;

	if (mode & S_ISUID)
		flags |= RF_EXEC_SETUID;
	if (mode & S_ISGID)
		flags |= RF_EXEC_SETGID;
	if (!kernel__read(inode, i_nlink)) {
		flags |= RF_EXEC_DELETED;
		if (magic == TMPFS_MAGIC || magic == HUGETLBFS_MAGIC)
			flags |= RF_EXEC_MEMFD;
	}
	if (magic == OVERLAYFS_SUPER_MAGIC && file__is_upper(inode))
		flags |= RF_EXEC_UPPER;
	return flags;
}

#endif
