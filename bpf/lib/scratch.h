/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The per-CPU place where a record is put together. Tracepoints run with preemption off on today's kernels; nothing here depends on it. */
#ifndef RF_LIB_SCRATCH_H
#define RF_LIB_SCRATCH_H

#include "ring.h"

static __always_inline void *scratch__take(void *map, __u32 index, enum rf_lane lane)
{
	__u32 *busy = bpf_map_lookup_elem(map, &index);

	if (!busy || __sync_val_compare_and_swap(busy, 0, 1) != 0) {
		ring__count(lane, RF_DROP_SCRATCH);
		return 0;
	}
	return busy;
}

static __always_inline void scratch__give(void *scratch)
{
	*(volatile __u32 *)scratch = 0;
}

#endif
