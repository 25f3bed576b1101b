/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Facts about a socket: both ends, as the kernel has them. */
#ifndef RF_LIB_SOCKET_H
#define RF_LIB_SOCKET_H

#include "kernel_copy.h"

/* struct sockaddr_storage */
#define SOCKET_REQUEST_MAX 128

static __always_inline struct sock *socket__of_file(struct file *file)
{
	struct socket *socket = kernel__read(file, private_data);

	return kernel__read(socket, sk);
}

/* host order */
static __always_inline __u16 socket__peer_port(struct sock *sk)
{
	return bpf_ntohs(kernel__read(sk, __sk_common.skc_dport));
}

/* host order, as the kernel keeps it */
static __always_inline __u16 socket__local_port(struct sock *sk)
{
	return kernel__read(sk, __sk_common.skc_num);
}

/* 127.0.0.0/8, ::1, or the former mapped to IPv6. Words in network order; IPv4 uses the first. */
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

static __always_inline bool socket__local_is_loopback(struct sock *sk, __u16 family)
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
	return kernel__read(sk, __sk_common.skc_cookie.counter);
}

/* Appends the path of the file that a unix socket is bound to, or its bound name. */
static __always_inline void socket__append_unix_name(struct rf_builder *b, __u32 capacity, struct rf_text *text, struct rf_path_work *work,
						     struct unix_sock *unix_sock)
{
	struct unix_address *name = BPF_CORE_READ(unix_sock, addr);
	struct dentry *dentry = BPF_CORE_READ(unix_sock, path.dentry);
	__u32 size;

	if (dentry) {
		path__append_new(b, capacity, text, work, BPF_CORE_READ(unix_sock, path.mnt), dentry);
		return;
	}
	size = name ? BPF_CORE_READ(name, len) - __builtin_offsetof(struct sockaddr_un, sun_path) : 0;
	if (size <= RF_UNIX_PATH_MAX)
		text__append(b, capacity, text, TEXT_KERNEL, (void *)name + bpf_core_field_offset(struct unix_address, name) + 2, size,
			     RF_UNIX_PATH_MAX, size);
}

/* Appends the name in a struct sockaddr_un of `size` bytes in kernel memory. */
static __always_inline void socket__append_unix_request(struct rf_builder *b, __u32 capacity, struct rf_text *text, const void *request, __u32 size)
{
	const __u32 before = __builtin_offsetof(struct sockaddr_un, sun_path);
	const char *path = request + before;
	char first = 0;

	if (size <= before || size > before + RF_UNIX_PATH_MAX)
		return;
	/* 6.1 forgets the bounds of a spilled number, but keeps those that follow from a mask */
	size -= before;
	rf_barrier(size);
	size &= SOCKET_REQUEST_MAX - 1;
	rf_barrier(size);
	bpf_probe_read_kernel(&first, 1, path);
	if (first)
		text__append_string(b, capacity, text, TEXT_KERNEL, path);
	else
		text__append(b, capacity, text, TEXT_KERNEL, path, size, RF_UNIX_PATH_MAX, size);
}

/* Reads the kernel's copy of the address in a cgroup hook of connect or bind. */
static __always_inline void socket__read_hook4(struct rf_destination *destination, struct bpf_sock_addr *context)
{
	__u32 address = context->user_ip4;

	destination->type = context->type;
	destination->protocol = context->protocol;
	destination->family = AF_INET;
	destination->port = bpf_ntohs(context->user_port);
	__builtin_memcpy(destination->address, &address, sizeof(address));
}

static __always_inline void socket__read_hook6(struct rf_destination *destination, struct bpf_sock_addr *context)
{
	__u32 address[4] = { context->user_ip6[0], context->user_ip6[1], context->user_ip6[2], context->user_ip6[3] };

	destination->type = context->type;
	destination->protocol = context->protocol;
	destination->family = AF_INET6;
	destination->port = bpf_ntohs(context->user_port);
	__builtin_memcpy(destination->address, address, sizeof(address));
}

