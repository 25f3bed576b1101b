/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Shares: once a ring is half full, each cgroup may send a burst and then a number of
 * events a second to it. The rest is throttled and counted by kind and cgroup, which
 * leaves space for the other cgroups. While the reader keeps up, nothing is throttled.
 * Throttled by their bytes only (byte_share.h): exec, exit, credentials, isolation, access to
 * processes, modules, bpf, mounts, changes of the system, and writes to watched paths. */
#ifndef RF_LIB_SHARE_H
#define RF_LIB_SHARE_H

#include "merge.h"

static __always_inline bool share__is_enforced(enum rf_lane lane)
{
	__u64 from = RF_READ_ONCE(rf_control.share_from[lane]);

	return from && bpf_ringbuf_query(byte_share__ring(lane), BPF_RB_AVAIL_DATA) >= from;
}

/* Takes an event from the cgroup's bucket; returns 1 if its burst is spent. The bucket
 * is a time: when all events so far would be due at the cgroup's rate. It is full when
 * that time is past. Global, so that the verifier checks it once and not on every path. */
__noinline int share__charge(enum rf_lane lane, __u64 cgroup)
{
	struct rf_share_key key = { .cgroup = cgroup, .lane = lane };
	struct rf_share *share = bpf_map_lookup_elem(&rf_shares, &key);
	__u64 interval = RF_READ_ONCE(rf_control.share_interval);
	__u64 now = bpf_ktime_get_boot_ns();
	__u64 due, before;

	if (!share) {
		struct rf_share first = { .due = now + interval };

		failure__make(RF_PLACE_SHARES, &rf_shares, &key, &first);
		return 0;
	}
	before = RF_READ_ONCE(share->due);
	due = before > now ? before : now;
	if (due - now > RF_READ_ONCE(rf_control.share_burst))
		return 1;
	/* if two CPUs come at once, one pays for both */
	if (__sync_val_compare_and_swap(&share->due, before, due + interval) != before)
		__sync_fetch_and_add(&share->due, interval);
	return 0;
}

/* Returns true if the cgroup has exceeded its share. */
static __always_inline bool share__is_exceeded(enum rf_lane lane, __u64 cgroup)
{
	return share__is_enforced(lane) && share__charge(lane, cgroup);
}

static __always_inline void share__count_throttled(enum rf_lane lane, enum rf_kind kind, __u64 cgroup)
{
	ring__count_lost(lane, kind, RF_DROP_THROTTLED, cgroup);
}

/* Returns true if the event is throttled, and counts it. */
static __always_inline bool share__throttles(enum rf_lane lane, enum rf_kind kind, __u64 cgroup)
{
	if (!share__is_exceeded(lane, cgroup))
		return false;
	share__count_throttled(lane, kind, cgroup);
	return true;
}

#endif
