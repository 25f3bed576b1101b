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

/* 127.0.0.0/8, ::1, or the former as IPv6. Words in network order; of IPv4 one. */
static __always_inline bool socket__is_loopback(__u16 family, const __u32 words[4])
{
	if (family == AF_INET)
		return (words[0] & 0xff) == 127;
	if (words[0] || words[1])
		return false;
	return words[2] ? words[2] == bpf_htonl(0xffff) && (words[3] & 0xff) == 127 : words[3] == bpf_htonl(1);
}

static __always_inline bool socket__peer_is_loopback(struct sock *sk, __u16 family)
{
	__u32 words[4] = {};

	if (family == AF_INET) {
		words[0] = kernel__read(sk, __sk_common.skc_daddr);
	} else {
		words[0] = kernel__read(sk, __sk_common.skc_v6_daddr.in6_u.u6_addr32[0]);
		words[1] = kernel__read(sk, __sk_common.skc_v6_daddr.in6_u.u6_addr32[1]);
		words[2] = kernel__read(sk, __sk_common.skc_v6_daddr.in6_u.u6_addr32[2]);
		words[3] = kernel__read(sk, __sk_common.skc_v6_daddr.in6_u.u6_addr32[3]);
	}
	return socket__is_loopback(family, words);
}

static __always_inline bool socket__own_is_loopback(struct sock *sk, __u16 family)
{
	__u32 words[4] = {};

	if (family == AF_INET) {
		words[0] = kernel__read(sk, __sk_common.skc_rcv_saddr);
	} else {
		words[0] = kernel__read(sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[0]);
		words[1] = kernel__read(sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[1]);
		words[2] = kernel__read(sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[2]);
		words[3] = kernel__read(sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[3]);
	}
	return socket__is_loopback(family, words);
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

static __always_inline __u64 socket__cookie(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
}

/* The file that a unix socket is bound to, or the name it is bound by. */
static __always_inline void socket__append_unix_name(struct rf_builder *b, __u32 room, struct rf_text *text, struct rf_path_work *work,
						     struct unix_sock *unix_sock)
{
	struct unix_address *name = BPF_CORE_READ(unix_sock, addr);
	struct dentry *dentry = BPF_CORE_READ(unix_sock, path.dentry);
	__u32 size;

	if (dentry) {
		path__append_new(b, room, text, work, BPF_CORE_READ(unix_sock, path.mnt), dentry);
		return;
	}
	size = name ? BPF_CORE_READ(name, len) - __builtin_offsetof(struct sockaddr_un, sun_path) : 0;
	if (size <= RF_UNIX_PATH_MAX)
		text__append(b, room, text, TEXT_KERNEL, (void *)name + bpf_core_field_offset(struct unix_address, name) + 2, size,
			     RF_UNIX_PATH_MAX, size);
}

/* The name in a struct sockaddr_un of the caller's. */
static __always_inline void socket__append_unix_request(struct rf_builder *b, __u32 room, struct rf_text *text, const void *request, __u32 size)
{
	const __u32 before = __builtin_offsetof(struct sockaddr_un, sun_path);
	const char *path = request + before;
	char first = 0;

	if (size <= before || size > before + RF_UNIX_PATH_MAX)
		return;
	size -= before;
	bpf_probe_read_user(&first, 1, path);
	if (first)
		text__append_string(b, room, text, TEXT_USER, path);
	else
		text__append(b, room, text, TEXT_USER, path, size, RF_UNIX_PATH_MAX, size);
}

/* The kernel's copy, in a cgroup hook of connect or bind. */
static __always_inline void socket__read_hook4(struct rf_destination *destination, struct bpf_sock_addr *context)
{
	__u32 address = context->user_ip4;

	destination->family = AF_INET;
	destination->port = bpf_ntohs(context->user_port);
	__builtin_memcpy(destination->address, &address, sizeof(address));
}

static __always_inline void socket__read_hook6(struct rf_destination *destination, struct bpf_sock_addr *context)
{
	__u32 address[4] = { context->user_ip6[0], context->user_ip6[1], context->user_ip6[2], context->user_ip6[3] };

	destination->family = AF_INET6;
	destination->port = bpf_ntohs(context->user_port);
	__builtin_memcpy(destination->address, address, sizeof(address));
}

/* From a struct sockaddr_in or sockaddr_in6 of the caller's. */
static __always_inline __u16 socket__read_request(__u8 address[16], const void *request, __u16 family)
{
	__u16 port = 0;

	bpf_probe_read_user(&port, sizeof(port), request + __builtin_offsetof(struct sockaddr_in, sin_port));
	if (family == AF_INET)
		bpf_probe_read_user(address, 4, request + __builtin_offsetof(struct sockaddr_in, sin_addr));
	else
		bpf_probe_read_user(address, 16, request + __builtin_offsetof(struct sockaddr_in6, sin6_addr));
	return bpf_ntohs(port);
}

#endif
