/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A TCP connection ended, or a non-blocking connect failed. The current task is arbitrary
 * then: the owner is the process that connected or accepted. In the bulk lane, like accept. */
#include "lib/owner.h"
#include "lib/share.h"

/* enum sock_flags */
#define FLOW_SOCK_DONE 1

static __always_inline void flow__begin(__u64 cookie, int before)
{
	struct rf_owner *owner = bpf_map_lookup_elem(&rf_owners, &cookie);
	struct rf_owner unowned = {};

	if (owner) {
		owner->established = bpf_ktime_get_boot_ns();
		return;
	}
	if (before != TCP_SYN_RECV)
		return;
	unowned.established = bpf_ktime_get_boot_ns();
	unowned.incoming = 1;
	failure__make(RF_PLACE_OWNERS, &rf_owners, &cookie, &unowned);
}

static __always_inline void flow__fill(struct rf_flow *f, struct sock *sk, const struct rf_owner *owner)
{
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	__u16 family = kernel__read(sk, __sk_common.skc_family);

	owner__fill_header(&f->h, owner, RF_FLOW);
	f->duration = owner->established ? f->h.ktime - owner->established : 0;
	f->sent = kernel__read(tcp, bytes_sent) - kernel__read(tcp, bytes_retrans);
	f->received = kernel__read(tcp, bytes_received);
	/* the peer's FIN takes a sequence number like a byte */
	if (f->received && kernel__read(sk, __sk_common.skc_flags) & 1UL << FLOW_SOCK_DONE)
		f->received--;
	f->family = family;
	f->protocol = IPPROTO_TCP;
	f->port = socket__peer_port(sk);
	f->local_port = owner__local_port(sk);
	__builtin_memset(f->address, 0, sizeof(f->address));
	__builtin_memset(f->local_address, 0, sizeof(f->local_address));
	socket__read_peer(f->address, sk, family);
	socket__read_local(f->local_address, sk, family);
	f->incoming = owner->incoming;
	f->error = kernel__read(sk, sk_err);
}

/* True for a blocking connect, whose failure the call itself reports. */
static __always_inline bool flow__is_blocking_connect(struct sock *sk)
{
	struct socket *socket = kernel__read(sk, sk_socket);
	struct file *file = kernel__read(socket, file);

	return !(kernel__read(file, f_flags) & O_NONBLOCK);
}

static __always_inline void flow__report(struct sock *sk, __u64 cookie)
{
	__u16 family = kernel__read(sk, __sk_common.skc_family);
	__u64 forms = owner__is_loopback_flow(sk, family) ? INTEREST(FLOW_LOOPBACK) : INTEREST(FLOW_REMOTE);
	struct rf_header number = {};
	struct rf_owner *owner;
	struct rf_flow *f;

	if (!interest__any_form(forms)) {
		ring__count_skipped(RF_LANE_BULK, RF_FLOW, RF_DROP_UNWATCHED);
		return;
	}
	ring__count_seen(RF_LANE_BULK, RF_FLOW);
	owner = owner__find(cookie, RF_FLOW);
	if (!owner)
		return;
	if (!interest__of_ends(forms, owner->cgroup, socket__peer_port(sk), owner__local_port(sk))) {
		ring__count_drop(RF_LANE_BULK, RF_FLOW, RF_DROP_UNWATCHED);
		return;
	}
	if (share__throttles(RF_LANE_BULK, RF_FLOW, owner->cgroup))
		return;
	f = ring__reserve(RF_LANE_BULK, RF_FLOW, sizeof(*f), &number);
	if (!f)
		return;
	flow__fill(f, sk, owner);
	ring__submit(RF_LANE_BULK, f, sizeof(*f), &number);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(flow_state, struct sock *sk, int before, int after)
{
	__u64 cookie;

	if ((after != TCP_ESTABLISHED && after != TCP_CLOSE) || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (after == TCP_ESTABLISHED) {
		if (owner__is_needed(sk, sk->__sk_common.skc_family))
			flow__begin(bpf_get_socket_cookie(sk), before);
		return 0;
	}
	cookie = sk->__sk_common.skc_cookie.counter;
	if (!cookie || before == TCP_LISTEN || before == TCP_CLOSE || before == TCP_SYN_RECV)
		return 0;
	if (before != TCP_SYN_SENT || !flow__is_blocking_connect(sk))
		flow__report(sk, cookie);
	/* A blocking connect that fails may be repeated on this socket, but then stores
	 * the owner anew. Owners that are no longer needed are left to LRU eviction. */
	/* cheaper than removing a missing entry */
	if (owner__is_needed(sk, kernel__read(sk, __sk_common.skc_family)) && bpf_map_lookup_elem(&rf_owners, &cookie))
		failure__remove(RF_PLACE_OWNERS, &rf_owners, &cookie);
	return 0;
}
