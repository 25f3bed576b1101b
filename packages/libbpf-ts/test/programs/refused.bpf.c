// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// The verifier refuses the second program, with a log longer than any line buffer.
#include "common.h"

char LICENSE[] SEC("license") = "GPL";

struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4); __type(key, __u32); __type(value, __u32); } map SEC(".maps");

SEC("syscall")
int fine(void *context)
{
	return 0;
}

SEC("syscall")
int unchecked_pointer(void *context)
{
	__u32 total = 0;
#pragma unroll
	for (__u32 key = 0; key < 40; key++) {
		__u32 *value = bpf_map_lookup_elem(&map, &key);
		if (value)
			total += *value;
	}
	__u32 last = 99;
	return total + *(__u32 *)bpf_map_lookup_elem(&map, &last);
}
