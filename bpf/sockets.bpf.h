/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* An unusual socket is made, or a socket is bound or listens; or the call fails. Seen at the
 * end of the system call, with the address read from the socket. A failed bind is reported
 * from the cgroup hook's copy, and without one from the caller's memory, marked as such. */
#include "lib/isolation.h"
#include "lib/owner.h"
#include "lib/share.h"
#include "lib/syscall.h"

#define SOCKETS_RECORD_MAX RF_RECORD_MAX
/* struct sockaddr_alg: type at 2, name at 24, both NUL-padded */
#define ALG_TYPE 2
#define ALG_TYPE_MAX 14
#define ALG_NAME 24
#define ALG_NAME_MAX 64
/* struct sockaddr_vm */
#define VSOCK_PORT 4
#define VSOCK_CONTEXT 8

static __always_inline int sockets__skip(enum rf_drop cause)
{
	ring__count_skipped(RF_LANE_SECURITY, RF_SOCKET, cause);
	return 0;
}

/* Raw and packet sockets see and forge traffic; rare families are where kernel
 * exploits start. Ordinary sockets are reported when they connect, listen or send. */
static __always_inline bool sockets__is_reported(__u32 family, __u32 type, __u32 protocol)
{
	if (family == AF_UNIX)
		return false;
	if (family == AF_INET || family == AF_INET6)
		return type == SOCK_RAW;
	if (family == AF_NETLINK)
		return protocol == NETLINK_XFRM || protocol == NETLINK_AUDIT || protocol == NETLINK_NETFILTER;
	return true;
}

static __always_inline void sockets__clear(struct rf_socket *s, struct task_struct *task, __u32 operation, __s32 result)
{
	task__fill_header(&s->h, task, RF_SOCKET);
	__builtin_memset(s->address, 0, sizeof(s->address));
	s->port = 0;
	s->context_id = 0;
	s->operation = operation;
	s->result = result;
	s->backlog = 0;
	s->source_caller = 0;
	s->path.offset = sizeof(*s);
	s->path.kept = 0;
	s->path.length = 0;
	s->pad = 0;
}

SEC("tracepoint/syscalls/sys_exit_socket")
int socket_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	__u32 family = PT_REGS_PARM1_SYSCALL(registers);
	__u32 type = PT_REGS_PARM2_SYSCALL(registers) & SOCK_TYPE_MASK;
	__u32 protocol = PT_REGS_PARM3_SYSCALL(registers);
	struct rf_header number = {};
	struct rf_socket *s;

	if (!sockets__is_reported(family, type, protocol))
		return sockets__skip(RF_DROP_UNWATCHED);
	if (!interest__admits_forms(RF_LANE_SECURITY, RF_SOCKET, INTEREST(SOCKET_SOCKET), kernel__cgroup(task)))
		return 0;
	if (task__is_agent(task))
		return sockets__skip(RF_DROP_SELF);
	ring__count_seen(RF_LANE_SECURITY, RF_SOCKET);
	if (share__throttles(RF_LANE_SECURITY, RF_SOCKET, kernel__cgroup(task)))
		return 0;
	s = ring__reserve(RF_LANE_SECURITY, RF_SOCKET, sizeof(*s), &number);
	if (!s)
		return 0;
	sockets__clear(s, task, RF_SOCKET_SOCKET, syscall__result(context));
	s->family = family;
	s->type = type;
	/* network order, in 16 bits */
	s->protocol = family == AF_PACKET ? bpf_ntohs(protocol) : protocol;
	ring__submit(RF_LANE_SECURITY, s, sizeof(*s), &number);
	return 0;
}

/* The call's data besides its registers. */
struct sockets_call {
	struct socket_call socket;
	const char *request; /* a struct sockaddr, in kernel memory; unset where it is not needed */
	__u32 size;
	__u32 operation;
};

static __always_inline void sockets__fill_inet(struct rf_socket *s, const struct sockets_call *call)
{
	if (call->socket.sk && (s->result == 0 || s->operation == RF_SOCKET_LISTEN)) {
		s->port = socket__local_port(call->socket.sk);
		socket__read_local(s->address, call->socket.sk, s->family);
	} else if (call->socket.destination) {
		s->family = call->socket.destination->family;
		s->port = call->socket.destination->port;
		__builtin_memcpy(s->address, call->socket.destination->address, sizeof(s->address));
	} else {
		s->source_caller = !call->socket.copy;
		s->port = socket__read_request(s->address, call->request, s->family);
	}
}

