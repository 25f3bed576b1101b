/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The processes that are already running, as exec records with sequence 0. With a pid
 * in the iterator's link info: one process, for instance to get its exact start before
 * a kill. Sleepable, so that arguments can be read from memory that is not resident. */
#include "lib/executable.h"

#define SNAPSHOT_RECORD_MAX RF_RECORD_MAX

/* Returns false after a fault, which is counted. */
static __always_inline bool snapshot__read(struct rf_builder *b, struct task_struct *task, void *to, __u32 size, unsigned long from)
{
	if (!bpf_copy_from_user_task(to, size, (void *)from, task, 0))
		return true;
	b->faults++;
	return false;
}

static __always_inline void snapshot__append_arguments(struct rf_builder *b, struct rf_text *text, struct task_struct *task)
{
	const __u32 half = RF_SNAPSHOT_ARGV_MAX / 2;
	unsigned long start = kernel__plain(task)->mm->arg_start;
	unsigned long size = kernel__plain(task)->mm->arg_end - start;
	__u32 end = b->end;
	__u32 kept;
	char last = 1;

	text__clear(b, text);
	if (!size || size > (1UL << 31) || !snapshot__read(b, task, &last, 1, start + size - 1))
		return;
	size -= !last; /* a process that overwrote its arguments may have no NUL there */
	text->length = size;
	kept = size;
	rf_barrier(end);
	rf_barrier(kept);
	if (end > SNAPSHOT_RECORD_MAX - RF_SNAPSHOT_ARGV_MAX)
		return;
	if (kept <= RF_SNAPSHOT_ARGV_MAX) {
		if (!snapshot__read(b, task, b->record + end, kept, start))
			return;
	} else {
		if (!snapshot__read(b, task, b->record + end, half, start) ||
		    !snapshot__read(b, task, b->record + end + half, half, start + size - half))
			return;
		kept = RF_SNAPSHOT_ARGV_MAX;
	}
	text->kept = kept;
	b->end = end + kept;
}

static __always_inline void snapshot__fill(struct rf_scratch_big *scratch, struct rf_builder *b, struct task_struct *task)
{
	struct rf_exec *e = (struct rf_exec *)scratch->record;
	struct file *file = kernel__plain(task)->mm->exe_file;

	executable__store_if_absent(task, file);
	exec__fill_fixed(e, task);
	exec__fill_file(e, file);
	e->snapshot = 1;
	e->flags |= exec__width_flag(task);
	if (!file)
		e->flags = 0;
	text__clear(b, &e->path);
	text__clear(b, &e->filename);
	if (file)
		path__append_new(b, SNAPSHOT_RECORD_MAX, &e->path, &scratch->path, file->f_path.mnt, file->f_path.dentry);
	if (task->flags & PF_KTHREAD)
		text__append_string(b, SNAPSHOT_RECORD_MAX, &e->filename, TEXT_KERNEL, task->comm);
	path__append_new(b, SNAPSHOT_RECORD_MAX, &e->cwd, &scratch->path, kernel__plain(task)->fs->pwd.mnt, kernel__plain(task)->fs->pwd.dentry);
	snapshot__append_arguments(b, &e->argv, task);
	text__clear(b, &e->environment);
	text__clear(b, &e->interpreter);
	text__clear(b, &e->script);
	e->script_inode = 0;
	e->script_ctime = 0;
	e->script_device = 0;
}

SEC("iter.s/task")
int snapshot(struct bpf_iter__task *context)
{
	struct rf_builder b = { .end = sizeof(struct rf_exec) };
	struct task_struct *task = context->task;
	struct rf_scratch_big *scratch;
	struct rf_exec *e;
	__u32 end;

	if (!task || task->group_leader != task)
		return 0;
	scratch = scratch__acquire(&rf_scratch_snap, 0, RF_LANE_SECURITY, RF_EXEC);
	if (!scratch)
		return 1; /* another reader is active: this read() ends with EAGAIN and has to be repeated */
	b.record = scratch->record;
	e = (struct rf_exec *)scratch->record;
	snapshot__fill(scratch, &b, task);
	text__count_faults(&b, RF_LANE_SECURITY);
	end = b.end;
	e->h.size = end;
	rf_barrier(end);
	if (end <= RF_RECORD_MAX)
		bpf_seq_write(context->meta->seq, e, end);
	scratch__release(scratch);
	return 0;
}
