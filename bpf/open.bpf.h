/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A file is opened, or an open fails that writes or names a watched path. Seen at the end of the
 * system call, from the descriptor it returned, so that the record has the file opened, not the one
 * requested. Another thread can swap the descriptor before the call ends: opens of a task that shares
 * its descriptors are marked, and only the full profile (full/open.bpf.h) has their files for certain. */
#ifndef RF_OPEN_BPF_H
#define RF_OPEN_BPF_H

#include "lib/request.h"
#include "lib/share.h"
#include "lib/executable.h"
#include "lib/access.h"
#include "lib/identity.h"
#include "lib/syscall.h"

#define OPEN_RECORD_MAX RF_SMALL_RECORD_MAX
#define OPEN_REQUEST_FLAGS (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC)

struct open_request {
	struct request_path path;
	__u32 flags;
	bool changeable; /* the flags are read from the caller's memory, not from the registers that the kernel used */
};

static __always_inline bool open__writes(__u32 flags)
{
	return (flags & O_ACCMODE) || (flags & (O_CREAT | O_TRUNC));
}

static __always_inline bool open__is_named(struct file *file)
{
	struct qstr name = {};

	if (!watch__any_name() ||
	    !path__last_name(kernel__read(file, f_path.mnt), kernel__read(file, f_path.dentry), &name))
		return false;
	watch__cut(&name);
	return watch__is_name(name.name, name.len);
}

/* Whether a rule names the file by whatever path, and asks for opens that only read it. */
static __always_inline bool open__is_known(struct file *file)
{
	return identity__of_file(file) & RF_FILE_READS;
}

static __always_inline bool open__may_be_below(struct file *file)
{
	return watch__any_prefix() && watch__file_may_be_below(kernel__read(file, f_path.mnt), kernel__read(file, f_path.dentry));
}

static __always_inline void open__fill(struct rf_open *o, struct task_struct *task, __s32 result, __u32 flags)
{
	task__fill_header(&o->h, task, RF_OPEN);
	o->inode = 0;
	o->device = 0;
	o->flags = flags;
	o->result = result;
	o->mode = 0;
	o->source_caller = 0;
	o->count = 1;
	o->received = 0;
	o->created = 0;
	o->generation = 0;
	o->real_inode = 0;
	o->real_device = 0;
	o->pad = 0;
}

static __always_inline int open__drop(enum rf_drop cause)
{
	ring__count_drop(RF_LANE_BULK, RF_OPEN, cause);
	return 0;
}

/* The same for an open that is not yet counted as seen. */
static __always_inline int open__skip(enum rf_drop cause)
{
	ring__count_skipped(RF_LANE_BULK, RF_OPEN, cause);
	return 0;
}

/* For an open over its cgroup's share: returns how many opens the record stands for; 0: it is dropped.
 * Writes to watched paths and failed opens are always sent; reads are merged by process and file. */
static __always_inline __u32 open__admit(const struct rf_open *o, struct task_struct *task, bool watched)
{
	struct rf_merge_key key;

	if (!watched) {
		share__count_throttled(RF_LANE_BULK, RF_OPEN, o->h.cgroup);
		return 0;
	}
	if (!o->inode || open__writes(o->flags))
		return 1;
	merge__fill_key(&key, task, RF_OPEN, o->inode, o->device);
	return merge__admit(RF_LANE_BULK, &key, false);
}

/* `in_scratch`: the path can be matched again; a path elsewhere counts as watched, and its record has no raw path. */
static __always_inline void open__output(struct rf_open *o, __u32 size, struct task_struct *task, bool in_scratch)
{
	if (share__is_exceeded(RF_LANE_BULK, o->h.cgroup)) {
		o->count = open__admit(o, task, !in_scratch || executable__is_watched() || watch__matches(sizeof(*o), o->path.kept));
		if (!o->count)
			return;
	}
	ring__output(RF_LANE_BULK, o, size, in_scratch ? RF_SMALL_RECORD_MAX : RF_OPENED_RECORD_MAX);
}

/* Assembles the record of an open file in scratch. Returns its size; 0: nothing asks for it.
 * `request` 0: the caller's text is not at hand. */