/* Reads an address of at most SOCKET_REQUEST_MAX bytes; nothing of a longer one. */
static __always_inline void socket__read_text(char *to, enum text_source source, const void *from, __u32 size)
{
	if (!size || size > SOCKET_REQUEST_MAX)
		return;
	/* the only form that 6.1's verifier follows wherever the size comes from */
	size--;
	rf_barrier(size);
	size &= SOCKET_REQUEST_MAX - 1;
	rf_barrier(size);
	if (source == TEXT_USER)
		bpf_probe_read_user(to, size + 1, from);
	else
		bpf_probe_read_kernel(to, size + 1, from);
}

/* Copies the address passed to a call to `to`: SOCKET_REQUEST_MAX
 * bytes, zero-padded. Uses the kernel's copy if there is one. */
static __always_inline void socket__copy_request(char *to, struct rf_kernel_copy *copy, const void *request, __u32 size)
{
	__builtin_memset(to, 0, SOCKET_REQUEST_MAX);
	if (copy)
		__builtin_memcpy(to, copy->text, SOCKET_REQUEST_MAX);
	else
		socket__read_text(to, TEXT_USER, request, size);
}

/* From a struct sockaddr_in or sockaddr_in6 in kernel memory. */
static __always_inline __u16 socket__read_request(__u8 address[16], const void *request, __u16 family)
{
	__u16 port = 0;

	bpf_probe_read_kernel(&port, sizeof(port), request + __builtin_offsetof(struct sockaddr_in, sin_port));
	if (family == AF_INET)
		bpf_probe_read_kernel(address, 4, request + __builtin_offsetof(struct sockaddr_in, sin_addr));
	else
		bpf_probe_read_kernel(address, 16, request + __builtin_offsetof(struct sockaddr_in6, sin6_addr));
	return bpf_ntohs(port);
}

/* The socket of a system call, from all sources: another thread may have swapped the descriptor's file since. */
struct socket_call {
	struct sock *sk; /* of the descriptor; 0: no socket, or not the call's */
	struct rf_destination *stored; /* the entry stored for this thread's call; 0: none */
	/* that entry if it belongs to this call; 0: no cgroup hook ran, or the hook filtered the call */
	struct rf_destination *destination;
	struct rf_kernel_copy *copy;
	__u32 protocol;
	__u16 family;
	__u16 type;
	bool unverified; /* only the descriptor identifies the socket */
};

static __always_inline void socket__find(struct socket_call *call, struct task_struct *task, enum rf_destination_call which)
{
	struct file *file = file__of_descriptor(task, PT_REGS_PARM1_SYSCALL(task__registers(task)));
	__u64 key = task__key(task);
	struct rf_destination *destination = which ? bpf_map_lookup_elem(&rf_destinations, &key) : 0;
	struct sock *sk = file__is_socket(file) ? socket__of_file(file) : 0;
	struct rf_kernel_copy *copy = kernel_copy__take(task);

	call->stored = destination;
	call->unverified = task__shares_files(task);
	/* the entry is from a call whose end was not observed: no other thread can have swapped the socket */
	if (destination && sk && !call->unverified && socket__cookie(sk) != destination->cookie)
		destination = 0;
	if (destination && destination->call == which && destination->family) {
		call->destination = destination;
		call->unverified = false;
		if (sk && socket__cookie(sk) != destination->cookie)
			sk = 0;
	} else if (copy) {
		call->unverified = false;
		if (copy->object != (__u64)sk)
			sk = 0;
	}
	call->copy = copy;
	call->sk = sk;
}

/* Returns false if there is no socket. */
static __always_inline bool socket__identify(struct socket_call *call, struct task_struct *task, enum rf_destination_call which)
{
	struct rf_destination *destination;
	struct rf_kernel_copy *copy;
	struct sock *sk;

	socket__find(call, task, which);
	sk = call->sk;
	destination = call->destination;
	copy = call->copy;
	if (sk) {
		call->family = kernel__read(sk, __sk_common.skc_family);
		call->type = kernel__read(sk, sk_type);
		call->protocol = kernel__read(sk, sk_protocol);
	} else if (destination) {
		call->family = destination->family;
		call->type = destination->type;
		call->protocol = destination->protocol;
	} else if (copy) {
		call->family = copy->family;
		call->type = copy->type;
		call->protocol = copy->protocol;
	} else
		return false;
	if (call->family == AF_UNIX)
		call->protocol = 0;
	return true;
}

#endif
