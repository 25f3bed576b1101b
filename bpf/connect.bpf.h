/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A socket is connected, or fails to be. Seen at the end of the system call, from the socket
 * itself. A socket that failed has no peer any more: then the cgroup hook's copy is used, and
 * without one the caller's memory, marked as such. The hooks also store when the call began. */
#include "lib/isolation.h"
#include "lib/owner.h"
#include "lib/share.h"
#include "lib/syscall.h"

#define CONNECT_RECORD_MAX RF_RECORD_MAX

/* A loopback peer makes the flow a loopback one, whether the
 * local end is loopback or another address of this machine. */
static __always_inline __u64 connect__owner_forms(const struct rf_destination *destination, __u32 type)
{
	if (type != SOCK_STREAM)
		return INTEREST(DATAGRAM_REMOTE) | INTEREST(DATAGRAM_LOOPBACK) | INTEREST(PACKET_DNS);
	return owner__needed_for(socket__is_loopback(destination->family, (const __u32 *)destination->address), destination->port, 0);
}

static __always_inline __u64 connect__forms(__u16 protocol, bool loopback)
{
	if (protocol == IPPROTO_TCP)
		return loopback ? INTEREST(CONNECT_TCP_LOOPBACK) : INTEREST(CONNECT_TCP);
	if (protocol == IPPROTO_UDP)
		return loopback ? INTEREST(CONNECT_UDP_LOOPBACK) : INTEREST(CONNECT_UDP);
	return INTEREST(CONNECT_OTHER);
}

/* io_uring connects too, and its end is not seen here. */
static __always_inline bool connect__is_call(struct task_struct *task)
{
	return SYSCALL_NUMBER(task__registers(task)) == SYSCALL_CONNECT;
}

/* Stores the destination until the call ends. */
static __always_inline void connect__store(struct task_struct *task, struct rf_destination *destination)
{
	__u64 key = task__key(task);

	destination->started = bpf_ktime_get_boot_ns();
	destination->call = DESTINATION_CONNECT;
	failure__check(RF_PLACE_DESTINATIONS, bpf_map_update_elem(&rf_destinations, &key, destination, BPF_ANY));
}

/* Stores the destination if the connect may be reported. */
static __always_inline void connect__store_if_of_interest(struct bpf_sock_addr *context, struct rf_destination *destination)
{
	__u64 forms = connect__forms(destination->protocol, socket__is_loopback(destination->family, (const __u32 *)destination->address));
	struct task_struct *task = bpf_get_current_task_btf();

	forms = interest__forms_of_peer(forms, destination->port);
	if (!forms || !interest__of_scope(forms, kernel__cgroup(task)) || !connect__is_call(task))
		return;
	destination->cookie = bpf_get_socket_cookie(context);
	connect__store(task, destination);
}

static __always_inline int connect__remember(struct bpf_sock_addr *context, struct rf_destination *destination)
{
	isolation__notice_compat(bpf_get_current_task_btf(), RF_COMPAT_CONNECT);
	connect__store_if_of_interest(context, destination);
	if (interest__any_form(connect__owner_forms(destination, context->type)))
		owner__remember(bpf_get_socket_cookie(context), context->type == SOCK_STREAM);
	return 1; /* allow: this hook only observes */
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *context)
{
	struct rf_destination destination = {};

	socket__read_hook4(&destination, context);
	return connect__remember(context, &destination);
}

SEC("cgroup/connect6")
int connect6(struct bpf_sock_addr *context)
{
	struct rf_destination destination = {};

	socket__read_hook6(&destination, context);
	return connect__remember(context, &destination);
}

