/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Lanes: sequence numbers, loss counters, output and wake-ups. */
#ifndef RF_LIB_RING_H
#define RF_LIB_RING_H

#include "byte_share.h"

/* Bytes that may wait in a ring without waking the reader: a quarter of the smallest ring. */
#define RF_LAZY_BYTES (16 * 1024)

static __always_inline __u32 ring__cpu(void)
{
	return bpf_get_smp_processor_id() & (RF_CPUS_MAX - 1);
}

static __always_inline struct rf_counters *ring__counters(void)
{
	__u32 index = ring__cpu();

	return bpf_map_lookup_elem(&rf_counters, &index);
}

static __always_inline void ring__add(struct rf_counters *counters, enum rf_lane lane, __u32 kind, __u32 fate)
{
	__u64 index = (lane * RF_KINDS_MAX + kind) * RF_FATES_MAX + fate;

	if (!__builtin_constant_p(index))
		rf_barrier(index);
	__sync_fetch_and_add(&counters->fates[index & (RF_LANES * RF_KINDS_MAX * RF_FATES_MAX - 1)], 1);
}

/* Counts an event as seen. From here on it has exactly one outcome, which is counted too. */
static __always_inline void ring__count_seen(enum rf_lane lane, enum rf_kind kind)
{
	struct rf_counters *counters = ring__counters();

	if (counters)
		ring__add(counters, lane, kind, RF_FATE_SEEN);
}

/* Counts why a seen event was not sent. */
static __always_inline void ring__count_drop(enum rf_lane lane, __u32 kind, enum rf_drop cause)
{
	struct rf_counters *counters = ring__counters();

	if (counters)
		ring__add(counters, lane, kind, RF_FATE_DROPS + cause);
}

/* Counts an event that is seen and dropped at once. */
static __always_inline void ring__count_skipped(enum rf_lane lane, enum rf_kind kind, enum rf_drop cause)
{
	struct rf_counters *counters = ring__counters();

	if (!counters)
		return;
	if (cause == RF_DROP_UNWATCHED) {
		ring__add(counters, lane, kind, RF_FATE_PASSED);
		return;
	}
	ring__add(counters, lane, kind, RF_FATE_SEEN);
	ring__add(counters, lane, kind, RF_FATE_DROPS + cause);
}

/* Counts an event that its cgroup lost. Global, so that the verifier checks it once. */
__noinline int ring__count_lost(enum rf_lane lane, __u32 kind, enum rf_drop cause, __u64 cgroup)
{
	struct rf_throttled_key key = { .cgroup = cgroup, .lane = lane, .kind = kind, .cause = cause };
	__u64 *count = bpf_map_lookup_elem(&rf_throttled, &key);
	__u64 first = 1;

	ring__count_drop(lane, kind, cause);
	if (count)
		__sync_fetch_and_add(count, 1);
	else if (failure__make(RF_PLACE_THROTTLED, &rf_throttled, &key, &first)) { /* full, or another CPU was first */
		count = bpf_map_lookup_elem(&rf_throttled, &key);
		if (count)
			__sync_fetch_and_add(count, 1);
	}
	return 0;
}

/* Counts a record that the ring had no room for. */
static __always_inline void ring__count_full(struct rf_counters *counters, enum rf_lane lane, __u32 kind)
{
	if (lane == RF_LANE_SECURITY)
		ring__count_lost(lane, kind, RF_DROP_RING_FULL, bpf_get_current_cgroup_id());
	else if (counters)
		ring__add(counters, lane, kind, RF_FATE_DROPS + RF_DROP_RING_FULL);
}

/* Whether the current task may send a record of this size. Otherwise counts the event as throttled. */
static __always_inline bool ring__admits(enum rf_lane lane, __u32 kind, __u32 class, __u32 size)
{
	if (byte_share__admits(lane, size, kind, class))
		return true;
	ring__count_lost(lane, kind, RF_DROP_THROTTLED, bpf_get_current_cgroup_id());
	return false;
}

/* Whether events of a kind are caused by the current task. Those of packets and
 * ends of connections happen while any task runs, and are in the bulk lane only. */
static __always_inline bool ring__is_of_current(enum rf_kind kind)
{
	return kind != RF_FLOW && kind != RF_DATAGRAM && kind != RF_PACKET;
}

/* Numbers the record. Call it right before the output: the reader takes a missing number for a loss. */
static __always_inline struct rf_counters *ring__number(enum rf_lane lane, struct rf_header *h)
{
	struct rf_counters *counters = ring__counters();

	h->cpu = ring__cpu();
	if (counters)
		h->sequence = __sync_fetch_and_add(&counters->sequence[lane], 1) + 1;
	return counters;
}

