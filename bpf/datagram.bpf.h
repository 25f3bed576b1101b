/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* UDP datagrams, on connected sockets or not. From packets, since the hooks of sendmsg and recvmsg have
 * no sizes and skip connected sockets. The first datagram between a socket and a peer is reported; later
 * ones are counted and reported with the first after half a minute, or when the socket is closed. A send
 * that fails makes no packet: it is seen at the end of the system call, like sends to unix sockets. */
#include "lib/share.h"
#include "lib/syscall.h"
#include "lib/wire.h"
#include "unix_datagram.bpf.h"

#define DATAGRAM_REPORT_NS (30 * NS_PER_S)
/* The latest peers of a socket that are reported when it is closed. */
#define DATAGRAM_PEERS_MAX 64

static __always_inline void datagram__clear(struct rf_datagram *d)
{
	d->result = 0;
	d->path.offset = sizeof(*d);
	d->path.kept = 0;
	d->path.length = 0;
	d->source_caller = 0;
	d->pad = 0;
}

static __always_inline __u64 datagram__forms(__u16 family, const __u8 first[16], const __u8 second[16])
{
	return socket__is_loopback(family, (const __u32 *)first) || socket__is_loopback(family, (const __u32 *)second) ? INTEREST(DATAGRAM_LOOPBACK)
														   : INTEREST(DATAGRAM_REMOTE);
}

static __always_inline void datagram__report(const struct rf_owner *owner, const struct rf_exchange_key *key, struct rf_exchange *exchange)
{
	__u64 forms = datagram__forms(key->peer.family, key->peer.address, exchange->local_address);
	struct rf_header number = {};
	struct rf_datagram *d;

	if (!interest__of_ends(forms, owner->cgroup, key->peer.port, exchange->local_port)) {
		ring__count_drop(RF_LANE_BULK, RF_DATAGRAM, RF_DROP_UNWATCHED);
		return;
	}
	if (share__throttles(RF_LANE_BULK, RF_DATAGRAM, owner->cgroup))
		return;
	d = ring__reserve(RF_LANE_BULK, RF_DATAGRAM, sizeof(*d), &number);
	if (!d)
		return;
	owner__fill_header(&d->h, owner, RF_DATAGRAM);
	datagram__clear(d);
	d->sent = __sync_fetch_and_and(&exchange->sent, 0);
	d->received = __sync_fetch_and_and(&exchange->received, 0);
	d->count = __sync_fetch_and_and(&exchange->count, 0);
	d->family = key->peer.family;
	d->protocol = IPPROTO_UDP;
	d->port = key->peer.port;
	d->local_port = exchange->local_port;
	__builtin_memcpy(d->address, key->peer.address, sizeof(d->address));
	__builtin_memcpy(d->local_address, exchange->local_address, sizeof(d->local_address));
	d->incoming = exchange->incoming;
	ring__submit(RF_LANE_BULK, d, sizeof(*d), &number);
}

static __always_inline void datagram__begin(struct rf_exchange_key *key, const struct wire *w, bool egress, __u64 now)
{
	struct rf_owner *owner = owner__find(key->cookie, RF_DATAGRAM);
	struct rf_exchange exchange = { .reported = now, .count = 1, .incoming = !egress };
	struct rf_exchange *kept;

	if (!owner)
		return;
	if (egress)
		exchange.sent = w->length;
	else
		exchange.received = w->length;
	exchange.local_port = egress ? w->source_port : w->destination_port;
	__builtin_memcpy(exchange.local_address, egress ? w->source : w->destination, sizeof(exchange.local_address));
	exchange.next = owner->last;
	if (failure__make(RF_PLACE_EXCHANGES, &rf_exchanges, key, &exchange) || !(kept = bpf_map_lookup_elem(&rf_exchanges, key))) {
		ring__count_drop(RF_LANE_BULK, RF_DATAGRAM, RF_DROP_FORGOTTEN);
		return;
	}
	owner->last = key->peer;
	datagram__report(owner, key, kept);
}

