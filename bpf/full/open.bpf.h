/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Full profile: stores the opened file while the kernel opens it, before another thread can reach the
 * descriptor. Only for tasks that share their table of descriptors, since no other thread can swap a
 * descriptor otherwise. The record is sent at the end of the system call, as in the baseline, with its result. */
#include "../lib/isolation.h"
#include "../open.bpf.h"
#include "hook.h"

/* a file that the kernel opens behind another one, as overlayfs does */
#define FMODE_NOACCOUNT 0x20000000

static __always_inline void open__store(struct task_struct *task, struct file *file, struct rf_opened *opened)
{
	__u32 flags = open__flags(file, 0);
	bool selected = open__is_always_reported(flags) || executable__is_watched() || open__is_named(file) || open__is_known(file);
	struct rf_scratch_small *scratch;
	__u32 size;

	opened->state = RF_OPENED_UNWATCHED;
	if (!selected && !open__may_be_below(file))
		return;
	scratch = scratch__try_acquire(&rf_scratch_bulk, ring__cpu());
	if (!scratch) { /* the descriptor has to do */
		opened->state = RF_OPENED_NONE;
		return;
	}
	size = open__describe(scratch, task, 0, file, flags, selected, 0);
	rf_barrier(size);
	if (size && size <= RF_OPENED_RECORD_MAX && !bpf_probe_read_kernel(opened->record, size, scratch->record)) {
		opened->size = size;
		opened->state = RF_OPENED_SELECTED;
	}
	scratch__release(scratch);
}

static __always_inline void open__remember(struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool shared = task__shares_files(task);
	struct rf_opened *opened;

	if (!RF_READ_ONCE(rf_full_called))
		rf_full_called = 1;
	isolation__notice_compat(task, RF_COMPAT_OPEN);
	if ((kernel__read(file, f_mode) & FMODE_NOACCOUNT) || !kernel_copy__is_open(kernel_copy__call(task)) || task__is_agent(task))
		return;
	opened = bpf_task_storage_get(&rf_opened, task, 0, shared ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	if (!opened) {
		if (shared)
			failure__count(RF_PLACE_OPENED, FAILURE_ENOMEM);
		return;
	}
	opened->state = RF_OPENED_NONE;
	if (shared)
		open__store(task, file, opened);
}

FULL_HOOK(file_open, open__remember(file), struct file *file)

/* A descriptor of a file in rf_files was passed to this process: whatever rules ask about its open holds here, too. */
static __always_inline void open__receive(struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_scratch_small *scratch;
	__u32 size;

	if (!open__is_known(file) || task__is_agent(task))
		return;
	ring__count_seen(RF_LANE_BULK, RF_OPEN);
	scratch = scratch__acquire(&rf_scratch_bulk, ring__cpu(), RF_LANE_BULK, RF_OPEN);
	if (!scratch)
		return;
	size = open__describe(scratch, task, 0, file, kernel__read(file, f_flags), true, 0);
	((struct rf_open *)scratch->record)->received = 1;
	if (size)
		open__output((struct rf_open *)scratch->record, size, task, false);
	scratch__release(scratch);
}

FULL_HOOK(file_receive, open__receive(file), struct file *file)
