// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Writes records on command: the struct order of `run` has their number and length, and which are discarded.
#include "common.h"

char LICENSE[] SEC("license") = "GPL";

struct order { __u32 count; __u32 length; __u32 discard_every; __u32 wake; };

__u64 written;
__u64 refused;
__u32 hold; /* 1: leave a record busy until it is 0 again */

struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ring SEC(".maps");

SEC("syscall")
int produce(struct order *order)
{
	__u32 length = order->length == 8 ? 8 : 100;
	__u64 flags = order->wake ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;

	for (__u32 i = 0; i < 1024; i++) {
		__u64 *record;

		if (i >= order->count)
			break;
		record = length == 8 ? bpf_ringbuf_reserve(&ring, 8, 0) : bpf_ringbuf_reserve(&ring, 100, 0);
		if (!record) {
			refused++;
			continue;
		}
		*record = ++written;
		if (order->discard_every && i % order->discard_every == 0)
			bpf_ringbuf_discard(record, flags);
		else
			bpf_ringbuf_submit(record, flags);
	}
	return 0;
}

static long wait_for_release(__u32 index, void *context)
{
	return *(volatile __u32 *)&hold == 0;
}

SEC("syscall")
int produce_slowly(void *context)
{
	__u64 *record = bpf_ringbuf_reserve(&ring, 8, 0);

	if (!record)
		return 1;
	*record = ++written;
	for (__u32 i = 0; i < 64 && *(volatile __u32 *)&hold; i++)
		bpf_loop(1 << 23, wait_for_release, 0, 0);
	bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
	return 0;
}
