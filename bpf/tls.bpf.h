/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Data that passes through libssl, in clear text. Off by default. Both directions
 * are read when the call returns, since the number of bytes is known then. */
#include "lib/probe.h"
#include "lib/share.h"

struct tls_call {
	__u64 buffer;
	__u64 moved; /* where the _ex functions store the number of bytes; 0: the function returns it */
	__u64 egress;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct tls_call);
} rf_tls_calls SEC(".maps");

static __always_inline int tls__begin(const void *buffer, const void *moved, bool egress)
{
	struct tls_call call = { .buffer = (__u64)buffer, .moved = (__u64)moved, .egress = egress };
	__u64 thread = bpf_get_current_pid_tgid();

	if (!interest__admits(RF_LANE_BULK, RF_TLS_DATA))
		return 0;
	if (task__is_agent(bpf_get_current_task_btf())) {
		ring__count_skipped(RF_LANE_BULK, RF_TLS_DATA, RF_DROP_SELF);
		return 0;
	}
	bpf_map_update_elem(&rf_tls_calls, &thread, &call, BPF_ANY);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(tls_write_enter, void *ssl, const void *buffer)
{
	return tls__begin(buffer, 0, true);
}

SEC("uprobe")
int BPF_KPROBE(tls_read_enter, void *ssl, const void *buffer)
{
	return tls__begin(buffer, 0, false);
}

SEC("uprobe")
int BPF_KPROBE(tls_write_ex_enter, void *ssl, const void *buffer, __u64 size, const void *moved)
{
	return tls__begin(buffer, moved, true);
}

SEC("uprobe")
int BPF_KPROBE(tls_read_ex_enter, void *ssl, const void *buffer, __u64 size, const void *moved)
{
	return tls__begin(buffer, moved, false);
}

static __always_inline void tls__emit(const struct tls_call *call, __u32 length)
{
	struct rf_builder b = { .end = sizeof(struct rf_tls_data) };
	struct rf_scratch_probe *scratch;
	__u32 kept = length < RF_TLS_DATA_MAX ? length : RF_TLS_DATA_MAX;
	struct rf_tls_data *t;

	if (share__is_exceeded(RF_LANE_BULK, kernel__cgroup(bpf_get_current_task_btf()))) {
		ring__count_seen(RF_LANE_BULK, RF_TLS_DATA);
		share__count_throttled(RF_LANE_BULK, RF_TLS_DATA, kernel__cgroup(bpf_get_current_task_btf()));
		return;
	}
	scratch = probe__acquire(RF_LANE_BULK, RF_TLS_DATA);
	if (!scratch)
		return;
	b.record = scratch->record;
	t = (struct rf_tls_data *)scratch->record;
	task__fill_header(&t->h, bpf_get_current_task_btf(), RF_TLS_DATA);
	t->egress = call->egress;
	text__append(&b, RF_SMALL_RECORD_MAX, &t->payload, TEXT_USER, (const void *)call->buffer, kept, RF_TLS_DATA_MAX, length);
	probe__emit(scratch, &b, RF_LANE_BULK);
}

/* For all four functions. A call that moved no bytes is not reported. */
SEC("uretprobe")
int BPF_KRETPROBE(tls_exit, int result)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct tls_call *stored = bpf_map_lookup_elem(&rf_tls_calls, &thread);
	struct tls_call call;
	__u64 length;

	if (!stored)
		return 0;
	call = *stored;
	bpf_map_delete_elem(&rf_tls_calls, &thread);
	length = result > 0 ? result : 0;
	if (call.moved && (result != 1 || bpf_probe_read_user(&length, sizeof(length), (const void *)call.moved)))
		return 0;
	if (length && length <= 0x7fffffff)
		tls__emit(&call, length);
	return 0;
}
