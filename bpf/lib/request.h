/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A path as a system call was given it, made absolute: the kernel's path of the directory that it begins at, a slash, the caller's text. `.`, `..`
 * and empty components stay as they were written: user space takes them out where it reads the path. */
#ifndef RF_LIB_REQUEST_H
#define RF_LIB_REQUEST_H

#include "task.h"

struct request_path {
	const char *text; /* in the caller's memory */
	__s32 directory;  /* where a relative text begins: a descriptor, or AT_FDCWD */
	bool may_be_empty; /* AT_EMPTY_PATH: without a text the descriptor itself is meant */
};

static __always_inline struct request_path request__at(__s32 directory, __u64 text)
{
	return (struct request_path){ .text = (const char *)text, .directory = directory };
}

static __always_inline struct request_path request__at_or_file(__s32 directory, __u64 text, bool may_be_empty)
{
	return (struct request_path){ .text = (const char *)text, .directory = directory, .may_be_empty = may_be_empty };
}

/* The descriptor's file, when it is meant and not a path. */
static __always_inline struct file *request__file(struct task_struct *task, const struct request_path *request)
{
	char first = 0;

	if (!request->may_be_empty || request->directory < 0)
		return 0;
	if (request->text && (bpf_probe_read_user(&first, 1, request->text) || first))
		return 0;
	return file__of_descriptor(task, request->directory);
}

/* A caller in a chroot calls what is below its root absolute. */
static __always_inline bool request__build_base(struct rf_path_work *w, struct task_struct *task, __s32 directory, char first)
{
	struct fs_struct *fs = kernel__plain(task)->fs;
	struct file *file;

	if (first == '/') {
		path__build(w, fs->root.mnt, fs->root.dentry);
		return true;
	}
	if (directory == AT_FDCWD) {
		path__build(w, fs->pwd.mnt, fs->pwd.dentry);
		return true;
	}
	file = file__of_descriptor(task, directory);
	if (!file)
		return false;
	path__build(w, kernel__read(file, f_path.mnt), kernel__read(file, f_path.dentry));
	return true;
}

/* The directory stands right before text[RF_PATH_MAX]. false: there is no such directory, so the caller's text says at least what it was. */
static __always_inline bool request__place_base(struct rf_path_work *w, struct task_struct *task, __s32 directory, char first)
{
	bool found = request__build_base(w, task, directory, first);

	if (found && w->kept > 1)
		return true;
	/* nothing, or the root, whose slash the next one is */
	w->position = RF_PATH_MAX;
	w->kept = 0;
	w->length = 0;
	return found;
}

/* Of what is too long the head and the tail are kept. */
static __always_inline void request__cut(struct rf_path_work *w)
{
	__u32 to = w->position + PATH_HALF;
	__u32 from = w->position + w->kept - PATH_HALF;

	if (w->kept <= RF_PATH_MAX)
		return;
	rf_barrier(to);
	rf_barrier(from);
	if (to > RF_PATH_MAX + PATH_HALF || from > 2 * RF_PATH_MAX - PATH_HALF)
		return;
	bpf_probe_read_kernel(w->text + to, PATH_HALF, w->text + from);
	w->kept = RF_PATH_MAX;
}

/* Afterwards the path is where path__build leaves one; empty when the caller's text is empty. Not 0: it can't be read. Global, so that it is
 * verified once and not for each way that leads here. */
__noinline int request__build(struct rf_path_work *w, __u64 text, __s32 directory)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const char *from = (const char *)text;
	char first = 0;
	__u32 slash;
	long size;

	if (!w)
		return -EFAULT;
	w->position = RF_PATH_MAX;
	w->kept = 0;
	w->length = 0;
	if (failure__check(RF_PLACE_PATH_USER, bpf_probe_read_user(&first, 1, from)))
		return -EFAULT;
	if (!first)
		return 0;
	slash = request__place_base(w, task, directory, first) && first != '/';
	w->text[RF_PATH_MAX] = '/';
	size = failure__check(RF_PLACE_PATH_USER, bpf_probe_read_user_str(w->text + RF_PATH_MAX + slash, RF_PATH_MAX, from));
	if (size <= 1) {
		w->kept = 0;
		w->length = 0;
		return -EFAULT;
	}
	w->kept += slash + size - 1;
	w->length += slash + size - 1;
	request__cut(w);
	return 0;
}

static __always_inline void request__append(struct rf_builder *b, __u32 capacity, struct rf_text *text, struct rf_path_work *w,
					    const struct request_path *request)
{
	if (request__build(w, (__u64)request->text, request->directory))
		b->faults++;
	path__append(b, capacity, text, w);
}

#endif
