/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The owner of a socket. The process that connects, binds or accepts is stored by the socket's cookie,
 * since an incoming packet and the end of a connection are handled in the context of any task. */
#ifndef RF_LIB_OWNER_H
#define RF_LIB_OWNER_H

#include "socket.h"

#define OWNER_DNS_PORT 53

static __always_inline void owner__set(struct rf_owner *owner, struct task_struct *task)
{
	owner->start = kernel__start(task);
	owner->cgroup = kernel__cgroup(task);
	owner->exec_id = task->self_exec_id;
	owner->tid = task->pid;
	owner->tgid = task->tgid;
}

/* `replace`: overwrites an entry of another process. */
static __always_inline void owner__remember(__u64 cookie, bool replace)
{
	struct rf_owner owner = {};

	if (!cookie)
		return;
	owner__set(&owner, bpf_get_current_task_btf());
	if (failure__make(RF_PLACE_OWNERS, &rf_owners, &cookie, &owner) && replace)
		bpf_map_update_elem(&rf_owners, &cookie, &owner, BPF_EXIST);
}

/* Returns the forms of later events of a TCP connection that need its owner. */
static __always_inline __u64 owner__needed_for(bool loopback, __u16 peer, __u16 local)
{
	__u64 forms = loopback ? INTEREST(FLOW_LOOPBACK) | INTEREST(PACKET_TLS_LOOPBACK) : INTEREST(FLOW_REMOTE) | INTEREST(PACKET_TLS);

	return peer == OWNER_DNS_PORT || local == OWNER_DNS_PORT ? forms | INTEREST(PACKET_DNS) : forms;
}

/* A flow counts as loopback if either end is. */
static __always_inline bool owner__is_loopback_flow(struct sock *sk, __u16 family)
{
	return socket__peer_is_loopback(sk, family) || socket__local_is_loopback(sk, family);
}

/* Host order. Not skc_num: a closed socket has released its port. */
static __always_inline __u16 owner__local_port(struct sock *sk)
{
	return bpf_ntohs(kernel__read((struct inet_sock *)sk, inet_sport));
}

static __always_inline bool owner__is_needed(struct sock *sk, __u16 family)
{
	return interest__any_form(owner__needed_for(owner__is_loopback_flow(sk, family), socket__peer_port(sk), owner__local_port(sk)));
}

static __always_inline bool owner__is_agent(const struct rf_owner *owner)
{
	__u32 agent = RF_READ_ONCE(rf_control.agent_tgid);

	return agent && agent == owner->tgid && owner->start == RF_READ_ONCE(rf_control.agent_start);
}

static __always_inline void owner__fill_header(struct rf_header *h, const struct rf_owner *owner, enum rf_kind kind)
{
	h->ktime = bpf_ktime_get_boot_ns();
	h->sequence = 0;
	h->start = owner->start;
	h->tgid = owner->tgid;
	h->tid = owner->tid;
	h->cgroup = owner->cgroup;
	h->exec_id = owner->exec_id;
	h->size = 0;
	h->kind = kind;
	h->cpu = 0;
	h->generation = interest__generation();
}

/* Returns 0 if the owner is unknown or the agent. Counts the event of that kind as dropped then. */
static __always_inline struct rf_owner *owner__find(__u64 cookie, enum rf_kind kind)
{
	struct rf_owner *owner = bpf_map_lookup_elem(&rf_owners, &cookie);

	if (!owner || !owner->tgid) {
		ring__count_drop(RF_LANE_BULK, kind, RF_DROP_OWNER);
		return 0;
	}
	if (owner__is_agent(owner)) {
		ring__count_drop(RF_LANE_BULK, kind, RF_DROP_SELF);
		return 0;
	}
	return owner;
}

#endif
