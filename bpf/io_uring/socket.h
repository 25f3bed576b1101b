/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The socket arguments of a request to io_uring, and the socket's state afterwards. */
#ifndef RF_IO_URING_SOCKET_H
#define RF_IO_URING_SOCKET_H

#include "../lib/socket.h"
#include "request.h"

static __always_inline bool io_socket__is_internet(__u16 family)
{
	return family == AF_INET || family == AF_INET6;
}

/* Reads an address from kernel memory or the caller's. */
static __always_inline void io_socket__read_address(struct rf_io_request *r, enum text_source source, const void *from)
{
	struct rf_io_uring *record = &r->record;
	struct { __u16 family, port; __u8 data[24]; } address = {};
	char *path = r->path;
	long size;

	if (source == TEXT_USER)
		bpf_probe_read_user(&address, sizeof(struct sockaddr_in), from);
	else
		bpf_probe_read_kernel(&address, sizeof(address), from);
	record->family = address.family;
	record->source_caller = source == TEXT_USER;
	if (address.family == AF_INET) {
		record->port = bpf_ntohs(address.port);
		__builtin_memcpy(record->address, address.data, 4);
	} else if (address.family == AF_INET6) {
		if (source == TEXT_USER)
			bpf_probe_read_user(&address, sizeof(address), from);
		record->port = bpf_ntohs(address.port);
		__builtin_memcpy(record->address, address.data + 4, 16);
	} else if (address.family == AF_UNIX) {
		from += __builtin_offsetof(struct sockaddr_un, sun_path);
		size = source == TEXT_USER ? bpf_probe_read_user_str(path, RF_UNIX_PATH_MAX, from)
					   : bpf_probe_read_kernel_str(path, RF_UNIX_PATH_MAX, from);
		if (size > 1)
			record->path.kept = record->path.length = size - 1;
	}
}

/* Until 6.10 the address of a connect stayed in the caller's memory until the request ran. Decided by
 * version: testing for a type that the kernel lacks would search its modules, which takes CAP_SYS_ADMIN. */
static __always_inline bool io_socket__copies_addresses(void)
{
	return LINUX_KERNEL_VERSION >= KERNEL_VERSION(6, 10, 0);
}

/* The address stands alone, or (before the summer of 2026, in any version) in a message's header.
 * The header begins with an aligned pointer, an address with its family, which distinguishes them. */
static __always_inline void io_socket__fill_address(struct rf_io_request *r, struct io_kiocb *request, void *command)
{
	void *address = BPF_CORE_READ(request, async_data);
	__u16 family = 0;

	if (!io_socket__copies_addresses()) {
		io_socket__read_address(r, TEXT_USER, BPF_CORE_READ((struct io_connect *)command, addr));
		return;
	}
	bpf_probe_read_kernel(&family, sizeof(family), address);
	if (family != AF_UNIX && !io_socket__is_internet(family))
		address += bpf_core_field_offset(struct io_async_msghdr, addr);
	io_socket__read_address(r, TEXT_KERNEL, address);
}

/* Returns false if the send names no destination, as on a connection. */
static __always_inline bool io_socket__fill_send(struct rf_io_request *r, struct io_kiocb *request, void *command)
{
	struct io_async_msghdr *message = BPF_CORE_READ(request, async_data);
	const void *name;

	if (!io_socket__copies_addresses())
		return false;
	name = BPF_CORE_READ(message, msg.msg_name);
	if (!name)
		return false;
	r->record.flags = BPF_CORE_READ((struct io_sr_msg *)command, msg_flags);
	io_socket__read_address(r, TEXT_KERNEL, name);
	return true;
}

static __always_inline void io_socket__fill_peer(struct rf_io_uring *record, struct file *file)
{
	struct sock *sk;

	if (!file__is_socket(file))
		return;
	sk = socket__of_file(file);
	record->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (!io_socket__is_internet(record->family))
		return;
	record->source_caller = 0;
	record->port = socket__peer_port(sk);
	socket__read_peer(record->address, sk, record->family);
}

static __always_inline void io_socket__fill_local(struct rf_io_uring *record, struct file *file)
{
	struct sock *sk;

	if (!file__is_socket(file))
		return;
	sk = socket__of_file(file);
	record->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (!io_socket__is_internet(record->family))
		return;
	record->port = socket__local_port(sk);
	socket__read_local(record->address, sk, record->family);
}

#endif
