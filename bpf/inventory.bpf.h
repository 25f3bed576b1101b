/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Open sockets, one struct rf_open_socket for each descriptor of each process: what
 * /proc shows by pid and descriptor and by inode and address, in one pass, even if /proc
 * is made to hide it. With a pid in the iterator's link info: those of one process. */
#include "lib/socket.h"

static __always_inline void inventory__fill_unix(struct rf_open_socket *s, struct sock *sk)
{
	struct unix_sock *unix_socket = (struct unix_sock *)sk;
	struct unix_address *address = BPF_CORE_READ(unix_socket, addr);
	int length = BPF_CORE_READ(address, len) - (int)sizeof(__u16);
	struct sockaddr_un *name = (void *)address + bpf_core_field_offset(struct unix_address, name);

	if (!address || length <= 0)
		return; /* not bound, like all sockets that only connect */
	if (length > RF_UNIX_PATH_MAX)
		length = RF_UNIX_PATH_MAX;
	s->path_bytes = length;
	bpf_probe_read_kernel(s->path, sizeof(s->path), name->sun_path);
}

static __always_inline void inventory__fill(struct rf_open_socket *s, struct file *file)
{
	struct sock *sk = socket__of_file(file);
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	s->inode = BPF_CORE_READ(file, f_inode, i_ino);
	s->family = family;
	s->type = BPF_CORE_READ(sk, sk_type);
	s->protocol = BPF_CORE_READ(sk, sk_protocol);
	s->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (family == AF_UNIX)
		inventory__fill_unix(s, sk);
	if (family != AF_INET && family != AF_INET6)
		return;
	s->port = socket__peer_port(sk);
	s->local_port = socket__local_port(sk);
	socket__read_peer(s->address, sk, family);
	socket__read_local(s->local_address, sk, family);
}

SEC("iter/task_file")
int sockets(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;
	struct rf_open_socket s = {};

	if (!task || !file || !file__is_socket(file))
		return 0;
	s.start = kernel__start(task);
	s.tgid = task->tgid;
	s.fd = context->fd;
	inventory__fill(&s, file);
	bpf_seq_write(context->meta->seq, &s, sizeof(s));
	return 0;
}