static __always_inline void datagram__count(struct rf_exchange_key *key, const struct wire *w, bool egress)
{
	struct rf_exchange *exchange = bpf_map_lookup_elem(&rf_exchanges, key);
	__u64 now = bpf_ktime_get_coarse_ns();
	struct rf_owner *owner;

	ring__count_seen(RF_LANE_BULK, RF_DATAGRAM);
	if (!exchange) {
		datagram__begin(key, w, egress, now);
		return;
	}
	__sync_fetch_and_add(egress ? &exchange->sent : &exchange->received, w->length);
	__sync_fetch_and_add(&exchange->count, 1);
	if (now - exchange->reported < DATAGRAM_REPORT_NS) {
		ring__count_drop(RF_LANE_BULK, RF_DATAGRAM, RF_DROP_MERGED);
		return;
	}
	exchange->reported = now;
	owner = owner__find(key->cookie, RF_DATAGRAM);
	if (owner)
		datagram__report(owner, key, exchange);
}

/* A datagram is sent in its sender's context, so this finds the owner of
 * a socket that another process made, or that is older than the sensor. */
static __always_inline void datagram__set_owner(__u64 cookie)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_owner *owner = bpf_map_lookup_elem(&rf_owners, &cookie);

	if (task->flags & PF_KTHREAD)
		return;
	if (!owner)
		owner__remember(cookie, false);
	else if (owner->tgid != task->tgid || owner->exec_id != task->self_exec_id)
		owner__set(owner, task);
}

static __always_inline void datagram__handle(struct __sk_buff *packet, const struct wire *w, bool egress)
{
	bool of_interest = interest__any_form(datagram__forms(w->family, w->source, w->destination));
	struct rf_exchange_key key = {};

	if (!of_interest)
		ring__count_skipped(RF_LANE_BULK, RF_DATAGRAM, RF_DROP_UNWATCHED);
	if (!of_interest && !(wire__is_dns(w) && interest__any_form(INTEREST(PACKET_DNS))))
		return;
	key.cookie = bpf_get_socket_cookie(packet);
	if (!key.cookie)
		return;
	if (egress)
		datagram__set_owner(key.cookie);
	if (!of_interest)
		return;
	key.peer.family = w->family;
	key.peer.port = egress ? w->destination_port : w->source_port;
	__builtin_memcpy(key.peer.address, egress ? w->destination : w->source, sizeof(key.peer.address));
	datagram__count(&key, w, egress);
}

struct datagram_closing {
	struct rf_owner *owner;
	struct rf_exchange_key key;
};

static long datagram__report_peer(__u32 index, struct datagram_closing *closing)
{
	struct rf_exchange_key key = closing->key;
	struct rf_exchange *exchange;

	if (!key.peer.family)
		return 1;
	exchange = bpf_map_lookup_elem(&rf_exchanges, &key);
	if (!exchange)
		return 1;
	closing->key.peer = exchange->next;
	if (exchange->count) { /* merged datagrams not reported yet */
		ring__count_seen(RF_LANE_BULK, RF_DATAGRAM);
		datagram__report(closing->owner, &key, exchange);
	}
	failure__remove(RF_PLACE_EXCHANGES, &rf_exchanges, &key);
	return 0;
}

SEC("cgroup/sock_release")
int socket_release(struct bpf_sock *context)
{
	struct datagram_closing closing = {};
	struct rf_owner owner;
	struct rf_owner *stored;
	__u64 cookie;

	if (context->type != SOCK_DGRAM)
		return 1;
	cookie = bpf_get_socket_cookie(context);
	stored = bpf_map_lookup_elem(&rf_owners, &cookie);
	if (!stored)
		return 1;
	owner = *stored;
	failure__remove(RF_PLACE_OWNERS, &rf_owners, &cookie);
	closing.owner = &owner;
	closing.key.cookie = cookie;
	closing.key.peer = owner.last;
	if (!owner__is_agent(&owner))
		bpf_loop(DATAGRAM_PEERS_MAX, datagram__report_peer, &closing, 0);
	return 1;
}