/* Returns true if the reader was asleep; the caller must then wake it. */
static __always_inline bool ring__claim_wake(enum rf_lane lane)
{
	return RF_READ_ONCE(rf_control.sleeping[lane]) && __sync_val_compare_and_swap(&rf_control.sleeping[lane], 1, 0) == 1;
}

static __always_inline __u64 ring__flags(enum rf_lane lane)
{
	return ring__claim_wake(lane) ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* Wakes a reader that went to sleep between ring__flags and the arrival of the record.
 * The reader checks the ring after setting its flag, and this checks the flag after the
 * output, so one of them sees the other. An empty, discarded record carries the wake-up. */
static __always_inline void ring__wake_late(enum rf_lane lane)
{
	void *wakeup;

	if (!ring__claim_wake(lane))
		return;
	wakeup = bpf_ringbuf_reserve(byte_share__ring(lane), 8, 0);
	if (wakeup)
		bpf_ringbuf_discard(wakeup, BPF_RB_FORCE_WAKEUP);
}

/* For records of fixed size. The number is taken before the
 * reservation, so that a full ring leaves a gap in the sequence. */
static __always_inline void *ring__reserve(enum rf_lane lane, enum rf_kind kind, __u32 size, struct rf_header *number)
{
	struct rf_counters *counters;
	void *record;

	if (ring__is_of_current(kind) && !ring__admits(lane, kind, 0, size))
		return 0;
	counters = ring__number(lane, number);
	record = bpf_ringbuf_reserve(byte_share__ring(lane), size, 0);
	if (!record) {
		ring__count_full(counters, lane, kind);
		/* keeps this path separate: where paths join, 6.1 forgets that there is no record to release */
		asm volatile("");
		return 0;
	}
	if (counters)
		ring__add(counters, lane, kind, RF_FATE_SENT);
	return record;
}

static __always_inline void ring__submit(enum rf_lane lane, void *record, __u32 size, const struct rf_header *number)
{
	struct rf_header *h = record;

	h->size = size;
	h->sequence = number->sequence;
	h->cpu = number->cpu;
	bpf_ringbuf_submit(record, ring__flags(lane));
	ring__wake_late(lane);
}

/* For records without urgency. It waits in the ring until another record
 * wakes the reader, the next tick is due, or RF_LAZY_BYTES are waiting. */
static __always_inline void ring__submit_lazily(enum rf_lane lane, void *record, __u32 size, const struct rf_header *number)
{
	struct rf_header *h = record;

	if (bpf_ringbuf_query(byte_share__ring(lane), BPF_RB_AVAIL_DATA) > RF_LAZY_BYTES) {
		ring__submit(lane, record, size, number);
		return;
	}
	h->size = size;
	h->sequence = number->sequence;
	h->cpu = number->cpu;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

/* Returns false if the ring was full, which is counted. */
static __always_inline bool ring__write(enum rf_lane lane, void *record, __u32 size)
{
	struct rf_header *h = record;
	struct rf_counters *counters;
	long error;

	h->size = size;
	counters = ring__number(lane, h);
	error = bpf_ringbuf_output(byte_share__ring(lane), record, size, ring__flags(lane));
	if (error) {
		failure__count(lane == RF_LANE_SECURITY ? RF_PLACE_RING_SECURITY : RF_PLACE_RING_BULK, -error);
		ring__count_full(counters, lane, h->kind);
	} else if (counters)
		ring__add(counters, lane, h->kind, RF_FATE_SENT);
	ring__wake_late(lane);
	return !error;
}

/* For records assembled in scratch. `max` is the (constant) size of their buffer. `class` tells records of a kind
 * apart, so that many of one class don't displace another. Returns false if the record was throttled or the ring was
 * full, which is counted. */
static __always_inline bool ring__output_class(enum rf_lane lane, void *record, __u32 class, __u32 size, __u32 max)
{
	rf_barrier(size);
	if (size > max)
		size = max;
	return ring__admits(lane, ((struct rf_header *)record)->kind, class, size) && ring__write(lane, record, size);
}

static __always_inline bool ring__output(enum rf_lane lane, void *record, __u32 size, __u32 max)
{
	return ring__output_class(lane, record, 0, size, max);
}

/* The same for a record that the current task did not cause. */
static __always_inline bool ring__output_of_packet(enum rf_lane lane, void *record, __u32 size, __u32 max)
{
	rf_barrier(size);
	if (size > max)
		size = max;
	return ring__write(lane, record, size);
}

#endif
