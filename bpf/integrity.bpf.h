/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Reads the kernel's own memory for integrity checks. Run on demand, attached to nothing. */
#include "lib/ring.h"

#define RF_KERNEL_PAGE 4096

/* The context of each run. */
struct rf_kernel_read {
	__u64 address;
	__u32 length; /* bytes, at most RF_KERNEL_PAGE */
	__s32 result; /* 0, or -errno: no memory there, or it may not be read */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8[RF_KERNEL_PAGE]);
} rf_kernel_page SEC(".maps");

SEC("syscall")
int read_kernel(struct rf_kernel_read *context)
{
	__u32 length = context->length;
	__u32 zero = 0;
	void *page = bpf_map_lookup_elem(&rf_kernel_page, &zero);

	rf_barrier(length);
	if (!page || length > RF_KERNEL_PAGE)
		return 0;
	context->result = bpf_probe_read_kernel(page, length, (const void *)context->address);
	return 0;
}
