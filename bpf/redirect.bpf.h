/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A standard stream becomes a network socket: every reverse shell does this before it executes
 * the shell, or to a shell that is already there. Seen at the end of dup, dup2, dup3 and fcntl.
 * Two cheap tests skip most calls: the target is no standard stream, or the file is no network
 * socket. Unix sockets are skipped because local programs use them as streams all the time. */
#include "lib/share.h"
#include "lib/socket.h"
#include "lib/syscall.h"

#define REDIRECT_STREAMS 3 /* descriptors 0, 1 and 2 */

#define F_DUPFD 0
#define F_DUPFD_CLOEXEC 1030

/* The kernel does not store who opened a TCP connection, but how its port was taken: a connect that took one itself
 * sets fastreuse to -1, as no other socket may share it (net/ipv4/inet_hashtables.c, 3.18 to 6.18). A socket bound
 * before it connects has the lock on its port, which an accepted socket never has; this misses a bind to port 0. */
static __always_inline bool redirect__is_incoming(struct sock *sk)
{
	struct inet_bind_bucket *bucket;

	/* a bit field on older kernels */
	if (kernel__read(sk, sk_protocol) != IPPROTO_TCP || BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK)
		return false;
	bucket = kernel__read((struct inet_connection_sock *)sk, icsk_bind_hash);
	return bucket && kernel__read(bucket, fastreuse) >= 0;
}

static __always_inline void redirect__fill_ends(struct rf_redirect *r, struct sock *sk)
{
	__builtin_memset(r->address, 0, sizeof(r->address));
	__builtin_memset(r->local_address, 0, sizeof(r->local_address));
	r->port = 0;
	r->local_port = 0;
	r->incoming = 0;
	if (r->family != AF_INET && r->family != AF_INET6)
		return;
	r->port = socket__peer_port(sk);
	r->local_port = socket__local_port(sk);
	socket__read_peer(r->address, sk, r->family);
	socket__read_local(r->local_address, sk, r->family);
	r->incoming = r->port && redirect__is_incoming(sk);
}

static __always_inline void redirect__report(struct task_struct *task, struct sock *sk, __u32 target, enum rf_redirect_call call, __s32 result)
{
	struct rf_header number = {};
	struct rf_merge_key key;
	struct rf_redirect *r;
	__u32 count;

	ring__count_seen(RF_LANE_SECURITY, RF_REDIRECT);
	if (share__throttles(RF_LANE_SECURITY, RF_REDIRECT, kernel__cgroup(task)))
		return;
	merge__fill_key(&key, task, RF_REDIRECT, (__u64)sk, (__u64)(__u32)result << 32 | target);
	r = merge__reserve(RF_LANE_SECURITY, &key, sizeof(*r), &number, &count);
	if (!r)
		return;
	task__fill_header(&r->h, task, RF_REDIRECT);
	r->family = kernel__read(sk, __sk_common.skc_family);
	r->type = kernel__read(sk, sk_type);
	r->protocol = kernel__read(sk, sk_protocol);
	redirect__fill_ends(r, sk);
	r->source_caller = task__shares_files(task);
	r->source_descriptor = PT_REGS_PARM1_SYSCALL(task__registers(task));
	r->target_descriptor = target;
	r->call = call;
	r->result = result;
	r->count = count;
	ring__submit(RF_LANE_SECURITY, r, sizeof(*r), &number);
}

/* `target`: the descriptor that should become the copy; for dup the one that did. */
static __always_inline int redirect__finish(struct task_struct *task, __u32 target, enum rf_redirect_call call, long result)
{
	__u32 source = PT_REGS_PARM1_SYSCALL(task__registers(task));
	struct file *file;

	if (target >= REDIRECT_STREAMS || (result >= 0 && source == target))
		return 0;
	/* the file there now, not the source: another thread may have swapped the source since */
	file = file__of_descriptor(task, result >= 0 ? target : source);
	if (file__is_network_socket(file) && interest__admits(RF_LANE_SECURITY, RF_REDIRECT))
		redirect__report(task, socket__of_file(file), target, call, result);
	return 0;
}

/* A failed dup does not return the descriptor that it would have made. */
SEC("tracepoint/syscalls/sys_exit_dup")
int dup_exit(void *context)
{
	long result = syscall__result(context);

	return redirect__finish(bpf_get_current_task_btf(), result, RF_REDIRECT_DUP, result);
}

SEC("tracepoint/syscalls/sys_exit_dup2")
int dup2_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return redirect__finish(task, PT_REGS_PARM2_SYSCALL(task__registers(task)), RF_REDIRECT_DUP2, syscall__result(context));
}

SEC("tracepoint/syscalls/sys_exit_dup3")
int dup3_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return redirect__finish(task, PT_REGS_PARM2_SYSCALL(task__registers(task)), RF_REDIRECT_DUP3, syscall__result(context));
}

/* Most fcntl commands are others, and most copies are above the standard streams, where shells save the streams
 * they redirect. A failed command names no descriptor either: it asks for the lowest free one from a minimum on. */
SEC("tracepoint/syscalls/sys_exit_fcntl")
int fcntl_exit(void *context)
{
	__u64 result = syscall__result(context);
	struct task_struct *task;
	__u32 command;

	if (result >= REDIRECT_STREAMS)
		return 0;
	task = bpf_get_current_task_btf();
	command = PT_REGS_PARM2_SYSCALL(task__registers(task));
	if (command != F_DUPFD && command != F_DUPFD_CLOEXEC)
		return 0;
	return redirect__finish(task, result, RF_REDIRECT_FCNTL, result);
}