/* Linux 6.7; earlier kernels use connect_enter. */
SEC("cgroup/connect_unix")
int connect_unix(struct bpf_sock_addr *context)
{
	struct rf_destination destination = { .family = AF_UNIX };
	struct task_struct *task = bpf_get_current_task_btf();

	isolation__notice_compat(task, RF_COMPAT_CONNECT);
	if (!interest__of_forms(INTEREST(CONNECT_UNIX), kernel__cgroup(task)) || !connect__is_call(task))
		return 1;
	destination.type = context->type;
	destination.cookie = bpf_get_socket_cookie(context);
	connect__store(task, &destination);
	return 1;
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

static __always_inline void connect__fill_fixed(struct rf_connect *c, struct task_struct *task, const struct socket_call *call, __s32 result)
{
	task__fill_header(&c->h, task, RF_CONNECT);
	c->family = call->family;
	c->type = call->type;
	c->protocol = call->protocol;
	c->port = 0;
	__builtin_memset(c->address, 0, sizeof(c->address));
	c->result = result;
	c->source_caller = 0;
	c->local_port = 0;
	c->count = 1;
	__builtin_memset(c->local_address, 0, sizeof(c->local_address));
	c->duration = 0;
}

static __always_inline void connect__fill_from_destination(struct rf_connect *c, const struct rf_destination *destination)
{
	c->family = destination->family;
	c->port = destination->port;
	__builtin_memcpy(c->address, destination->address, sizeof(c->address));
}

static __always_inline bool connect__fill_unix(struct rf_builder *b, struct rf_connect *c, struct rf_path_work *work, const struct socket_call *call,
					       bool connected, struct pt_regs *registers)
{
	__u32 size = PT_REGS_PARM3_CORE_SYSCALL(registers);
	struct unix_sock *unix_sock = (struct unix_sock *)call->sk;

	if (connected && unix_sock) {
		socket__append_unix_name(b, CONNECT_RECORD_MAX, &c->path, work, (struct unix_sock *)BPF_CORE_READ(unix_sock, peer));
		return true;
	}
	c->source_caller = !call->copy;
	socket__copy_request(work->text, call->copy, (const void *)PT_REGS_PARM2_SYSCALL(registers), size);
	socket__append_unix_request(b, CONNECT_RECORD_MAX, &c->path, work->text, size);
	return true;
}

/* Returns false if nothing was connected: connect() to AF_UNSPEC dissolves a connection. */
static __always_inline bool connect__fill(struct rf_builder *b, struct rf_connect *c, struct rf_path_work *work, const struct socket_call *call,
					  struct pt_regs *registers)
{
	bool connected = c->result == 0 || c->result == -EINPROGRESS;

	text__clear(b, &c->path);
	if (c->family == AF_UNIX)
		return connect__fill_unix(b, c, work, call, connected, registers);
	if (connected && call->sk) {
		connect__fill_from_socket(c, call->sk);
		return connect__has_peer(c);
	}
	if (call->destination) {
		connect__fill_from_destination(c, call->destination);
		return true;
	}
	c->source_caller = !call->copy;
	socket__copy_request(work->text, call->copy, (const void *)PT_REGS_PARM2_SYSCALL(registers), PT_REGS_PARM3_CORE_SYSCALL(registers));
	c->port = socket__read_request(c->address, work->text, c->family);
	return true;
}

/* Merges a storm of connects by process, port and result. Returns 0 if this one is merged. */
static __always_inline __u32 connect__admit(const struct rf_connect *c, struct task_struct *task)
{
	struct rf_merge_key key;

	if (!share__is_exceeded(RF_LANE_SECURITY, c->h.cgroup))
		return 1;
	merge__fill_key(&key, task, RF_CONNECT, (__u32)c->family << 16 | c->port, (__u32)c->result);
	return merge__admit(RF_LANE_SECURITY, &key, false);
}

/* Reads the address from the kernel's copy if there is one, else from the caller's memory. */
static __always_inline void connect__read_request(struct rf_end *end, struct task_struct *task, const struct rf_kernel_copy *copy)
{
	const void *request = (const void *)PT_REGS_PARM2_SYSCALL(task__registers(task));
	__u32 head[2] = {}; /* family, port, IPv4 address */

	__builtin_memset(end, 0, sizeof(*end));
	if (copy)
		__builtin_memcpy(head, copy->text, sizeof(head));
	else if (bpf_probe_read_user(head, sizeof(head), request))
		return;
	end->family = head[0];
	end->port = bpf_ntohs(head[0] >> 16);
	__builtin_memcpy(end->address, &head[1], sizeof(head[1]));
	if (end->family != AF_INET6)
		return;
	if (copy)
		__builtin_memcpy(end->address, copy->text + __builtin_offsetof(struct sockaddr_in6, sin6_addr), sizeof(end->address));
	else
		bpf_probe_read_user(end->address, sizeof(end->address), request + __builtin_offsetof(struct sockaddr_in6, sin6_addr));
}

/* For kernels without a hook for unix sockets, whose connect may wait for the peer
 * to accept. Tests the family in the caller's memory, which may not be resident yet. */
SEC("tracepoint/syscalls/sys_enter_connect")
int connect_enter(void *context)
{
	struct rf_destination destination = {};
	struct task_struct *task = bpf_get_current_task_btf();
	__u16 family;

	if (!bpf_probe_read_user(&family, sizeof(family), (const void *)PT_REGS_PARM2_SYSCALL(task__registers(task))) && family != AF_UNIX)
		return 0;
	if (!interest__of_forms(INTEREST(CONNECT_UNIX), kernel__cgroup(task)))
		return 0;
	connect__store(task, &destination);
	return 0;
}

static __always_inline bool connect__admits(const struct socket_call *call, __u64 cgroup, const __u32 address[4], __u16 port)
{
	struct sock *sk = call->sk; /* a local: CO-RE must not see a struct that the kernel does not have */

	return interest__admits_ends(RF_LANE_SECURITY, RF_CONNECT, connect__forms(call->protocol, socket__is_loopback(call->family, address)), cgroup,
				     port, kernel__read(sk, __sk_common.skc_num));
}

/* Unknown facts admit any form. If the cgroup hook stored nothing for a failure, it
 * either filtered the call or did not run: then only the caller's memory has the address. */
static __always_inline bool connect__matches_interest(struct task_struct *task, const struct socket_call *call, __s32 result)
{
	__u64 cgroup = kernel__cgroup(task);
	struct sock *sk = call->sk;
	struct rf_end end;

	if (call->family == AF_UNIX)
		return interest__admits_ends(RF_LANE_SECURITY, RF_CONNECT, INTEREST(CONNECT_UNIX), cgroup, 0, 0);
	if (sk && (result == 0 || result == -EINPROGRESS))
		return interest__admits_ends(RF_LANE_SECURITY, RF_CONNECT,
					     connect__forms(call->protocol, socket__peer_is_loopback(sk, call->family)), cgroup,
					     bpf_ntohs(kernel__read(sk, __sk_common.skc_dport)), kernel__read(sk, __sk_common.skc_num));
	if (sk && call->destination && call->destination->family == call->family)
		return connect__admits(call, cgroup, (const __u32 *)call->destination->address, call->destination->port);
	connect__read_request(&end, task, call->copy);
	if (sk && end.family == call->family)
		return connect__admits(call, cgroup, (const __u32 *)end.address, end.port);
	return interest__admits_forms(RF_LANE_SECURITY, RF_CONNECT, connect__forms(call->protocol, false) | connect__forms(call->protocol, true),
				      cgroup);
}

static __always_inline void connect__report(struct task_struct *task, const struct socket_call *call, __s32 result)
{
	struct rf_builder b = { .end = sizeof(struct rf_connect) };
	struct rf_scratch_big *scratch;
	struct rf_connect *c;

	if (call->family != AF_INET && call->family != AF_INET6 && call->family != AF_UNIX)
		return;
	if (!connect__matches_interest(task, call, result))
		return;
	ring__count_seen(RF_LANE_SECURITY, RF_CONNECT);
	scratch = scratch__acquire(&rf_scratch_sec, ring__cpu(), RF_LANE_SECURITY, RF_CONNECT);
	if (!scratch)
		return;
	b.record = scratch->record;
	c = (struct rf_connect *)scratch->record;
	connect__fill_fixed(c, task, call, result);
	/* not what a call left whose end was not observed */
	if (call->stored && call->stored->call == DESTINATION_CONNECT && (call->destination || !call->stored->family))
		c->duration = c->h.ktime - call->stored->started;
	if (connect__fill(&b, c, &scratch->path, call, task__registers(task))) {
		if (call->unverified)
			c->source_caller = 1;
		c->count = connect__admit(c, task);
		if (c->count) {
			text__count_faults(&b, RF_LANE_SECURITY);
			ring__output(RF_LANE_SECURITY, c, b.end, RF_RECORD_MAX);
		}
	} else {
		ring__count_drop(RF_LANE_SECURITY, RF_CONNECT, RF_DROP_UNWATCHED);
	}
	scratch__release(scratch);
}

static __always_inline void connect__end(struct task_struct *task, __s32 result)
{
	__u64 key = task__key(task);
	struct socket_call call = {};

	if (socket__identify(&call, task, DESTINATION_CONNECT)) {
		if (task__is_agent(task))
			ring__count_skipped(RF_LANE_SECURITY, RF_CONNECT, RF_DROP_SELF);
		else
			connect__report(task, &call, result);
	}
	if (call.stored)
		bpf_map_delete_elem(&rf_destinations, &key);
}

/* Fast path: most connects succeed and match no rule. Decides from the socket alone unless another
 * thread could have swapped the descriptor. The cgroup hook stored nothing for such a call either. */
static __always_inline bool connect__can_skip(struct task_struct *task, __s32 result)
{
	struct file *file;
	struct sock *sk;
	__u16 family;

	if ((result && result != -EINPROGRESS) || task__shares_files(task) || task__is_agent(task))
		return false;
	file = file__of_descriptor(task, PT_REGS_PARM1_SYSCALL(task__registers(task)));
	if (!file)
		return false;
	sk = socket__of_file(file); /* only sockets can be connected */
	family = kernel__read(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6)
		return false;
	return !interest__forms_of_peer(connect__forms(kernel__read(sk, sk_protocol), socket__peer_is_loopback(sk, family)), socket__peer_port(sk));
}

SEC("tracepoint/syscalls/sys_exit_connect")
int connect_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__s32 result = syscall__result(context);

	if (interest__any(RF_CONNECT) && !connect__can_skip(task, result)) {
		connect__end(task, result);
		return 0;
	}
	kernel_copy__take(task);
	ring__count_skipped(RF_LANE_SECURITY, RF_CONNECT, RF_DROP_UNWATCHED);
	return 0;
}