/* The buffer was full, or a signal arrived: the datagram may still be sent. */
static __always_inline bool datagram__is_final(long result)
{
	return result != -EAGAIN && result != -EINTR && result > -ERESTARTSYS;
}

/* `to`: in the caller's memory; 0: the socket's own peer. */
static __always_inline int datagram__report_failure(struct task_struct *task, struct sock *sk, __u16 family, __s32 result, const void *to)
{
	struct rf_header number = {};
	struct sockaddr_in6 request = {};
	struct rf_datagram *d;

	if (!interest__admits_forms(RF_LANE_BULK, RF_DATAGRAM, INTEREST(DATAGRAM_REMOTE) | INTEREST(DATAGRAM_LOOPBACK),
				    kernel__cgroup(task)))
		return 0;
	ring__count_seen(RF_LANE_BULK, RF_DATAGRAM);
	if (task__is_agent(task)) {
		ring__count_drop(RF_LANE_BULK, RF_DATAGRAM, RF_DROP_SELF);
		return 0;
	}
	if (share__throttles(RF_LANE_BULK, RF_DATAGRAM, kernel__cgroup(task)))
		return 0;
	d = ring__reserve(RF_LANE_BULK, RF_DATAGRAM, sizeof(*d), &number);
	if (!d)
		return 0;
	task__fill_header(&d->h, task, RF_DATAGRAM);
	datagram__clear(d);
	d->sent = 0;
	d->received = 0;
	d->family = family;
	d->protocol = IPPROTO_UDP;
	d->local_port = socket__local_port(sk);
	__builtin_memset(d->address, 0, sizeof(d->address));
	__builtin_memset(d->local_address, 0, sizeof(d->local_address));
	socket__read_local(d->local_address, sk, family);
	d->source_caller = to || task__shares_files(task);
	if (to) {
		bpf_probe_read_user(&request, family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(request), to);
		d->port = socket__read_request(d->address, &request, family);
	} else {
		d->port = socket__peer_port(sk);
		socket__read_peer(d->address, sk, family);
	}
	d->result = result;
	d->count = 1;
	d->incoming = 0;
	ring__submit(RF_LANE_BULK, d, sizeof(*d), &number);
	return 0;
}

static __always_inline int datagram__finish(struct task_struct *task, __s32 result, const void *to, __u32 size)
{
	struct file *file = file__of_descriptor(task, PT_REGS_PARM1_SYSCALL(task__registers(task)));
	struct unix_datagram_call call = { .to = to, .memory = TEXT_USER, .size = size, .result = result };
	struct sock *sk;
	__u16 family;

	if (!file__is_socket(file))
		return 0;
	sk = socket__of_file(file);
	call.sk = sk;
	family = kernel__read(sk, __sk_common.skc_family);
	if (family == AF_UNIX) {
		call.copy = unix_datagram__take_copy(task, sk);
		if (call.copy && call.copy->reported)
			return 0;
		/* a failed call may not have reached the hook: the copy is from an earlier one */
		if (result < 0)
			call.copy = 0;
		return unix_datagram__report(task, &call);
	}
	if (result >= 0 || (family != AF_INET && family != AF_INET6) || kernel__read(sk, sk_protocol) != IPPROTO_UDP)
		return 0;
	return datagram__report_failure(task, sk, family, result, to);
}

/* Successful sends are reported from packets, except for unix sockets. */
static __always_inline bool datagram__may_be_of_interest(long result)
{
	if (result >= 0)
		return !rf_unix_sent && interest__any_form(INTEREST(DATAGRAM_UNIX));
	return interest__any(RF_DATAGRAM) && datagram__is_final(result);
}

SEC("tracepoint/syscalls/sys_exit_sendto")
int sendto_exit(void *context)
{
	long result = syscall__result(context);
	struct task_struct *task;
	struct pt_regs *registers;

	if (!datagram__may_be_of_interest(result))
		return 0;
	task = bpf_get_current_task_btf();
	registers = task__registers(task);
	return datagram__finish(task, result, (const void *)PT_REGS_PARM5_SYSCALL(registers), SYSCALL_PARM6(registers));
}

