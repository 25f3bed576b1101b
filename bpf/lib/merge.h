/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Merges equal events: the first is sent at once, then at most one a second, whose count includes
 * those merged. Events merged after the last one sent are only in the counter RF_DROP_MERGED. */
#ifndef RF_LIB_MERGE_H
#define RF_LIB_MERGE_H

#include "task.h"

#define MERGE_NS NS_PER_S

static __always_inline void *merge__map(enum rf_lane lane)
{
	return lane == RF_LANE_SECURITY ? (void *)&rf_merges_sec : (void *)&rf_merges_bulk;
}

static __always_inline void merge__fill_key(struct rf_merge_key *key, struct task_struct *task, enum rf_kind kind, __u64 first, __u64 second)
{
	key->start = kernel__start(task);
	key->first = first;
	key->second = second;
	key->tgid = task->tgid;
	key->kind = kind;
}

/* Returns how many events the record stands for; 0: this event is
 * merged, and counted. `once`: an equal event is never sent again. */
static __always_inline __u32 merge__admit(enum rf_lane lane, const struct rf_merge_key *key, bool once)
{
	struct rf_merge *merge = bpf_map_lookup_elem(merge__map(lane), key);
	__u64 now = bpf_ktime_get_boot_ns();
	__u64 sent;

	if (!merge) {
		struct rf_merge first = { .sent = now };

		failure__make(lane == RF_LANE_SECURITY ? RF_PLACE_MERGES_SEC : RF_PLACE_MERGES_BULK, merge__map(lane), key, &first);
		return 1;
	}
	sent = merge->sent;
	/* if two CPUs are due at once, one sends */
	if (once || now - sent < MERGE_NS || __sync_val_compare_and_swap(&merge->sent, sent, now) != sent) {
		__sync_fetch_and_add(&merge->merged, 1);
		ring__count_drop(lane, key->kind, RF_DROP_MERGED);
		return 0;
	}
	return __sync_lock_test_and_set(&merge->merged, 0) + 1;
}

/* Reserves space in the ring for an event that is admitted. `count`: the events it stands for. */
static __always_inline void *merge__reserve(enum rf_lane lane, const struct rf_merge_key *key, __u32 size, struct rf_header *number, __u32 *count)
{
	*count = merge__admit(lane, key, false);
	return *count ? ring__reserve(lane, key->kind, size, number) : 0;
}

#endif
