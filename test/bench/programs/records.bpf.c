// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* One CPU that does nothing but write records into a ring, as fast as the kernel does, each a copy of a template. A full ring is waited for. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define RECORD_MAX 256

struct template {
	__u32 size;
	char record[RECORD_MAX];
};

/* In: how many records are wanted. Out: how many are written. */
struct order {
	__u64 wanted;
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
	__u64 wanted;
	__u64 written;
};

static long write_one(__u32 index, struct work *work)
{
	__u32 size = work->template->size;

	if (size > RECORD_MAX)
		return 1;
	if (!bpf_ringbuf_output(&ring, work->template->record, size, BPF_RB_NO_WAKEUP))
		work->written++;
	return work->written >= work->wanted;
}

SEC("syscall")
int produce(struct order *order)
{
	__u32 first = 0;
	struct work work = { .template = bpf_map_lookup_elem(&templates, &first), .wanted = order->wanted };

	if (work.template)
		bpf_loop(1 << 20, write_one, &work, 0);
	order->written = work.written;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
