/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A file is opened, or an open to write or of a watched path fails. Seen at the end of the system call, from the descriptor it returned: what
 * is reported is what was opened, not what was asked for. Another thread that replaces the descriptor before the call ends is not outwitted:
 * that takes the LSM hook of the full profile (full/open.bpf.h), which writes down what was opened for the end of the call. */
#ifndef RF_OPEN_BPF_H
#define RF_OPEN_BPF_H

#include "lib/task.h"

#define OPEN_ROOM RF_SMALL_RECORD_MAX
#define OPEN_REQUEST_FLAGS (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC)

struct open_request {
	const char *path; /* in the caller's memory */
	__u32 flags;
	bool changeable; /* the flags are the caller's memory, not the registers that the kernel has used */
};

static __always_inline bool open__writes(__u32 flags)
{
	return (flags & O_ACCMODE) || (flags & (O_CREAT | O_TRUNC));
}

static __always_inline bool open__any_watched(void)
{
	return RF_READ_ONCE(rf_control.watched_heads[0]) || RF_READ_ONCE(rf_control.watched_heads[1]);
}

/* Most paths lie where nothing is watched: under another directory of the root. */
static __always_inline bool open__may_be_watched(__u32 head)
{
	return !head || (RF_READ_ONCE(rf_control.watched_heads[head >> 5 & 1]) & 1U << (head & 31));
}

static __always_inline bool open__is_watched(struct rf_scratch_small *scratch, const char *path, __u32 size)
{
	struct rf_watched_key *key = &scratch->key;

	rf_barrier(size);
	if (size > RF_WATCHED_MAX)
		size = RF_WATCHED_MAX;
	if (bpf_probe_read_kernel(key->path, size, path))
		return false;
	key->prefixlen = size * 8;
	return bpf_map_lookup_elem(&rf_watched, key) != 0;
}

/* Of a name in the kernel, at most the last RF_NAME_MAX bytes. */
static __always_inline bool open__is_name(const void *name, __u32 size)
{
	struct rf_name_key key = {};

	rf_barrier(size);
	if (size > RF_NAME_MAX || bpf_probe_read_kernel(key.name, size, name))
		return false;
	return bpf_map_lookup_elem(&rf_names, &key) != 0;
}

static __always_inline bool open__is_named(struct file *file)
{
	struct qstr name = {};

	if (RF_READ_ONCE(rf_control.nothing_named) ||
	    !path__last_name(kernel__read(file, f_path.mnt), kernel__read(file, f_path.dentry), &name))
		return false;
	if (name.len > RF_NAME_MAX) {
		name.name += name.len - RF_NAME_MAX;
		name.len = RF_NAME_MAX;
	}
	return open__is_name(name.name, name.len);
}

/* A path in the record being made: what follows its last slash, if that is near enough. */
static __always_inline bool open__ends_in_name(const char *record, __u32 offset, __u32 size)
{
	char tail[RF_NAME_MAX] = {};
	__u32 kept = size < RF_NAME_MAX ? size : RF_NAME_MAX;
	__u32 begin = offset + size - kept;
	__u32 name = 0;

	if (RF_READ_ONCE(rf_control.nothing_named))
		return false;
	rf_barrier(kept);
	rf_barrier(begin);
	if (kept > RF_NAME_MAX || begin > OPEN_ROOM - RF_NAME_MAX || bpf_probe_read_kernel(tail, kept, record + begin))
		return false;
#pragma unroll
	for (__u32 at = 0; at < RF_NAME_MAX; at++)
		if (tail[at] == '/')
			name = at + 1;
	return name < kept && open__is_name(record + begin + name, kept - name);
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
}

static __always_inline void open__emit(struct rf_builder *b)
{
	text__count_faults(b, RF_LANE_BULK);
	ring__output(RF_LANE_BULK, b->record, b->end, RF_SMALL_RECORD_MAX);
}

/* The record of an open file, in scratch; its size, 0: nobody wants it, which is counted. */
static __always_inline __u32 open__describe(struct rf_scratch_small *scratch, struct task_struct *task, __s32 result, struct file *file,
					    __u32 flags, bool wanted)
{
	struct rf_builder b = { .record = scratch->record, .end = sizeof(struct rf_open) };
	struct rf_open *o = (struct rf_open *)scratch->record;
	struct rf_path_work *path = &scratch->path;
	struct vfsmount *mount = kernel__read(file, f_path.mnt);
	struct dentry *dentry = kernel__read(file, f_path.dentry);
	struct super_block *super;
	struct inode *inode;
	__u32 position;

	if (!wanted && !open__may_be_watched(path__head(path, mount, dentry))) {
		ring__count(RF_LANE_BULK, RF_DROP_UNWATCHED);
		return 0;
	}
	path__build(path, mount, dentry);
	position = path->position;
	rf_barrier(position);
	if (position > RF_PATH_MAX)
		return 0;
	if (!wanted && !open__is_watched(scratch, path->text + position, path->kept)) {
		ring__count(RF_LANE_BULK, RF_DROP_UNWATCHED);
		return 0;
	}
	inode = kernel__read(file, f_inode);
	super = kernel__read(inode, i_sb);
	open__fill(o, task, result, flags);
	o->inode = kernel__read(inode, i_ino);
	o->device = kernel__read(super, s_dev);
	o->mode = kernel__read(inode, i_mode);
	path__append(&b, OPEN_ROOM, &o->path, path);
	text__count_faults(&b, RF_LANE_BULK);
	return b.end;
}

