/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Full profile: the paths and texts that a call is about, as the kernel has them. */
#ifndef RF_FULL_PATHS_H
#define RF_FULL_PATHS_H

#include "hook.h"

/* Where they are. A target is a file or a text. */
struct paths_names {
	struct vfsmount *mount;
	struct dentry *dentry;
	struct vfsmount *target_mount;
	struct dentry *target;
	const char *text;
	const char *filesystem; /* of a mount, as its options are */
	const char *options;
};

static __always_inline bool paths__have_room(struct rf_builder *b)
{
	__u32 end = b->end;

	/* or clang leaves out the check that each text makes, and 6.1 does not remember this one */
	rf_barrier(end);
	if (end <= RF_TRUTH_MAX - RF_PATH_MAX)
		return true;
	b->faults++;
	return false;
}

static __always_inline void paths__write_text(struct rf_builder *b, struct rf_text *text, const char *from)
{
	if (from && paths__have_room(b))
		text__append_string(b, RF_TRUTH_MAX, text, TEXT_KERNEL, from);
}

static __always_inline void paths__write_texts(struct rf_truth *truth, struct rf_path_work *work, const struct paths_names *names)
{
	struct rf_builder b = { .record = truth->text };

	path__append_new(&b, RF_TRUTH_MAX, &truth->path, work, names->mount, names->dentry);
	if (names->target && paths__have_room(&b))
		path__append_new(&b, RF_TRUTH_MAX, &truth->target, work, names->target_mount, names->target);
	paths__write_text(&b, &truth->target, names->text);
	paths__write_text(&b, &truth->filesystem, names->filesystem);
	paths__write_text(&b, &truth->options, names->options);
	truth->faults = b.faults;
}

static __always_inline void paths__write_inode(struct rf_truth *truth, struct dentry *dentry)
{
	struct inode *inode = kernel__read(dentry, d_inode);
	struct super_block *super = kernel__read(dentry, d_sb);

	if (!inode)
		return;
	truth->inode = kernel__read(inode, i_ino);
	truth->device = kernel__read(super, s_dev);
}

/* Opens that create or truncate come to the same hooks, and so do binds that make a file and pins of bpf(2). */
static __noinline int paths__write_down(const struct paths_names *names)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 call = truth__call(task);
	struct rf_scratch_small *scratch;
	struct rf_truth *truth;

	if (!call || truth__is_of_open(call) || truth__is_of_bind(call) || truth__is_of_bpf(call) || !names->mount || task__is_agent(task))
		return 0;
	truth = bpf_task_storage_get(&rf_truths, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!truth)
		return 0;
	truth__clear(truth);
	scratch = scratch__try(&rf_scratch_bulk, ring__cpu());
	if (!scratch)
		return 0;
	paths__write_texts(truth, &scratch->path, names);
	scratch__give(scratch);
	paths__write_inode(truth, names->dentry);
	/* without one of them the caller's are told, and marked */
	if (truth->path.kept && !truth->faults)
		truth->call = call;
	return 0;
}

#endif