/* The first fields of struct user_msghdr. */
struct datagram_message {
	const void *name;
	__u32 size;
	__u32 pad;
};

SEC("tracepoint/syscalls/sys_exit_sendmsg")
int sendmsg_exit(void *context)
{
	struct datagram_message message = {};
	long result = syscall__result(context);
	struct task_struct *task;

	if (!datagram__may_be_of_interest(result))
		return 0;
	task = bpf_get_current_task_btf();
	bpf_probe_read_user(&message, sizeof(message), (const void *)PT_REGS_PARM2_SYSCALL(task__registers(task)));
	return datagram__finish(task, result, message.name, message.size);
}

/* struct mmsghdr: a struct user_msghdr, then the bytes of the message that were sent. */
#define DATAGRAM_MESSAGE_BYTES 64
#define DATAGRAM_MESSAGE_SENT 56
/* UIO_MAXIOV: the kernel sends no more in one call */
#define DATAGRAM_MESSAGES_MAX 1024

struct datagram_messages {
	struct sock *sk;
	const char *next; /* struct mmsghdr, in the caller's memory */
};

static long datagram__report_message(__u32 number, struct datagram_messages *messages)
{
	struct unix_datagram_call call = { .sk = messages->sk, .memory = TEXT_USER };
	const char *at = messages->next;
	struct datagram_message message = {};

	bpf_probe_read_user(&message, sizeof(message), at);
	bpf_probe_read_user(&call.result, sizeof(call.result), at + DATAGRAM_MESSAGE_SENT);
	messages->next = at + DATAGRAM_MESSAGE_BYTES;
	call.to = message.name;
	call.size = message.size;
	unix_datagram__report(bpf_get_current_task_btf(), &call);
	return 0;
}

static __always_inline void datagram__report_messages(struct task_struct *task, __u32 count)
{
	struct pt_regs *registers = task__registers(task);
	struct file *file = file__of_descriptor(task, PT_REGS_PARM1_SYSCALL(registers));
	struct datagram_messages messages = { .next = (const char *)PT_REGS_PARM2_SYSCALL(registers) };
	struct sock *sk;

	kernel_copy__take(task);
	if (!file__is_socket(file))
		return;
	sk = socket__of_file(file);
	if (kernel__read(sk, __sk_common.skc_family) != AF_UNIX)
		return;
	messages.sk = sk;
	bpf_loop(count < DATAGRAM_MESSAGES_MAX ? count : DATAGRAM_MESSAGES_MAX, datagram__report_message, &messages, 0);
}

/* If the call fails, nothing was sent, and the error is the first message's.
 * The kernel's copy is of the last message tried, so it is used for no other. */
SEC("tracepoint/syscalls/sys_exit_sendmmsg")
int sendmmsg_exit(void *context)
{
	struct { /* struct mmsghdr */
		struct datagram_message message;
		char unread[DATAGRAM_MESSAGE_SENT - sizeof(struct datagram_message)];
		__u32 sent;
		__u32 pad;
	} first = {};
	long result = syscall__result(context);
	struct pt_regs *registers;
	struct task_struct *task;

	if (!result)
		return 0;
	task = bpf_get_current_task_btf();
	if (rf_unix_sent && result > 0)
		kernel_copy__take(task); /* the copy of a message that failed after others were sent */
	if (!datagram__may_be_of_interest(result))
		return 0;
	registers = task__registers(task);
	if (result > 0 && (__u32)PT_REGS_PARM3_SYSCALL(registers) != 1) {
		datagram__report_messages(task, result);
		return 0;
	}
	bpf_probe_read_user(&first, sizeof(first), (const void *)PT_REGS_PARM2_SYSCALL(registers));
	return datagram__finish(task, result < 0 ? result : first.sent, first.message.name, first.message.size);
}
