// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Writes records into a ring on one CPU, as fast as the kernel
 * can, each a copy of a template. Retries while the ring is full. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define RECORD_MAX 256

struct template {
	__u32 size;
	char record[RECORD_MAX];
};

/* In: the records requested. Out: the records written. */
struct order {
	__u64 requested;
	__u64 written;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct template);
} templates SEC(".maps");

struct work {
	struct template *template;
	__u64 requested;
	__u64 written;
};

static long write_record(__u32 index, struct work *work)
{
	__u32 size = work->template->size;

	if (size > RECORD_MAX)
		return 1;
	if (!bpf_ringbuf_output(&ring, work->template->record, size, BPF_RB_NO_WAKEUP))
		work->written++;
	return work->written >= work->requested;
}

SEC("syscall")
int produce(struct order *order)
{
	__u32 first = 0;
	struct work work = { .template = bpf_map_lookup_elem(&templates, &first), .requested = order->requested };

	if (work.template)
		bpf_loop(1 << 20, write_record, &work, 0);
	order->written = work.written;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
