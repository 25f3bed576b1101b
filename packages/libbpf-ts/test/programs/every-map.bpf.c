// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A map of each type, globals in each section, and a program that the tests run.
#include "common.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 answer = 0;
const volatile char label[8] = "initial";
__u64 big_total = 7;
__u32 runs;
enum color { RED = 1, GREEN = 2 } favorite = GREEN;
struct point { __s32 x; __s16 y; __u8 flag; __u8 pad; } origin;

struct pair { __u32 a; __u64 b; };
struct lpm_key { __u32 prefixlen; __u8 address[4]; };
struct bits { __u32 low : 3; __u32 high : 29; };

struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4096); __type(key, __u32); __type(value, struct pair); } hash SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 8); __type(key, __u32); __type(value, struct bits); } array SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __uint(map_flags, BPF_F_MMAPABLE); __type(key, __u32); __type(value, __u64); } mapped SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 4); __type(key, __u32); __type(value, __u32); } percpu_array SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_HASH); __uint(max_entries, 64); __type(key, __u32); __type(value, __u64); } percpu_hash SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_LRU_HASH); __uint(max_entries, 64); __type(key, __u64); __type(value, __u32); } lru SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_LPM_TRIE); __uint(max_entries, 64); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, struct lpm_key); __type(value, __u32); } lpm SEC(".maps");
struct inner { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 16); __type(key, __u32); __type(value, __u32); };
struct { __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS); __uint(max_entries, 4); __type(key, __u32); __array(values, struct inner); } outer SEC(".maps");

SEC("syscall")
int count(void *context)
{
	__u32 key = 1;
	__u64 *slot = bpf_map_lookup_elem(&mapped, &key);
	__u32 *counter = bpf_map_lookup_elem(&percpu_array, &key);

	if (slot)
		*slot += 5;
	if (counter)
		*counter += 1;
	__sync_fetch_and_add(&runs, 1);
	big_total += answer;
	origin.x = -3;
	origin.y = favorite;
	return answer;
}
