/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A connection is accepted. Seen at the end of the system call, from the new socket: the same two ends that the connecting side's event has. In the
 * bulk lane, since whoever floods a server from outside must not be able to blind the other one. */
#include "lib/socket.h"

static __always_inline void accept__report(struct task_struct *task, __u32 descriptor)
{
	struct file *file = file__of_descriptor(task, descriptor);
	struct rf_header number = {};
	struct rf_accept *a;
	struct sock *sk;
	__u16 family;

	if (!file__is_socket(file))
		return;
	sk = socket__of_file(file);
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6)
		return;
	a = ring__reserve(RF_LANE_BULK, sizeof(*a), &number);
	if (!a)
		return;
	task__fill_header(&a->h, task, RF_ACCEPT);
	a->family = family;
	a->type = BPF_CORE_READ(sk, sk_type);
	a->protocol = BPF_CORE_READ(sk, sk_protocol);
	a->port = socket__peer_port(sk);
	__builtin_memset(a->address, 0, sizeof(a->address));
	__builtin_memset(a->local_address, 0, sizeof(a->local_address));
	socket__read_peer(a->address, sk, family);
	socket__read_local(a->local_address, sk, family);
	a->local_port = socket__local_port(sk);
	a->pad = 0;
	a->result = descriptor;
	ring__submit(RF_LANE_BULK, a, sizeof(*a), &number);
}

static __always_inline int accept__exit(struct trace_event_raw_sys_exit *context)
{
	if (context->ret < 0)
		return 0;
	if (task__is_agent())
		ring__count(RF_LANE_BULK, RF_DROP_SELF);
	else
		accept__report(bpf_get_current_task_btf(), context->ret);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_accept")
int accept_exit(struct trace_event_raw_sys_exit *context)
{
	return accept__exit(context);
}

SEC("tracepoint/syscalls/sys_exit_accept4")
int accept4_exit(struct trace_event_raw_sys_exit *context)
{
	return accept__exit(context);
}