/* No file: the open failed, or its descriptor is gone again. */
static __always_inline void open__without_file(struct rf_scratch_small *scratch, struct task_struct *task, __s32 result,
					 const struct open_request *request, bool wanted)
{
	struct rf_builder b = { .record = scratch->record, .end = sizeof(struct rf_open) };
	struct rf_open *o = (struct rf_open *)scratch->record;

	open__fill(o, task, result, request->flags);
	o->source_caller = 1;
	text__append_string(&b, OPEN_ROOM, &o->path, TEXT_USER, request->path);
	if (!wanted && !open__ends_in_name(scratch->record, sizeof(*o), o->path.kept) &&
	    !open__is_watched(scratch, scratch->record + sizeof(*o), o->path.kept)) {
		ring__count(RF_LANE_BULK, RF_DROP_UNWATCHED);
		return;
	}
	open__emit(&b);
}

/* The kernel's flags; it forgets the ones that only matter to the open itself. */
static __always_inline __u32 open__flags(struct file *file, __u32 requested)
{
	__u32 flags = kernel__read(file, f_flags) | (requested & OPEN_REQUEST_FLAGS);

	if (kernel__read(file, f_mode) & FMODE_CREATED)
		flags |= O_CREAT;
	return flags;
}

static __always_inline bool open__is_wanted(__u32 flags)
{
	return RF_READ_ONCE(rf_control.all_opens) || open__writes(flags);
}

static __always_inline void open__assemble(struct task_struct *task, __s32 result, const struct open_request *request, struct file *file,
					   __u32 flags, bool wanted)
{
	struct rf_scratch_small *scratch = scratch__take(&rf_scratch_bulk, ring__cpu(), RF_LANE_BULK);

	if (!scratch)
		return;
	if (file) {
		__u32 size = open__describe(scratch, task, result, file, flags, wanted);

		if (size)
			ring__output(RF_LANE_BULK, scratch->record, size, RF_SMALL_RECORD_MAX);
	} else
		open__without_file(scratch, task, result, request, wanted);
	scratch__give(scratch);
}

static __always_inline int open__leave_out(enum rf_drop cause)
{
	ring__count(RF_LANE_BULK, cause);
	return 0;
}

/* What the LSM hook wrote down is the truth. false: it wrote nothing (the table is not shared, or the descriptor is a mere path). */
static __always_inline bool open__was_written_down(struct task_struct *task, long result)
{
	struct rf_opened *opened = rf_full_open ? bpf_task_storage_get(&rf_opened, task, 0, 0) : 0;
	__u32 state;

	if (!opened)
		return false;
	state = opened->state;
	opened->state = RF_OPENED_NOTHING;
	if (result < 0 || state == RF_OPENED_NOTHING)
		return false;
	if (state == RF_OPENED_UNWATCHED) /* counted there */
		return true;
	((struct rf_open *)opened->record)->result = result;
	ring__output(RF_LANE_BULK, opened->record, opened->size, RF_SMALL_RECORD_MAX);
	return true;
}

/* Cheapest question first: most opens are uninteresting. A file's name is at hand, its path has to be put together. */
static __always_inline int open__finish(struct task_struct *task, long result, const struct open_request *request)
{
	bool watched = open__any_watched();
	bool looked_at = watched || !RF_READ_ONCE(rf_control.nothing_named);
	__u32 flags = request->flags;
	struct file *file = 0;
	bool wanted;

	if (task__is_agent())
		return open__leave_out(RF_DROP_SELF);
	if (open__was_written_down(task, result))
		return 0;
	if (!looked_at && !request->changeable && !open__is_wanted(flags))
		return open__leave_out(RF_DROP_UNWATCHED);
	if (result >= 0) {
		file = file__of_descriptor(task, result);
		if (file)
			flags = open__flags(file, flags);
		else /* another thread has closed it: the caller's text is all there is */
			ring__count(RF_LANE_BULK, RF_DROP_READ_FAULT);
	}
	wanted = open__is_wanted(flags) || (file && open__is_named(file));
	if (!wanted && !watched && (file || !looked_at))
		return open__leave_out(RF_DROP_UNWATCHED);
	open__assemble(task, result, request, file, flags, wanted);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_open")
int open_exit(struct trace_event_raw_sys_exit *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct open_request request = {
		.path = (const char *)PT_REGS_PARM1_SYSCALL(registers),
		.flags = PT_REGS_PARM2_SYSCALL(registers),
	};

	return open__finish(task, context->ret, &request);
}

SEC("tracepoint/syscalls/sys_exit_creat")
int creat_exit(struct trace_event_raw_sys_exit *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct open_request request = {
		.path = (const char *)PT_REGS_PARM1_SYSCALL(registers),
		.flags = O_CREAT | O_WRONLY | O_TRUNC,
	};

	return open__finish(task, context->ret, &request);
}

SEC("tracepoint/syscalls/sys_exit_openat")
int openat_exit(struct trace_event_raw_sys_exit *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct open_request request = {
		.path = (const char *)PT_REGS_PARM2_SYSCALL(registers),
		.flags = PT_REGS_PARM3_SYSCALL(registers),
	};

	return open__finish(task, context->ret, &request);
}

SEC("tracepoint/syscalls/sys_exit_openat2")
int openat2_exit(struct trace_event_raw_sys_exit *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct open_request request = { .path = (const char *)PT_REGS_PARM2_SYSCALL(registers), .changeable = true };
	const void *how = (const void *)PT_REGS_PARM3_SYSCALL(registers);
	__u64 flags = 0;

	/* the kernel's copy of struct open_how is gone by now */
	if (bpf_probe_read_user(&flags, sizeof(flags), how))
		ring__count(RF_LANE_BULK, RF_DROP_READ_FAULT);
	request.flags = flags;
	return open__finish(task, context->ret, &request);
}

#endif
