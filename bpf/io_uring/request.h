/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The arguments of a request to io_uring, read from the kernel's
 * request on submission: its names are the kernel's copies. */
#ifndef RF_IO_URING_REQUEST_H
#define RF_IO_URING_REQUEST_H

#include "../lib/task.h"

#define IO_TEXT_HALF (RF_IO_TEXT_MAX / 2)
/* where texts are assembled, behind the request itself */
#define IO_TEXT_OFFSET 8192
#define IO_AT_FDCWD (-100)

struct xattr_name___io {
	char name[1];
} __attribute__((preserve_access_index));

struct io_xattr___named {
	struct {
		struct xattr_name___io *kname;
	} ctx;
	struct filename *filename;
} __attribute__((preserve_access_index));

/* Appends the submitted name; a relative one after the path of its directory. */
static __always_inline void io_request__append_name(struct rf_builder *b, struct rf_text *text, struct rf_path_work *work, struct task_struct *task,
						    int directory, struct filename *filename)
{
	const char *name = BPF_CORE_READ(filename, name);
	struct file *file = directory == IO_AT_FDCWD ? 0 : file__of_descriptor(task, directory);
	struct rf_text part = {};
	char first = 0;

	text__clear(b, text);
	bpf_probe_read_kernel(&first, 1, name);
	if (first != '/') {
		if (directory == IO_AT_FDCWD)
			path__append_new(b, RF_RECORD_MAX, text, work, BPF_CORE_READ(task, fs, pwd.mnt), BPF_CORE_READ(task, fs, pwd.dentry));
		else if (file)
			path__append_new(b, RF_RECORD_MAX, text, work, kernel__read(file, f_path.mnt), kernel__read(file, f_path.dentry));
		if (text->length > 1) { /* the root has its own slash */
			text__append(b, RF_RECORD_MAX, &part, TEXT_KERNEL, "/", 1, 1, 1);
			text->kept += part.kept;
			text->length += part.length;
		}
	}
	text__append_string(b, RF_RECORD_MAX, &part, TEXT_KERNEL, name);
	text->kept += part.kept;
	text->length += part.length;
}

/* Copies a text from where it was assembled into the stored request; a long one keeps its head and tail. */
static __always_inline void io_request__store(char *to, struct rf_text *text, const char *record)
{
	__u32 offset = text->offset;
	__u32 kept = text->kept;

	rf_barrier(offset);
	rf_barrier(kept);
	if (offset > RF_RECORD_MAX / 2 || kept > RF_RECORD_MAX / 2)
		return;
	if (kept <= RF_IO_TEXT_MAX) {
		bpf_probe_read_kernel(to, kept, record + offset);
		return;
	}
	bpf_probe_read_kernel(to, IO_TEXT_HALF, record + offset);
	bpf_probe_read_kernel(to + IO_TEXT_HALF, IO_TEXT_HALF, record + offset + kept - IO_TEXT_HALF);
	text->kept = RF_IO_TEXT_MAX;
}

struct io_names {
	struct filename *path;
	struct filename *target;
	int path_directory;
	int target_directory;
	bool target_is_text; /* the content of a symbolic link */
};

static __always_inline void io_request__fill_names(struct rf_io_request *r, struct rf_scratch_big *scratch, const struct io_names *names)
{
	struct rf_builder b = { .record = scratch->record, .end = IO_TEXT_OFFSET };
	struct task_struct *task = bpf_get_current_task_btf();
	struct filename *target = names->target;

	io_request__append_name(&b, &r->record.path, &scratch->path, task, names->path_directory, names->path);
	io_request__store(r->path, &r->record.path, scratch->record);
	if (!target)
		return;
	if (names->target_is_text)
		text__append_string(&b, RF_RECORD_MAX, &r->record.target, TEXT_KERNEL, BPF_CORE_READ(target, name));
	else
		io_request__append_name(&b, &r->record.target, &scratch->path, task, names->target_directory, target);
	io_request__store(r->target, &r->record.target, scratch->record);
}

