/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Shared by probes in user space. They run with preemption on, so they have
 * their own scratch: otherwise they could block a tracepoint on the same CPU. */
#ifndef RF_LIB_PROBE_H
#define RF_LIB_PROBE_H

#include "task.h"

struct rf_scratch_probe {
	__u32 busy;
	__u32 pad;
	char record[RF_SMALL_RECORD_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RF_CPUS_MAX);
	__type(key, __u32);
	__type(value, struct rf_scratch_probe);
} rf_scratch_prb SEC(".maps");

static __always_inline struct rf_scratch_probe *probe__acquire(enum rf_lane lane, enum rf_kind kind)
{
	ring__count_seen(lane, kind);
	return scratch__acquire(&rf_scratch_prb, ring__cpu(), lane, kind);
}

static __always_inline void probe__emit(struct rf_scratch_probe *scratch, struct rf_builder *b, enum rf_lane lane)
{
	text__count_faults(b, lane);
	ring__output(lane, b->record, b->end, RF_SMALL_RECORD_MAX);
	scratch__release(scratch);
}

#endif
