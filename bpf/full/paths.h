/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Full profile: stores the kernel's copies of the paths and texts in a call. */
#ifndef RF_FULL_PATHS_H
#define RF_FULL_PATHS_H

#include "hook.h"

/* The names of a call. A target is a file or a text. */
struct paths_names {
	struct vfsmount *mount;
	struct dentry *dentry;
	struct vfsmount *target_mount;
	struct dentry *target;
	const char *text;
	const char *filesystem; /* of a mount, like its options */
	const char *options;
};

static __always_inline bool paths__has_space(struct rf_builder *b)
{
	__u32 end = b->end;

	/* otherwise clang removes the check in each append, and 6.1 does not remember this one */
	rf_barrier(end);
	if (end <= RF_KERNEL_COPY_MAX - RF_PATH_MAX)
		return true;
	b->faults++;
	return false;
}

static __always_inline void paths__store_text(struct rf_builder *b, struct rf_text *text, const char *from)
{
	if (from && paths__has_space(b))
		text__append_string(b, RF_KERNEL_COPY_MAX, text, TEXT_KERNEL, from);
}

static __always_inline void paths__store_texts(struct rf_kernel_copy *copy, struct rf_path_work *work, const struct paths_names *names)
{
	struct rf_builder b = { .record = copy->text };

	path__append_new(&b, RF_KERNEL_COPY_MAX, &copy->path, work, names->mount, names->dentry);
	if (names->target && paths__has_space(&b))
		path__append_new(&b, RF_KERNEL_COPY_MAX, &copy->target, work, names->target_mount, names->target);
	paths__store_text(&b, &copy->target, names->text);
	paths__store_text(&b, &copy->filesystem, names->filesystem);
	paths__store_text(&b, &copy->options, names->options);
	copy->faults = b.faults;
}

static __always_inline void paths__store_inode(struct rf_kernel_copy *copy, struct dentry *dentry)
{
	struct inode *inode = kernel__read(dentry, d_inode);
	struct super_block *super = kernel__read(dentry, d_sb);

	if (!inode)
		return;
	copy->inode = kernel__read(inode, i_ino);
	copy->device = kernel__read(super, s_dev);
}

/* Skips opens that create or truncate, binds that make a file, and pins of bpf(2), which reach the same hooks. */
static __noinline int paths__store(const struct paths_names *names)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 call = kernel_copy__call(task);
	struct rf_scratch_small *scratch;
	struct rf_kernel_copy *copy;

	if (!call || kernel_copy__is_open(call) || kernel_copy__is_bind(call) || kernel_copy__is_bpf(call) || !names->mount || task__is_agent(task))
		return 0;
	copy = bpf_task_storage_get(&rf_kernel_copy, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!copy)
		return 0;
	kernel_copy__clear(copy);
	scratch = scratch__try_acquire(&rf_scratch_bulk, ring__cpu());
	if (!scratch)
		return 0;
	paths__store_texts(copy, &scratch->path, names);
	scratch__release(scratch);
	paths__store_inode(copy, names->dentry);
	/* if one is missing, the caller's are reported and marked */
	if (copy->path.kept && !copy->faults)
		copy->call = call;
	return 0;
}

#endif