static __always_inline void io_request__fill_open(struct rf_io_request *r, struct io_names *names, struct io_open *open)
{
	names->path = BPF_CORE_READ(open, filename);
	names->path_directory = BPF_CORE_READ(open, dfd);
	r->record.flags = BPF_CORE_READ(open, how.flags);
	r->fixed = BPF_CORE_READ(open, file_slot) != 0;
}

static __always_inline void io_request__fill_rename(struct rf_io_request *r, struct io_names *names, struct io_rename *rename)
{
	names->path = BPF_CORE_READ(rename, oldpath);
	names->path_directory = BPF_CORE_READ(rename, old_dfd);
	names->target = BPF_CORE_READ(rename, newpath);
	names->target_directory = BPF_CORE_READ(rename, new_dfd);
	r->record.flags = BPF_CORE_READ(rename, flags);
}

static __always_inline void io_request__fill_link(struct rf_io_request *r, struct io_names *names, struct io_link *link)
{
	names->path = BPF_CORE_READ(link, oldpath);
	names->path_directory = BPF_CORE_READ(link, old_dfd);
	names->target = BPF_CORE_READ(link, newpath);
	names->target_directory = BPF_CORE_READ(link, new_dfd);
	r->record.flags = BPF_CORE_READ(link, flags);
}

static __always_inline void io_request__fill_symlink(struct io_names *names, struct io_link *link)
{
	names->path = BPF_CORE_READ(link, newpath);
	names->path_directory = BPF_CORE_READ(link, new_dfd);
	names->target = BPF_CORE_READ(link, oldpath);
	names->target_is_text = true;
}

static __always_inline void io_request__fill_unlink(struct rf_io_request *r, struct io_names *names, struct io_unlink *unlink)
{
	names->path = BPF_CORE_READ(unlink, filename);
	names->path_directory = BPF_CORE_READ(unlink, dfd);
	r->record.flags = BPF_CORE_READ(unlink, flags);
}

static __always_inline void io_request__fill_mkdir(struct rf_io_request *r, struct io_names *names, struct io_mkdir *mkdir)
{
	names->path = BPF_CORE_READ(mkdir, filename);
	names->path_directory = BPF_CORE_READ(mkdir, dfd);
	r->record.flags = BPF_CORE_READ(mkdir, mode);
}

static __always_inline void io_request__fill_attribute(struct rf_io_request *r, struct rf_scratch_big *scratch, struct io_xattr___named *xattr)
{
	struct rf_builder b = { .record = scratch->record, .end = IO_TEXT_OFFSET };
	struct xattr_name___io *name = BPF_CORE_READ(xattr, ctx.kname);

	text__append_string(&b, RF_RECORD_MAX, &r->record.target, TEXT_KERNEL, name);
	io_request__store(r->target, &r->record.target, scratch->record);
}

/* Finds the paths and names of operations that have some. */
static __always_inline void io_request__find_names(struct rf_io_request *r, struct io_names *names, void *command)
{
	switch (r->record.opcode) {
	case RF_IO_OPENAT:
	case RF_IO_OPENAT2:
		return io_request__fill_open(r, names, command);
	case RF_IO_RENAMEAT:
		return io_request__fill_rename(r, names, command);
	case RF_IO_LINKAT:
		return io_request__fill_link(r, names, command);
	case RF_IO_SYMLINKAT:
		return io_request__fill_symlink(names, command);
	case RF_IO_UNLINKAT:
		return io_request__fill_unlink(r, names, command);
	case RF_IO_MKDIRAT:
		return io_request__fill_mkdir(r, names, command);
	case RF_IO_SETXATTR:
		names->path = BPF_CORE_READ((struct io_xattr___named *)command, filename);
		names->path_directory = IO_AT_FDCWD;
		return;
	}
}

#endif
