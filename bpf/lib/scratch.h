/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Per-CPU buffers in which records are assembled. Tracepoints run with
 * preemption off on today's kernels, but nothing here depends on that. */
#ifndef RF_LIB_SCRATCH_H
#define RF_LIB_SCRATCH_H

#include "interest.h"

static __always_inline void *scratch__try_acquire(void *map, __u32 index)
{
	__u32 *busy = bpf_map_lookup_elem(map, &index);

	return busy && __sync_val_compare_and_swap(busy, 0, 1) == 0 ? busy : 0;
}

/* For an event of that lane and kind, which is lost when the buffer is in use. */
static __always_inline void *scratch__acquire(void *map, __u32 index, enum rf_lane lane, enum rf_kind kind)
{
	void *scratch = scratch__try_acquire(map, index);

	if (!scratch)
		ring__count_drop(lane, kind, RF_DROP_SCRATCH);
	return scratch;
}

static __always_inline void scratch__release(void *scratch)
{
	*(volatile __u32 *)scratch = 0;
}

#endif