/* struct vsock_sock begins with its socket, its transport and its local address (include/net/af_vsock.h,
 * 5.5 to 6.18). Read by position, since it belongs to a module on many kernels: see lib/file.h. */
static __always_inline void sockets__fill_vsock(struct rf_socket *s, const struct sockets_call *call)
{
	const char *address = (char *)call->socket.sk + bpf_core_type_size(struct sock) + sizeof(void *);

	if (!call->socket.sk || (s->result && s->operation == RF_SOCKET_BIND)) {
		s->source_caller = !call->socket.copy;
		address = call->request;
	}
	bpf_probe_read_kernel(&s->port, sizeof(s->port), address + VSOCK_PORT);
	bpf_probe_read_kernel(&s->context_id, sizeof(s->context_id), address + VSOCK_CONTEXT);
}

/* Type and name of an algorithm. The kernel's copy is in a module's struct, which is in no BTF available here. */
static __always_inline void sockets__append_alg(struct rf_builder *b, struct rf_socket *s, const struct sockets_call *call)
{
	char *record = b->record;
	long type, name;

	s->source_caller = !call->socket.copy;
	type = bpf_probe_read_kernel_str(record + sizeof(*s), ALG_TYPE_MAX + 1, call->request + ALG_TYPE);
	if (type < 1 || type > ALG_TYPE_MAX + 1)
		return;
	name = bpf_probe_read_kernel_str(record + sizeof(*s) + type, ALG_NAME_MAX, call->request + ALG_NAME);
	if (name < 1 || name > ALG_NAME_MAX)
		return;
	s->path.kept = type + name - 1;
	s->path.length = s->path.kept;
	b->end += s->path.kept;
}

static __always_inline void sockets__fill(struct rf_builder *b, struct rf_socket *s, struct rf_path_work *work, const struct sockets_call *call)
{
	__u16 family = s->family;

	if (family == AF_INET || family == AF_INET6) {
		sockets__fill_inet(s, call);
	} else if (family == AF_UNIX && call->socket.sk && (s->result == 0 || s->operation == RF_SOCKET_LISTEN)) {
		socket__append_unix_name(b, SOCKETS_RECORD_MAX, &s->path, work, (struct unix_sock *)call->socket.sk);
	} else if (family == AF_UNIX) {
		s->source_caller = !call->socket.copy;
		socket__append_unix_request(b, SOCKETS_RECORD_MAX, &s->path, call->request, call->size);
	} else if (family == AF_VSOCK) {
		sockets__fill_vsock(s, call);
	} else if (family == AF_ALG && s->operation == RF_SOCKET_BIND) {
		sockets__append_alg(b, s, call);
	}
	if (call->socket.unverified)
		s->source_caller = 1;
}

/* Ports decide only for IP sockets that are bound by now. */
static __always_inline bool sockets__admits(struct task_struct *task, const struct socket_call *call, __u32 operation, __s32 result)
{
	bool is_unix = call->family == AF_UNIX;
	__u64 forms = operation == RF_SOCKET_BIND ? (is_unix ? INTEREST(SOCKET_BIND_UNIX) : INTEREST(SOCKET_BIND))
						  : (is_unix ? INTEREST(SOCKET_LISTEN_UNIX) : INTEREST(SOCKET_LISTEN));
	__u64 cgroup = kernel__cgroup(task);
	struct sock *sk = call->sk;

	if (!sk || result < 0 || (call->family != AF_INET && call->family != AF_INET6))
		return interest__admits_forms(RF_LANE_SECURITY, RF_SOCKET, forms, cgroup);
	return interest__admits_ends(RF_LANE_SECURITY, RF_SOCKET, forms, cgroup, socket__local_port(sk), socket__local_port(sk));
}

