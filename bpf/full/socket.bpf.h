/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Full profile: which socket is bound, connected or made to listen, and the kernel's copy of the address. */
#include "hook.h"
#include "../lib/socket.h"

static __always_inline void socket__write_down(struct socket *socket, const void *address, __u32 size)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct sock *sk = BPF_CORE_READ(socket, sk);
	__u32 call = truth__call(task);
	struct rf_truth *truth;

	if (!call || task__is_agent(task))
		return;
	truth = bpf_task_storage_get(&rf_truths, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!truth)
		return;
	truth__clear(truth);
	truth->object = (__u64)sk;
	truth->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	truth->type = BPF_CORE_READ(sk, sk_type);
	truth->protocol = BPF_CORE_READ(sk, sk_protocol);
	__builtin_memset(truth->text, 0, SOCKET_REQUEST_MAX);
	rf_barrier(size);
	if (size <= SOCKET_REQUEST_MAX && address && bpf_probe_read_kernel(truth->text, size, address))
		return;
	truth->call = call;
}

FULL_HOOK(socket_connect, socket__write_down(socket, address, size), struct socket *socket, struct sockaddr *address, int size)
FULL_HOOK(socket_bind, socket__write_down(socket, address, size), struct socket *socket, struct sockaddr *address, int size)
FULL_HOOK(socket_listen, socket__write_down(socket, 0, 0), struct socket *socket)
