/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Facts of a socket: both ends, as the kernel has them. */
#ifndef RF_LIB_SOCKET_H
#define RF_LIB_SOCKET_H

#include "task.h"

static __always_inline struct sock *socket__of_file(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);

	return BPF_CORE_READ(socket, sk);
}

/* host order */
static __always_inline __u16 socket__peer_port(struct sock *sk)
{
	return bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

/* host order, as the kernel keeps it */
static __always_inline __u16 socket__local_port(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_num);
}

/* 4 or 16 bytes, network order */
static __always_inline void socket__read_peer(__u8 address[16], struct sock *sk, __u16 family)
{
	if (family == AF_INET)
		bpf_core_read(address, 4, &sk->__sk_common.skc_daddr);
	else
		bpf_core_read(address, 16, &sk->__sk_common.skc_v6_daddr);
}

static __always_inline void socket__read_local(__u8 address[16], struct sock *sk, __u16 family)
{
	if (family == AF_INET)
		bpf_core_read(address, 4, &sk->__sk_common.skc_rcv_saddr);
	else
		bpf_core_read(address, 16, &sk->__sk_common.skc_v6_rcv_saddr);
}

#endif