static __always_inline void sockets__assemble(struct rf_scratch_big *scratch, struct task_struct *task, __s32 result, struct sockets_call *call)
{
	struct rf_builder b = { .record = scratch->record, .end = sizeof(struct rf_socket) };
	struct rf_socket *s = (struct rf_socket *)scratch->record;
	struct pt_regs *registers = task__registers(task);

	sockets__clear(s, task, call->operation, result);
	s->family = call->socket.family;
	s->type = call->socket.type;
	s->protocol = call->socket.protocol;
	if (call->operation == RF_SOCKET_LISTEN) {
		s->backlog = PT_REGS_PARM2_SYSCALL(registers);
	} else {
		call->size = PT_REGS_PARM3_SYSCALL(registers);
		socket__copy_request(scratch->path.text + RF_PATH_MAX, call->socket.copy, (const void *)PT_REGS_PARM2_SYSCALL(registers), call->size);
		call->request = scratch->path.text + RF_PATH_MAX;
	}
	sockets__fill(&b, s, &scratch->path, call);
	text__count_faults(&b, RF_LANE_SECURITY);
	ring__output(RF_LANE_SECURITY, s, b.end, RF_RECORD_MAX);
}

/* For a call that is not reported: discards the kernel's copy, so that the next call does not take it. */
static __always_inline int sockets__skip_call(enum rf_drop cause)
{
	kernel_copy__take(bpf_get_current_task_btf());
	return sockets__skip(cause);
}

static __always_inline void sockets__report(__u32 operation, __s32 result)
{
	struct sockets_call call = { .operation = operation };
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_scratch_big *scratch;

	if (!socket__identify(&call.socket, task, operation == RF_SOCKET_BIND ? DESTINATION_BIND : 0))
		return;
	if (call.socket.family == AF_NETLINK) { /* every netlink user binds one */
		sockets__skip(RF_DROP_UNWATCHED);
		return;
	}
	if (!sockets__admits(task, &call.socket, operation, result))
		return;
	ring__count_seen(RF_LANE_SECURITY, RF_SOCKET);
	if (share__throttles(RF_LANE_SECURITY, RF_SOCKET, kernel__cgroup(task)))
		return;
	scratch = scratch__acquire(&rf_scratch_sec, ring__cpu(), RF_LANE_SECURITY, RF_SOCKET);
	if (!scratch)
		return;
	sockets__assemble(scratch, task, result, &call);
	scratch__release(scratch);
}

/* A bound UDP socket can receive before it sends, so its owner is stored at bind. */
static __always_inline int sockets__remember(struct bpf_sock_addr *context, struct rf_destination *destination)
{
	__u64 key = bpf_get_current_pid_tgid();

	isolation__notice_compat(bpf_get_current_task_btf(), RF_COMPAT_BIND);
	destination->call = DESTINATION_BIND;
	destination->cookie = bpf_get_socket_cookie(context);
	if (interest__any_form(INTEREST(SOCKET_BIND)))
		failure__check(RF_PLACE_DESTINATIONS, bpf_map_update_elem(&rf_destinations, &key, destination, BPF_ANY));
	if (context->type == SOCK_DGRAM &&
	    interest__any_form(INTEREST(DATAGRAM_REMOTE) | INTEREST(DATAGRAM_LOOPBACK) | INTEREST(PACKET_DNS)))
		owner__remember(destination->cookie, false);
	return 1; /* allow: this hook only observes */
}

SEC("cgroup/bind4")
int bind4(struct bpf_sock_addr *context)
{
	struct rf_destination destination = {};

	socket__read_hook4(&destination, context);
	return sockets__remember(context, &destination);
}

SEC("cgroup/bind6")
int bind6(struct bpf_sock_addr *context)
{
	struct rf_destination destination = {};

	socket__read_hook6(&destination, context);
	return sockets__remember(context, &destination);
}

SEC("tracepoint/syscalls/sys_exit_bind")
int bind_exit(void *context)
{
	__u64 key = bpf_get_current_pid_tgid();

	if (!interest__any(RF_SOCKET))
		sockets__skip_call(RF_DROP_UNWATCHED);
	else if (task__is_agent(bpf_get_current_task_btf()))
		sockets__skip_call(RF_DROP_SELF);
	else
		sockets__report(RF_SOCKET_BIND, syscall__result(context));
	bpf_map_delete_elem(&rf_destinations, &key);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_listen")
int listen_exit(void *context)
{
	if (!interest__any(RF_SOCKET))
		return sockets__skip_call(RF_DROP_UNWATCHED);
	if (task__is_agent(bpf_get_current_task_btf()))
		return sockets__skip_call(RF_DROP_SELF);
	sockets__report(RF_SOCKET_LISTEN, syscall__result(context));
	return 0;
}
