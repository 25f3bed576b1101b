/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A process ended: its last thread exited. */
#include "lib/isolation.h"
#include "lib/tampering.h"

/* Before 6.16 two threads that exit at once can both find no other thread left. */
static __always_inline bool exit__is_first_report(struct task_struct *task)
{
	struct rf_group_key key = { .start = kernel__start(task), .tgid = task->tgid };
	__u8 gone = 1;

	return !bpf_map_update_elem(&rf_groups_gone, &key, &gone, BPF_NOEXIST);
}

/* Returns the status that wait() returns to the parent. */
static __always_inline __u32 exit__status(struct task_struct *task)
{
	struct signal_struct *signal = kernel__plain(task)->signal;

	if (signal->flags & SIGNAL_GROUP_EXIT)
		return signal->group_exit_code;
	return task->group_leader->exit_code;
}

static __always_inline void exit__record_if_victim(struct task_struct *task)
{
	enum tampering_victim victim = tampering__victim(task->tgid, kernel__start(task));
	__u32 status;

	if (!victim)
		return;
	status = exit__status(task);
	tampering__record(victim | RF_TAMPERING_AGENT_EXIT, (status >> 8) & 0xff, status & 0x7f, 0, 0);
}

SEC("tp_btf/sched_process_exit")
int process_exit(__u64 *context)
{
	struct trace_event_raw_sched_process_exit___6_16 *event = 0;
	struct task_struct *task = (struct task_struct *)context[0];
	struct rf_header number = {};
	struct rf_exit *record;
	__u32 status;

	if (bpf_core_field_exists(event->group_dead)) {
		if (!(context[1] & 1))
			return 0;
	} else if (kernel__plain(task)->signal->live.counter || !exit__is_first_report(task)) {
		return 0;
	}
	exit__record_if_victim(task);
	isolation__notice_compat(bpf_get_current_task_btf(), RF_COMPAT_EXIT);
	ring__count_seen(RF_LANE_SECURITY, RF_EXIT);
	record = ring__reserve(RF_LANE_SECURITY, RF_EXIT, sizeof(*record), &number);
	if (!record)
		return 0;
	status = exit__status(task);
	task__fill_header(&record->h, task, RF_EXIT);
	record->duration = record->h.ktime - record->h.start;
	record->code = (status >> 8) & 0xff;
	record->signal = status & 0x7f;
	record->core = (status >> 7) & 1;
	record->pad = 0;
	ring__submit_lazily(RF_LANE_SECURITY, record, sizeof(*record), &number);
	return 0;
}
