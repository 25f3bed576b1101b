/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Makes the path in a system call absolute: the kernel's path of the starting directory, a slash, the
 * caller's text. `.`, `..` and empty components stay: user space removes them when it reads the path. */
#ifndef RF_LIB_REQUEST_H
#define RF_LIB_REQUEST_H

#include "task.h"

struct request_path {
	const char *text; /* in the caller's memory */
	__s32 directory;  /* where a relative text starts: a descriptor, or AT_FDCWD */
	bool may_be_empty; /* AT_EMPTY_PATH: an empty text names the descriptor itself */
};

static __always_inline struct request_path request__at(__s32 directory, __u64 text)
{
	return (struct request_path){ .text = (const char *)text, .directory = directory };
}

static __always_inline struct request_path request__at_or_file(__s32 directory, __u64 text, bool may_be_empty)
{
	return (struct request_path){ .text = (const char *)text, .directory = directory, .may_be_empty = may_be_empty };
}

/* Returns the descriptor's file if the call names the descriptor and not a path. */
static __always_inline struct file *request__file(struct task_struct *task, const struct request_path *request)
{
	char first = 0;

	if (!request->may_be_empty || request->directory < 0)
		return 0;
	if (request->text && (bpf_probe_read_user(&first, 1, request->text) || first))
		return 0;
	return file__of_descriptor(task, request->directory);
}

/* Paths absolute to a caller in a chroot start at the chroot's root. */
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

/* Leaves the directory right before text[RF_PATH_MAX]. Returns false if
 * there is no such directory: then the record has the caller's text alone. */
static __always_inline bool request__place_base(struct rf_path_work *w, struct task_struct *task, __s32 directory, char first)
{
	bool found = request__build_base(w, task, directory, first);

	if (found && w->kept > 1)
		return true;
	/* no directory, or the root, whose slash is added next */
	w->position = RF_PATH_MAX;
	w->kept = 0;
	w->length = 0;
	return found;
}

/* Keeps head and tail of a path that is too long. */
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

/* Leaves the path where path__build does; empty when the caller's text is empty. Returns non-zero
 * if the text cannot be read. Global, so that the verifier checks it once and not on every path. */
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

/* The caller's text alone: only while a rule asks for it, because nearly every event has one. */
static __always_inline void request__append_raw(struct rf_builder *b, __u32 capacity, struct rf_text *text, const struct request_path *request)
{
	if (request->text && RF_READ_ONCE(rf_control.raw_paths))
		text__append_string(b, capacity, text, TEXT_USER, request->text);
	else
		text__clear(b, text);
}

#endif
