/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Shares of bytes, for every record that a task causes. Once a ring is half full, a record is charged to the
 * task's cgroup, to the cgroups above it and to its user. While one of these shares is spent, records that can
 * be long are slim; once the ring is three quarters full, they are dropped and counted. So the last quarter is
 * a reserve for tasks within their shares. A new cgroup adds nothing to what those above it may send.
 *
 * Within a share, records of which the cgroup sends many may use half of the burst, and rare ones all of it. So
 * floods of any sorts leave the other actions of their own cgroup their place, and take it from no other cgroup. */
#ifndef RF_LIB_BYTE_SHARE_H
#define RF_LIB_BYTE_SHARE_H

#include "failure.h"

/* The levels of the hierarchy that have a share of their own, from the level below the root. */
#define BYTE_SHARE_LEVELS 4
/* The shares of a user and of a cgroup at these levels are this power of two times a cgroup's own share. */
#define BYTE_SHARE_OF_USER 2
#define BYTE_SHARE_OF_LEVEL_1 3
#define BYTE_SHARE_OF_LEVEL 2

static __always_inline void *byte_share__ring(enum rf_lane lane)
{
	return lane == RF_LANE_SECURITY ? (void *)&rf_ring_security : (void *)&rf_ring_bulk;
}

/* How rare a record is: each step costs a quarter of the burst. */
enum byte_share_rank {
	BYTE_SHARE_RARE,    /* its cgroup sends few of this kind and class */
	BYTE_SHARE_UNUSUAL, /* it sends many, but few by this program */
	BYTE_SHARE_COMMON,
};

/* Records of a sort are rare while they fit in the cgroup's share divided by two to this power: the records of one
 * kind and class, and those that also come from one program. */
#define BYTE_SHARE_OF_SORT 2
#define BYTE_SHARE_OF_PROGRAM 3

/* Charges a holder; returns true if its share is spent. A share is a
 * time, as in share.h. A cost of 0 only asks, and makes no entry. A spent share is charged up to `debt`. */
static __always_inline bool byte_share__is_spent(void *map, enum rf_place place, const void *key, __u64 cost, __u64 burst,
						 __u64 debt)
{
	struct rf_share *share = bpf_map_lookup_elem(map, key);
	__u64 now = bpf_ktime_get_boot_ns();
	__u64 due, before;

	if (!share) {
		struct rf_share first = { .due = now + cost };

		if (cost)
			failure__make(place, map, key, &first);
		return false;
	}
	before = RF_READ_ONCE(share->due);
	due = before > now ? before : now;
	if (due - now > burst) {
		if (cost && due - now < debt)
			__sync_fetch_and_add(&share->due, cost);
		return true;
	}
	/* if two CPUs come at once, one pays for both */
	if (cost && __sync_val_compare_and_swap(&share->due, before, due + cost) != before)
		__sync_fetch_and_add(&share->due, cost);
	return false;
}

static __always_inline __u64 byte_share__cost(enum rf_lane lane, __u32 size)
{
	return size * RF_READ_ONCE(rf_control.byte_share_interval[lane & 1]) >> 10;
}

/* Charges the sorts of a record. The executable's inode tells programs apart: a task can't change it at will. A sort
 * has debts, so that a flood stays common until it pauses: otherwise a part of each flood would be rare, and floods of
 * four sorts would spend the whole share. Not a part of byte_share__charge, so that the stacks of both fit where system
 * calls end on 6.1. */
__noinline int byte_share__rank(enum rf_lane lane, __u32 size, __u32 kind, __u32 class)
{
	struct rf_sort_share_key key = { .cgroup = bpf_get_current_cgroup_id(), .kind = kind, .class = class, .lane = lane };
	__u64 burst = RF_READ_ONCE(rf_control.byte_share_burst[lane & 1]);
	__u64 cost = byte_share__cost(lane, size);
	struct mm_struct *mm = kernel__plain(bpf_get_current_task_btf())->mm;
	struct file *file = mm ? kernel__read(mm, exe_file) : 0;
	struct inode *inode = file ? kernel__read(file, f_inode) : 0;

	key.program = inode ? kernel__read(inode, i_ino) : 0;
	if (byte_share__is_spent(&rf_sort_shares, RF_PLACE_SORT_SHARES, &key, cost << BYTE_SHARE_OF_PROGRAM, burst,
				 2 * burst))
		return BYTE_SHARE_COMMON;
	key.program = 0;
	if (byte_share__is_spent(&rf_sort_shares, RF_PLACE_SORT_SHARES, &key, cost << BYTE_SHARE_OF_SORT, burst, 2 * burst))
		return BYTE_SHARE_UNUSUAL;
	return BYTE_SHARE_RARE;
}

/* Charges the current task for a record of a rank; returns 1 if one of its shares is spent. The own cgroup comes
 * first, so that what it sends over its share is no charge to those above. A size of 0 only asks. Global, so that the
 * verifier checks it once. */
__noinline int byte_share__charge(enum rf_lane lane, __u32 size, __u32 rank)
{
	__u64 burst = RF_READ_ONCE(rf_control.byte_share_burst[lane & 1]);
	struct rf_byte_share_key key = { .id = bpf_get_current_cgroup_id(), .lane = lane };
	__u64 own = key.id;
	__u64 cost = byte_share__cost(lane, size);
	__u32 user;

	burst -= (burst >> 2) * (rank & 3);
	if (byte_share__is_spent(&rf_byte_shares, RF_PLACE_BYTE_SHARES, &key, cost, burst, 0))
		return 1;
#pragma unroll
	for (int level = 1; level <= BYTE_SHARE_LEVELS; level++) {
		__u64 part = cost >> (level == 1 ? BYTE_SHARE_OF_LEVEL_1 : BYTE_SHARE_OF_LEVEL);

		key.id = bpf_get_current_ancestor_cgroup_id(level);
		if (!key.id || key.id == own)
			break;
		if (byte_share__is_spent(&rf_byte_shares, RF_PLACE_BYTE_SHARES, &key, part, burst, 0))
			return 1;
	}
	user = bpf_get_current_uid_gid();
	key.id = user;
	key.is_user = 1;
	return user && byte_share__is_spent(&rf_byte_shares, RF_PLACE_BYTE_SHARES, &key, cost >> BYTE_SHARE_OF_USER, burst, 0);
}

/* Whether the current task's record should be slim. */
static __always_inline bool byte_share__slims(enum rf_lane lane)
{
	__u32 from = RF_READ_ONCE(rf_control.byte_share_from[lane]);

	return from && bpf_ringbuf_query(byte_share__ring(lane), BPF_RB_AVAIL_DATA) >= from && byte_share__charge(lane, 0, BYTE_SHARE_COMMON);
}

/* Whether the current task may send a record of this size. */
static __always_inline bool byte_share__admits(enum rf_lane lane, __u32 size, __u32 kind, __u32 class)
{
	__u32 from = RF_READ_ONCE(rf_control.byte_share_from[lane]);
	__u32 until = RF_READ_ONCE(rf_control.byte_share_until[lane]);
	__u64 waiting;

	if (!from)
		return true;
	waiting = bpf_ringbuf_query(byte_share__ring(lane), BPF_RB_AVAIL_DATA);
	if (waiting < from)
		return true;
	/* half of the reserve is gone, so the reader stalls: shares are a quarter from here on */
	if (waiting > until + ((until - from) >> 1))
		size <<= 2;
	return !byte_share__charge(lane, size, byte_share__rank(lane, size, kind, class)) || waiting < until;
}

#endif
