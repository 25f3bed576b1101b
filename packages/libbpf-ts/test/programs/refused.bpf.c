// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// The verifier refuses the second program, with a log that is longer than a line buffer.
#include "common.h"

char LICENSE[] SEC("license") = "GPL";

struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4); __type(key, __u32); __type(value, __u32); } map SEC(".maps");

SEC("syscall")
int fine(void *context)
{
	return 0;
}

#define LOOK_UP(index) \
	key = index; \
	value = bpf_map_lookup_elem(&map, &key); \
	if (value) \
		total += *value;
#define LOOK_UP_4(index) LOOK_UP(index) LOOK_UP(index + 1) LOOK_UP(index + 2) LOOK_UP(index + 3)

SEC("syscall")
int unchecked_pointer(void *context)
{
	__u32 total = 0, key, *value;

	LOOK_UP_4(0)
	LOOK_UP_4(4)
	LOOK_UP_4(8)
	key = 99;
	return total + *(__u32 *)bpf_map_lookup_elem(&map, &key);
}