static __always_inline __u32 open__describe(struct rf_scratch_small *scratch, struct task_struct *task, __s32 result, struct file *file,
					    __u32 flags, bool selected, const struct open_request *request)
{
	struct rf_builder b = { .record = scratch->record, .end = sizeof(struct rf_open) };
	struct rf_open *o = (struct rf_open *)scratch->record;
	struct rf_path_work *path = &scratch->path;
	struct vfsmount *mount = kernel__read(file, f_path.mnt);
	struct dentry *dentry = kernel__read(file, f_path.dentry);
	struct super_block *super;
	struct inode *inode;
	__u32 position;

	path__build(path, mount, dentry);
	position = path->position;
	rf_barrier(position);
	if (position > RF_PATH_MAX)
		return 0;
	if (!selected && !watch__is_below(scratch, path->text + position, path->kept))
		return 0;
	inode = kernel__read(file, f_inode);
	super = kernel__read(inode, i_sb);
	open__fill(o, task, result, flags);
	o->inode = kernel__read(inode, i_ino);
	o->device = kernel__read(super, s_dev);
	o->mode = kernel__read(inode, i_mode);
	o->created = (kernel__read(file, f_mode) & FMODE_CREATED) != 0;
	o->generation = identity__fill_real(inode, &o->real_inode, &o->real_device);
	identity__append(&b, OPEN_RECORD_MAX, &o->path, &o->reached, path, identity__of_file(file));
	if (request)
		request__append_raw(&b, OPEN_RECORD_MAX, &o->raw_path, &request->path);
	else
		text__clear(&b, &o->raw_path);
	text__count_faults(&b, RF_LANE_BULK);
	return b.end;
}

/* There is no file: the open failed, or its descriptor is closed again. */
static __always_inline void open__report_without_file(struct rf_scratch_small *scratch, struct task_struct *task, __s32 result,
					 const struct open_request *request, bool selected)
{
	struct rf_builder b = { .record = scratch->record, .end = sizeof(struct rf_open) };
	struct rf_open *o = (struct rf_open *)scratch->record;

	open__fill(o, task, result, request->flags);
	o->source_caller = 1;
	request__append(&b, OPEN_RECORD_MAX, &o->path, &scratch->path, &request->path);
	text__clear(&b, &o->reached);
	request__append_raw(&b, OPEN_RECORD_MAX, &o->raw_path, &request->path);
	if (!selected && !watch__matches(sizeof(*o), o->path.kept)) {
		open__drop(RF_DROP_UNWATCHED);
		return;
	}
	text__count_faults(&b, RF_LANE_BULK);
	open__output(o, b.end, task, true);
}

/* Returns the kernel's flags, with those that the kernel drops after the open. */
static __always_inline __u32 open__flags(struct file *file, __u32 requested)
{
	__u32 flags = kernel__read(file, f_flags) | (requested & OPEN_REQUEST_FLAGS);

	if (kernel__read(file, f_mode) & FMODE_CREATED)
		flags |= O_CREAT;
	return flags;
}

static __always_inline bool open__is_always_reported(__u32 flags)
{
	return RF_READ_ONCE(rf_control.all_opens) || open__writes(flags);
}

static __always_inline void open__assemble(struct task_struct *task, __s32 result, const struct open_request *request, struct file *file,
					   __u32 flags, bool selected)
{
	struct rf_scratch_small *scratch = scratch__acquire(&rf_scratch_bulk, ring__cpu(), RF_LANE_BULK, RF_OPEN);

	if (!scratch)
		return;
	if (file) {
		__u32 size = open__describe(scratch, task, result, file, flags, selected, request);

		((struct rf_open *)scratch->record)->source_caller = task__shares_files(task);
		if (size)
			open__output((struct rf_open *)scratch->record, size, task, true);
		else
			open__drop(RF_DROP_UNWATCHED);
	} else
		open__report_without_file(scratch, task, result, request, selected);
	scratch__release(scratch);
}

/* Reports access to another process's memory or environment, whether or not opens of that path are wanted. */
static __always_inline void open__report_access(struct file *file, long result, const struct open_request *request)
{
	if (file && access__is_proc(file))
		access__proc_opened(file, request->flags, result);
	else if (result == -EACCES || result == -EPERM)
		access__proc_refused(request->path.text, request->flags, result);
}

/* Sends what the LSM hook stored, with the path as the caller passed it. */
static __noinline int open__output_with_raw(struct rf_opened *opened, const struct open_request *request)
{
	struct rf_scratch_small *scratch = scratch__acquire(&rf_scratch_bulk, ring__cpu(), RF_LANE_BULK, RF_OPEN);
	struct rf_builder b = {};
	__u32 size = opened->size;

	if (!scratch)
		return 0;
	rf_barrier(size);
	if (size <= RF_OPENED_RECORD_MAX && !bpf_probe_read_kernel(scratch->record, size, opened->record)) {
		struct rf_open *o = (struct rf_open *)scratch->record;

		b.record = scratch->record;
		b.end = size;
		request__append_raw(&b, OPEN_RECORD_MAX, &o->raw_path, &request->path);
		text__count_faults(&b, RF_LANE_BULK);
		open__output(o, b.end, bpf_get_current_task_btf(), true);
	}
	scratch__release(scratch);
	return 0;
}

