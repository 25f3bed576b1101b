/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Full profile: stores which socket is bound, connected or made to listen, and the kernel's copy of the address. */
#include "hook.h"
#include "../lib/socket.h"

static __always_inline void socket__store(struct socket *socket, const void *address, __u32 size)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct sock *sk = BPF_CORE_READ(socket, sk);
	__u32 call = kernel_copy__call(task);
	struct rf_kernel_copy *copy;

	if (!call || task__is_agent(task))
		return;
	copy = bpf_task_storage_get(&rf_kernel_copy, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!copy)
		return;
	kernel_copy__clear(copy);
	copy->object = (__u64)sk;
	copy->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	copy->type = BPF_CORE_READ(sk, sk_type);
	copy->protocol = BPF_CORE_READ(sk, sk_protocol);
	__builtin_memset(copy->text, 0, SOCKET_REQUEST_MAX);
	rf_barrier(size);
	if (size <= SOCKET_REQUEST_MAX && address && bpf_probe_read_kernel(copy->text, size, address))
		return;
	copy->call = call;
}

FULL_HOOK(socket_connect, socket__store(socket, address, size), struct socket *socket, struct sockaddr *address, int size)
FULL_HOOK(socket_bind, socket__store(socket, address, size), struct socket *socket, struct sockaddr *address, int size)
FULL_HOOK(socket_listen, socket__store(socket, 0, 0), struct socket *socket)
