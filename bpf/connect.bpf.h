/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A socket is connected, or fails to be. Seen at the end of the system call, from the socket itself: what was connected is what is reported.
 * A socket that failed has forgotten its peer: then the cgroup hook's copy counts, and without one the caller's memory, marked as such. */
#include "lib/socket.h"

#define CONNECT_ROOM RF_RECORD_MAX

static __always_inline int connect__remember(struct rf_destination *destination)
{
	__u64 key = bpf_get_current_pid_tgid();

	bpf_map_update_elem(&rf_destinations, &key, destination, BPF_ANY);
	return 1; /* go on: this hook only looks */
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *context)
{
	struct rf_destination destination = { .family = AF_INET, .port = bpf_ntohs(context->user_port) };
	__u32 address = context->user_ip4;

	__builtin_memcpy(destination.address, &address, sizeof(address));
	return connect__remember(&destination);
}

SEC("cgroup/connect6")
int connect6(struct bpf_sock_addr *context)
{
	struct rf_destination destination = { .family = AF_INET6, .port = bpf_ntohs(context->user_port) };
	__u32 address[4] = { context->user_ip6[0], context->user_ip6[1], context->user_ip6[2], context->user_ip6[3] };

	__builtin_memcpy(destination.address, address, sizeof(address));
	return connect__remember(&destination);
}

static __always_inline bool connect__has_peer(const struct rf_connect *c)
{
	const __u64 *address = (const __u64 *)c->address;

	return c->port || address[0] || address[1];
}

static __always_inline void connect__fill_from_socket(struct rf_connect *c, struct sock *sk)
{
	c->port = socket__peer_port(sk);
	socket__read_peer(c->address, sk, c->family);
	c->local_port = socket__local_port(sk);
	socket__read_local(c->local_address, sk, c->family);
}

static __always_inline void connect__fill_from_request(struct rf_connect *c, const void *request)
{
	__u64 key = bpf_get_current_pid_tgid();
	struct rf_destination *destination = bpf_map_lookup_elem(&rf_destinations, &key);
	__u16 port = 0;

	if (destination && destination->family == c->family) {
		c->port = destination->port;
		__builtin_memcpy(c->address, destination->address, sizeof(c->address));
		return;
	}
	c->source_caller = 1;
	bpf_probe_read_user(&port, sizeof(port), request + __builtin_offsetof(struct sockaddr_in, sin_port));
	c->port = bpf_ntohs(port);
	if (c->family == AF_INET)
		bpf_probe_read_user(c->address, 4, request + __builtin_offsetof(struct sockaddr_in, sin_addr));
	else
		bpf_probe_read_user(c->address, 16, request + __builtin_offsetof(struct sockaddr_in6, sin6_addr));
}

/* The file the peer is bound to, or the name it is bound by. */
static __always_inline void connect__append_unix_peer(struct rf_builder *b, struct rf_connect *c, struct rf_path_work *work, struct sock *sk)
{
	struct unix_sock *own = (struct unix_sock *)sk;
	struct unix_sock *peer = (struct unix_sock *)BPF_CORE_READ(own, peer);
	struct unix_address *name = BPF_CORE_READ(peer, addr);
	struct dentry *dentry = BPF_CORE_READ(peer, path.dentry);
	__u32 size;

	if (dentry) {
		path__append_new(b, CONNECT_ROOM, &c->path, work, BPF_CORE_READ(peer, path.mnt), dentry);
		return;
	}
	size = name ? BPF_CORE_READ(name, len) - __builtin_offsetof(struct sockaddr_un, sun_path) : 0;
	if (size <= RF_UNIX_PATH_MAX)
		text__append(b, CONNECT_ROOM, &c->path, TEXT_KERNEL, (void *)name + bpf_core_field_offset(struct unix_address, name) + 2, size,
			     RF_UNIX_PATH_MAX, size);
}

static __always_inline void connect__append_unix_request(struct rf_builder *b, struct rf_connect *c, const void *request, __u32 size)
{
	const __u32 before = __builtin_offsetof(struct sockaddr_un, sun_path);
	const char *path = request + before;
	char first = 0;

	c->source_caller = 1;
	if (size <= before || size > before + RF_UNIX_PATH_MAX)
		return;
	size -= before;
	bpf_probe_read_user(&first, 1, path);
	if (first)
		text__append_string(b, CONNECT_ROOM, &c->path, TEXT_USER, path);
	else
		text__append(b, CONNECT_ROOM, &c->path, TEXT_USER, path, size, RF_UNIX_PATH_MAX, size);
}

static __always_inline void connect__fill_fixed(struct rf_connect *c, struct task_struct *task, struct sock *sk, __u16 family, __s32 result)
{
	task__fill_header(&c->h, task, RF_CONNECT);
	c->family = family;
	c->type = BPF_CORE_READ(sk, sk_type);
	c->protocol = family == AF_UNIX ? 0 : BPF_CORE_READ(sk, sk_protocol);
	c->port = 0;
	__builtin_memset(c->address, 0, sizeof(c->address));
	c->result = result;
	c->source_caller = 0;
	c->local_port = 0;
	c->pad = 0;
	__builtin_memset(c->local_address, 0, sizeof(c->local_address));
}

/* false: nothing was connected. connect() to AF_UNSPEC takes a connection back. */
static __always_inline bool connect__fill(struct rf_builder *b, struct rf_connect *c, struct rf_path_work *work, struct sock *sk, const void *request, __u32 size)
{
	bool connected = c->result == 0 || c->result == -EINPROGRESS;

	text__clear(b, &c->path);
	if (c->family == AF_UNIX) {
		if (connected)
			connect__append_unix_peer(b, c, work, sk);
		else
			connect__append_unix_request(b, c, request, size);
		return true;
	}
	if (!connected) {
		connect__fill_from_request(c, request);
		return true;
	}
	connect__fill_from_socket(c, sk);
	return connect__has_peer(c);
}

static __always_inline void connect__report(struct task_struct *task, struct pt_regs *registers, __s32 result)
{
	struct file *file = file__of_descriptor(task, PT_REGS_PARM1_SYSCALL(registers));
	struct rf_builder b = { .end = sizeof(struct rf_connect) };
	struct rf_scratch_big *scratch;
	struct rf_connect *c;
	struct sock *sk;
	__u16 family;

	if (!file__is_socket(file))
		return;
	sk = socket__of_file(file);
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
		return;
	scratch = scratch__take(&rf_scratch_sec, ring__cpu(), RF_LANE_SECURITY);
	if (!scratch)
		return;
	b.record = scratch->record;
	c = (struct rf_connect *)scratch->record;
	connect__fill_fixed(c, task, sk, family, result);
	if (connect__fill(&b, c, &scratch->path, sk, (void *)PT_REGS_PARM2_SYSCALL(registers), PT_REGS_PARM3_CORE_SYSCALL(registers))) {
		text__count_faults(&b, RF_LANE_SECURITY);
		ring__output(RF_LANE_SECURITY, c, b.end, RF_RECORD_MAX);
	}
	scratch__give(scratch);
}

SEC("tracepoint/syscalls/sys_exit_connect")
int connect_exit(struct trace_event_raw_sys_exit *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 key = bpf_get_current_pid_tgid();

	if (task__is_agent())
		ring__count(RF_LANE_SECURITY, RF_DROP_SELF);
	else
		connect__report(task, task__registers(task), context->ret);
	bpf_map_delete_elem(&rf_destinations, &key);
	return 0;
}