/* Reports what the LSM hook stored. Returns false if it stored nothing:
 * the descriptors are not shared, or this is an O_PATH descriptor. */
static __always_inline bool open__report_stored(struct task_struct *task, long result, const struct open_request *request)
{
	struct rf_opened *opened = rf_full ? bpf_task_storage_get(&rf_opened, task, 0, 0) : 0;
	__u32 state;

	if (!opened)
		return false;
	state = opened->state;
	opened->state = RF_OPENED_NONE;
	if (result < 0 || state == RF_OPENED_NONE)
		return false;
	if (state == RF_OPENED_UNWATCHED) {
		open__skip(RF_DROP_UNWATCHED);
		return true;
	}
	ring__count_seen(RF_LANE_BULK, RF_OPEN);
	((struct rf_open *)opened->record)->result = result;
	if (RF_READ_ONCE(rf_control.raw_paths))
		open__output_with_raw(opened, request);
	else
		open__output((struct rf_open *)opened->record, opened->size, task, false);
	return true;
}

/* The cheapest tests come first, as most opens are not wanted: a file's name is at hand, its path must be assembled. */
static __always_inline int open__finish(struct task_struct *task, long result, const struct open_request *request)
{
	bool has_path_rules = watch__any_prefix() || watch__any_name();
	__u32 flags = request->flags;
	struct file *file = 0;
	bool selected;

	if (task__is_agent(task))
		return open__skip(RF_DROP_SELF);
	if (result >= 0)
		file = file__of_descriptor(task, result);
	open__report_access(file, result, request);
	if (open__report_stored(task, result, request))
		return 0;
	selected = executable__is_watched();
	if (!selected && !has_path_rules && !request->changeable && !open__is_always_reported(flags))
		return open__skip(RF_DROP_UNWATCHED);
	if (file)
		flags = open__flags(file, flags);
	else if (result >= 0) /* another thread closed it, so only the caller's text is left */
		open__drop(RF_DROP_READ_FAULT);
	selected = selected || open__is_always_reported(flags) || (file && (open__is_named(file) || open__is_known(file)));
	if (!selected && (file ? !open__may_be_below(file) : !has_path_rules))
		return open__skip(RF_DROP_UNWATCHED);
	ring__count_seen(RF_LANE_BULK, RF_OPEN);
	open__assemble(task, result, request, file, flags, selected);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_open")
int open_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct open_request request = {
		.path = request__at(AT_FDCWD, PT_REGS_PARM1_SYSCALL(registers)),
		.flags = PT_REGS_PARM2_SYSCALL(registers),
	};

	return open__finish(task, syscall__result(context), &request);
}

SEC("tracepoint/syscalls/sys_exit_creat")
int creat_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct open_request request = {
		.path = request__at(AT_FDCWD, PT_REGS_PARM1_SYSCALL(registers)),
		.flags = O_CREAT | O_WRONLY | O_TRUNC,
	};

	return open__finish(task, syscall__result(context), &request);
}

SEC("tracepoint/syscalls/sys_exit_openat")
int openat_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct open_request request = {
		.path = request__at(PT_REGS_PARM1_SYSCALL(registers), PT_REGS_PARM2_SYSCALL(registers)),
		.flags = PT_REGS_PARM3_SYSCALL(registers),
	};

	return open__finish(task, syscall__result(context), &request);
}

SEC("tracepoint/syscalls/sys_exit_openat2")
int openat2_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct open_request request = {
		.path = request__at(PT_REGS_PARM1_SYSCALL(registers), PT_REGS_PARM2_SYSCALL(registers)),
		.changeable = true,
	};
	const void *how = (const void *)PT_REGS_PARM3_SYSCALL(registers);
	__u64 flags = 0;

	/* the kernel's copy of struct open_how is gone by now */
	if (failure__check(RF_PLACE_ARGUMENT, bpf_probe_read_user(&flags, sizeof(flags), how)))
		open__drop(RF_DROP_READ_FAULT);
	request.flags = flags;
	return open__finish(task, syscall__result(context), &request);
}

/* The call names the file by a handle, which is no path: if it fails, the record has none. */
SEC("tracepoint/syscalls/sys_exit_open_by_handle_at")
int open_by_handle_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	long result = syscall__result(context);
	struct open_request request = {
		.path = request__at(-1, 0),
		.flags = PT_REGS_PARM3_SYSCALL(task__registers(task)),
	};

	return result < 0 ? 0 : open__finish(task, result, &request);
}

#endif
