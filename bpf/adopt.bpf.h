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

/* Returns 0: the socket has no cookie yet. The kernel makes one for whoever asks. */
static __always_inline __u64 adopt__cookie(struct sock *sk, bool asks)
{
	return asks ? bpf_get_socket_cookie(sk) : kernel__read(sk, __sk_common.skc_cookie.counter);
}

/* Returns false if the socket has no cookie. */
static __always_inline bool adopt__file(struct task_struct *task, struct file *file, bool asks)
{
	struct socket *socket = bpf_sock_from_file(file);
	struct sock *sk;
	__u16 family, port;
	__u64 cookie;
	bool is_tcp;

	if (!socket || !socket->sk)
		return true;
	sk = socket->sk;
	family = sk->__sk_common.skc_family;
	port = sk->__sk_common.skc_num;
	if ((family != AF_INET && family != AF_INET6) || !port)
		return true;
	is_tcp = sk->sk_protocol == IPPROTO_TCP;
	if (is_tcp && sk->__sk_common.skc_state == TCP_LISTEN) {
		__u64 *ports = adopt__listening(port);

		if (ports)
			*ports |= 1ULL << port % ADOPT_BITS;
		return true;
	}
	cookie = adopt__cookie(sk, asks);
	if (!cookie)
		return false;
	adopt__set_owner(cookie, task, is_tcp && adopt__is_incoming(port));
	return true;
}

SEC("iter/task_file")
int adopt_sockets(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;

	if (task && file && task->tgid != ADOPT_INIT)
		adopt__file(task, file, true);
	return 0;
}

/* The same for a kernel that takes the socket of a file for untrusted, seen in a build of 6.18: lists the sockets
 * without a cookie, for which user space asks before the next run. */
SEC("iter/task_file")
int adopt_cookies(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;
	struct rf_open_descriptor descriptor = {};

	if (!task || !file || task->tgid == ADOPT_INIT || adopt__file(task, file, false))
		return 0;
	descriptor.tgid = task->tgid;
	descriptor.descriptor = context->fd;
	bpf_seq_write(context->meta->seq, &descriptor, sizeof(descriptor));
	return 0;
}
