/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Counts failing kernel helpers by place and errno, and how full the evicting maps are. One table
 * serves all CPUs: failures are rare, and a process that provokes them pays the cost itself. */
#ifndef RF_LIB_FAILURE_H
#define RF_LIB_FAILURE_H

#include "maps.h"

#define FAILURE_ENOMEM 12
#define FAILURE_EEXIST 17

static __always_inline struct rf_failures *failure__table(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&rf_failures, &zero);
}

/* Not inlined: every helper call ends here, and it almost never runs. Global, so that the verifier checks it once. */
__noinline int failure__count(__u32 place, __u32 error)
{
	struct rf_failures *table = failure__table();
	__u64 at;

	if (!table)
		return 0;
	at = place * RF_ERRNOS_MAX + (error < RF_ERRNOS_MAX ? error : RF_ERRNOS_MAX - 1);
	rf_barrier(at);
	__sync_fetch_and_add(&table->failed[at & (RF_PLACES_MAX * RF_ERRNOS_MAX - 1)], 1);
	return 0;
}

/* Returns a helper's result; counts it when it is an error. */
static __always_inline long failure__check(enum rf_place place, long result)
{
	if (result < 0)
		failure__count(place, -result);
	return result;
}

/* Counts an entry made in, or removed from, a map that evicts the oldest. */
static __always_inline void failure__made(enum rf_place place)
{
	struct rf_failures *table = failure__table();

	if (table)
		__sync_fetch_and_add(&table->made[place], 1);
}

static __always_inline void failure__removed(enum rf_place place)
{
	struct rf_failures *table = failure__table();

	if (table)
		__sync_fetch_and_add(&table->removed[place], 1);
}

/* Makes an entry that does not exist yet. -EEXIST is no failure: another CPU was first. */
static __always_inline long failure__make(enum rf_place place, void *map, const void *key, const void *value)
{
	long result = bpf_map_update_elem(map, key, value, BPF_NOEXIST);

	if (!result)
		failure__made(place);
	else if (result != -FAILURE_EEXIST)
		failure__count(place, -result);
	return result;
}

static __always_inline void failure__remove(enum rf_place place, void *map, const void *key)
{
	if (!bpf_map_delete_elem(map, key))
		failure__removed(place);
}

#endif
