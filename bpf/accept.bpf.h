/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A connection is accepted, or fails to be. Seen at the end of the system call,
 * from the new socket: the same two ends as in the connecting side's event. In the
 * bulk lane, so that flooding a server from outside cannot fill the security lane. */
#include "lib/owner.h"
#include "lib/share.h"
#include "lib/syscall.h"

/* Makes the caller the connection's owner; it was established before the accept. */
static __always_inline void accept__set_owner(struct task_struct *task, struct sock *sk, __u16 family)
{
	struct rf_owner *owner;
	__u64 cookie;

	if (!owner__is_needed(sk, family))
		return;
	cookie = socket__cookie(sk);
	owner = bpf_map_lookup_elem(&rf_owners, &cookie);
	if (owner)
		owner__set(owner, task);
}

static __always_inline void accept__fill(struct rf_accept *a, struct task_struct *task, struct sock *sk, __u16 family, __s32 result)
{
	task__fill_header(&a->h, task, RF_ACCEPT);
	a->family = family;
	a->type = kernel__read(sk, sk_type);
	a->protocol = kernel__read(sk, sk_protocol);
	a->port = 0;
	__builtin_memset(a->address, 0, sizeof(a->address));
	__builtin_memset(a->local_address, 0, sizeof(a->local_address));
	if (result >= 0) {
		a->port = socket__peer_port(sk);
		socket__read_peer(a->address, sk, family);
	}
	socket__read_local(a->local_address, sk, family);
	a->local_port = socket__local_port(sk);
	a->pad = 0;
	a->result = result;
}

/* `descriptor`: of the new socket, or of the listening one if there is none. */
static __always_inline void accept__report(struct task_struct *task, __u32 descriptor, __s32 result)
{
	struct file *file = file__of_descriptor(task, descriptor);
	struct rf_header number = {};
	struct rf_accept *a;
	__u16 family, port;
	struct sock *sk;
	__u64 forms;

	if (!file__is_socket(file))
		return;
	sk = socket__of_file(file);
	family = kernel__read(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6)
		return;
	forms = result >= 0 && socket__peer_is_loopback(sk, family) ? INTEREST(ACCEPT_LOOPBACK) : INTEREST(ACCEPT_REMOTE);
	port = result >= 0 ? socket__peer_port(sk) : 0;
	if (result >= 0)
		accept__set_owner(task, sk, family);
	forms = interest__forms_of_ends(forms, port, socket__local_port(sk));
	if (!forms || !interest__of_scope(forms, kernel__cgroup(task))) {
		ring__count_skipped(RF_LANE_BULK, RF_ACCEPT, RF_DROP_UNWATCHED);
		return;
	}
	ring__count_seen(RF_LANE_BULK, RF_ACCEPT);
	if (task__is_agent(task)) {
		ring__count_drop(RF_LANE_BULK, RF_ACCEPT, RF_DROP_SELF);
		return;
	}
	if (share__throttles(RF_LANE_BULK, RF_ACCEPT, kernel__cgroup(task)))
		return;
	a = ring__reserve(RF_LANE_BULK, RF_ACCEPT, sizeof(*a), &number);
	if (!a)
		return;
	accept__fill(a, task, sk, family, result);
	ring__submit(RF_LANE_BULK, a, sizeof(*a), &number);
}

/* No connection was waiting, or a signal arrived: no failure. */
static __always_inline bool accept__is_transient(long result)
{
	return result == -EAGAIN || result == -EINTR || (result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK);
}

static __always_inline int accept__exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	long result = syscall__result(context);

	if (result >= 0)
		accept__report(task, result, result);
	else if (!accept__is_transient(result))
		accept__report(task, PT_REGS_PARM1_SYSCALL(task__registers(task)), result);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_accept")
int accept_exit(void *context)
{
	return accept__exit(context);
}

SEC("tracepoint/syscalls/sys_exit_accept4")
int accept4_exit(void *context)
{
	return accept__exit(context);
}
