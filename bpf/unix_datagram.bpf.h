/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Datagrams to unix sockets, for example to syslog, systemd or another daemon. They make no packets, so each is seen
 * at the end of the call, or of the kernel function that sent it (full/unix_datagram.bpf.h). Equal ones (process, peer,
 * result) are merged, whatever their sockets. */
#include "lib/share.h"
#include "lib/socket.h"

#define UNIX_DATAGRAM_RECORD_MAX RF_SMALL_RECORD_MAX

/* `to`: an address in the memory that `memory` names; 0: the socket's own peer. */
struct unix_datagram_call {
	struct sock *sk;
	struct sock *peer;
	struct rf_kernel_copy *copy;
	const void *to;
	const char *request; /* the sensor's copy of that address */
	enum text_source memory;
	__u32 size;
	__s32 result;
};

/* Takes what a hook stored for this datagram, once; 0: nothing. */
static __always_inline struct rf_kernel_copy *unix_datagram__take_copy(struct task_struct *task, struct sock *sk)
{
	struct rf_kernel_copy *copy = kernel_copy__take(task);

	return copy && copy->object == (__u64)sk ? copy : 0;
}

static __always_inline __u64 unix_datagram__hash(const char *request)
{
	const __u64 *words = (const __u64 *)request;
	__u64 hash = 0;

	for (int at = 0; at < SOCKET_REQUEST_MAX / sizeof(*words); at++)
		hash = (hash ^ words[at]) * RF_HASH_FACTOR;
	return hash;
}

static __always_inline __u32 unix_datagram__admit(struct task_struct *task, const struct unix_datagram_call *call)
{
	__u64 peer = call->to ? unix_datagram__hash(call->request) : (__u64)call->peer;
	__u32 error = call->result < 0 ? call->result : 0;
	struct rf_merge_key key;

	/* not the socket: some clients open one for each datagram */
	merge__fill_key(&key, task, RF_DATAGRAM, peer, error);
	return merge__admit(RF_LANE_BULK, &key, false);
}

static __always_inline void unix_datagram__fill_fixed(struct rf_datagram *d, struct task_struct *task, const struct unix_datagram_call *call)
{
	task__fill_header(&d->h, task, RF_DATAGRAM);
	d->sent = call->result < 0 ? 0 : call->result;
	d->received = 0;
	d->family = AF_UNIX;
	d->protocol = 0;
	d->port = 0;
	d->local_port = 0;
	__builtin_memset(d->address, 0, sizeof(d->address));
	__builtin_memset(d->local_address, 0, sizeof(d->local_address));
	d->result = call->result < 0 ? call->result : 0;
	d->incoming = 0;
	d->source_caller = call->memory == TEXT_USER && task__shares_files(task);
	d->pad = 0;
}

/* After the call the kernel no longer has the destination. The peer of a connected socket is the kernel's; any other
 * name is the caller's, marked, unless the full profile stored it. */
static __always_inline void unix_datagram__fill_peer(struct rf_builder *b, struct rf_datagram *d, struct rf_path_work *work,
						     const struct unix_datagram_call *call)
{
	text__clear(b, &d->path);
	if (call->copy) {
		d->source_caller = 0;
		kernel_copy__append(b, UNIX_DATAGRAM_RECORD_MAX, &d->path, call->copy, &call->copy->path);
	} else if (call->to) {
		d->source_caller = call->memory == TEXT_USER;
		socket__append_unix_request(b, UNIX_DATAGRAM_RECORD_MAX, &d->path, call->request, call->size);
	} else {
		socket__append_unix_name(b, UNIX_DATAGRAM_RECORD_MAX, &d->path, work, (struct unix_sock *)call->peer);
	}
}

static __always_inline void unix_datagram__assemble(struct rf_scratch_small *scratch, struct task_struct *task, struct unix_datagram_call *call)
{
	struct rf_builder b = { .record = scratch->record, .end = sizeof(struct rf_datagram) };
	struct rf_datagram *d = (struct rf_datagram *)scratch->record;

	call->request = scratch->path.text + RF_PATH_MAX;
	if (call->to) {
		__builtin_memset(scratch->path.text + RF_PATH_MAX, 0, SOCKET_REQUEST_MAX);
		socket__read_text(scratch->path.text + RF_PATH_MAX, call->memory, call->to, call->size);
	}
	d->count = unix_datagram__admit(task, call);
	if (!d->count)
		return;
	unix_datagram__fill_fixed(d, task, call);
	unix_datagram__fill_peer(&b, d, &scratch->path, call);
	text__count_faults(&b, RF_LANE_BULK);
	ring__output(RF_LANE_BULK, d, b.end, UNIX_DATAGRAM_RECORD_MAX);
}

/* The ends of a socketpair have no names; their datagrams are not reported. */
static __always_inline bool unix_datagram__has_named_peer(const struct unix_datagram_call *call)
{
	struct unix_sock *peer = (struct unix_sock *)call->peer;

	return call->to || call->result < 0 || (peer && BPF_CORE_READ(peer, addr));
}

static __always_inline int unix_datagram__report(struct task_struct *task, struct unix_datagram_call *call)
{
	struct sock *sk = call->sk; /* locals: CO-RE must not see a struct that the kernel does not have */
	struct unix_sock *unix_sock = (struct unix_sock *)sk;
	__u64 cgroup = kernel__cgroup(task);
	struct rf_scratch_small *scratch;

	call->peer = (struct sock *)BPF_CORE_READ(unix_sock, peer);
	if (kernel__read(sk, sk_type) != SOCK_DGRAM || !unix_datagram__has_named_peer(call))
		return 0;
	if (!interest__admits_forms(RF_LANE_BULK, RF_DATAGRAM, INTEREST(DATAGRAM_UNIX), cgroup))
		return 0;
	if (task__is_agent(task)) {
		ring__count_skipped(RF_LANE_BULK, RF_DATAGRAM, RF_DROP_SELF);
		return 0;
	}
	ring__count_seen(RF_LANE_BULK, RF_DATAGRAM);
	if (share__throttles(RF_LANE_BULK, RF_DATAGRAM, cgroup))
		return 0;
	scratch = scratch__acquire(&rf_scratch_bulk, ring__cpu(), RF_LANE_BULK, RF_DATAGRAM);
	if (!scratch)
		return 0;
	unix_datagram__assemble(scratch, task, call);
	scratch__release(scratch);
	return 0;
}
