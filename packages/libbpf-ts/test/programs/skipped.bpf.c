// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// The kernel allocates an entry of `devices` during an update of the map, when it skips programs on tracepoints.
#include "common.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} devices SEC(".maps");

SEC("tracepoint/kmem/kmalloc")
int on_allocation(void *context)
{
	return 0;
}
