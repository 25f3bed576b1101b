/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Gives sockets that are older than the sensor their owner, so that their packets and their end are reported
 * with a process. Runs twice once the hooks are in place: a connection may come before its listening socket. */
#include "lib/owner.h"

/* Skipped: the service manager holds sockets that it passes on to services. */
#define ADOPT_INIT 1
#define ADOPT_BITS 64

static __always_inline __u64 *adopt__listening(__u32 port)
{
	__u32 index = port / ADOPT_BITS;

	return bpf_map_lookup_elem(&rf_listening, &index);
}

/* The kernel does not store who opened a connection: it is taken as incoming if a socket listens on its port. */
static __always_inline bool adopt__is_incoming(__u32 port)
{
	__u64 *ports = adopt__listening(port);

	return ports && *ports & 1ULL << port % ADOPT_BITS;
}

static __always_inline void adopt__set_owner(__u64 cookie, struct task_struct *task, bool incoming)
{
	struct rf_owner *known = bpf_map_lookup_elem(&rf_owners, &cookie);
	struct rf_owner owner = {};

	if (!known) {
		owner__set(&owner, task);
		owner.incoming = incoming;
		failure__make(RF_PLACE_OWNERS, &rf_owners, &cookie, &owner);
	} else if (incoming && !known->established) {
		known->incoming = 1;
	}
}

SEC("iter/task_file")
int adopt_sockets(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;
	struct socket *socket;
	struct sock *sk;
	__u16 family, port;
	bool is_tcp;

	if (!task || !file || task->tgid == ADOPT_INIT)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket || !socket->sk)
		return 0;
	sk = socket->sk;
	family = sk->__sk_common.skc_family;
	port = sk->__sk_common.skc_num;
	if ((family != AF_INET && family != AF_INET6) || !port)
		return 0;
	is_tcp = sk->sk_protocol == IPPROTO_TCP;
	if (is_tcp && sk->__sk_common.skc_state == TCP_LISTEN) {
		__u64 *ports = adopt__listening(port);

		if (ports)
			*ports |= 1ULL << port % ADOPT_BITS;
		return 0;
	}
	adopt__set_owner(bpf_get_socket_cookie(sk), task, is_tcp && adopt__is_incoming(port));
	return 0;
}
