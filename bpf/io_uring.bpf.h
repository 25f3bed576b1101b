/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Operations that tasks submit to io_uring, which make no system call of their own. A request is
 * stored when it is submitted, with the kernel's copies of its names, and reported with its result
 * when it completes; opened and connected files are read from the kernel then. The submitter is
 * the task that calls io_uring_enter, or the ring's own thread (SQPOLL), which belongs to the same
 * process. Reads, writes and other operations on open descriptors are ignored. */
#include "io_uring/request.h"
#include "lib/identity.h"
#include "io_uring/socket.h"

#define IO_SQPOLL 2             /* IORING_SETUP_SQPOLL */
#define IO_CQE_SKIP (1ULL << 6) /* REQ_F_CQE_SKIP, which is IOSQE_CQE_SKIP_SUCCESS */
#define IO_REPEAT_NS (10 * NS_PER_S)

static __always_inline bool io_uring__is_reported(__u32 opcode)
{
	const __u64 reported = 1ULL << RF_IO_SENDMSG | 1ULL << RF_IO_ACCEPT | 1ULL << RF_IO_CONNECT | 1ULL << RF_IO_OPENAT | 1ULL << RF_IO_SEND |
			       1ULL << RF_IO_OPENAT2 | 1ULL << RF_IO_RENAMEAT | 1ULL << RF_IO_UNLINKAT | 1ULL << RF_IO_MKDIRAT |
			       1ULL << RF_IO_SYMLINKAT | 1ULL << RF_IO_LINKAT | 1ULL << RF_IO_FSETXATTR | 1ULL << RF_IO_SETXATTR |
			       1ULL << RF_IO_SOCKET | 1ULL << RF_IO_URING_CMD | 1ULL << RF_IO_SEND_ZC | 1ULL << RF_IO_SENDMSG_ZC |
			       1ULL << RF_IO_BIND | 1ULL << RF_IO_LISTEN;

	return opcode < 64 && (reported >> opcode & 1);
}

/* Frequent in servers: reported at most once per IO_REPEAT_NS for each target. */
static __always_inline bool io_uring__is_frequent(__u32 opcode)
{
	return opcode == RF_IO_SEND || opcode == RF_IO_SENDMSG || opcode == RF_IO_SEND_ZC || opcode == RF_IO_SENDMSG_ZC ||
	       opcode == RF_IO_URING_CMD;
}

static __always_inline enum rf_lane io_uring__lane(__u32 opcode)
{
	return io_uring__is_frequent(opcode) ? RF_LANE_BULK : RF_LANE_SECURITY;
}

static __always_inline bool io_uring__is_repeated(const struct rf_io_uring *record)
{
	struct rf_io_recent_key key = {
		.tgid = record->h.tgid,
		.opcode = record->opcode,
		.command = record->opcode == RF_IO_URING_CMD ? record->flags : 0,
		.family = record->family,
		.port = record->port,
	};
	__u64 now = record->h.ktime;
	__u64 *before;

	__builtin_memcpy(key.address, record->address, sizeof(key.address));
	before = bpf_map_lookup_elem(&rf_io_recent, &key);
	if (before && now - *before < IO_REPEAT_NS)
		return true;
	bpf_map_update_elem(&rf_io_recent, &key, &now, BPF_ANY);
	return false;
}

static __always_inline void io_uring__emit(struct rf_builder *b, struct rf_io_uring *record)
{
	if (io_uring__is_frequent(record->opcode))
		ring__output(RF_LANE_BULK, record, b->end, RF_RECORD_MAX);
	else
		ring__output(RF_LANE_SECURITY, record, b->end, RF_RECORD_MAX);
}

static __always_inline void io_uring__append_stored(struct rf_builder *b, struct rf_text *text, const char *kept)
{
	text__append(b, RF_RECORD_MAX, text, TEXT_KERNEL, kept, text->kept, RF_IO_TEXT_MAX, text->length);
}

static __always_inline void io_uring__clear(struct rf_io_uring *record, __u32 opcode)
{
	__builtin_memset(record, 0, sizeof(*record));
	task__fill_header(&record->h, bpf_get_current_task_btf(), RF_IO_URING);
	record->opcode = opcode;
	record->path.offset = record->target.offset = record->reached.offset = sizeof(*record);
}

/* Reads everything but the names. Returns false if the request is not reported. */
static __always_inline bool io_uring__fill_request(struct rf_io_request *r, struct rf_scratch_big *scratch, struct io_kiocb *request, void *command)
{
	switch (r->record.opcode) {
	case RF_IO_CONNECT:
	case RF_IO_BIND:
		io_socket__fill_address(r, request, command);
		break;
	case RF_IO_SEND:
	case RF_IO_SENDMSG:
	case RF_IO_SEND_ZC:
	case RF_IO_SENDMSG_ZC:
		return io_socket__fill_send(r, request, command);
	case RF_IO_SOCKET:
		r->record.family = BPF_CORE_READ((struct io_socket *)command, domain);
		r->record.flags = BPF_CORE_READ((struct io_socket *)command, type);
		r->fixed = BPF_CORE_READ((struct io_socket *)command, file_slot) != 0;
		break;
	case RF_IO_ACCEPT:
		r->record.flags = BPF_CORE_READ((struct io_accept *)command, flags);
		r->fixed = BPF_CORE_READ((struct io_accept *)command, file_slot) != 0;
		break;
	case RF_IO_URING_CMD:
		r->record.flags = BPF_CORE_READ((struct io_uring_cmd *)command, cmd_op);
		break;
	case RF_IO_SETXATTR:
	case RF_IO_FSETXATTR:
		io_request__fill_attribute(r, scratch, command);
		break;
	}
	return true;
}

/* Reports a request whose success makes no completion. */
static __noinline int io_uring__report_submission(struct rf_scratch_big *scratch, const struct rf_io_request *r)
{
	struct rf_builder b = { .record = scratch->record + IO_TEXT_OFFSET, .end = sizeof(struct rf_io_uring) };
	struct rf_io_uring *record = (struct rf_io_uring *)b.record;

	*record = r->record;
	record->result_unknown = 1;
	text__append(&b, RF_RECORD_MAX - IO_TEXT_OFFSET, &record->path, TEXT_KERNEL, r->path, record->path.kept, RF_IO_TEXT_MAX, record->path.length);
	text__append(&b, RF_RECORD_MAX - IO_TEXT_OFFSET, &record->target, TEXT_KERNEL, r->target, record->target.kept, RF_IO_TEXT_MAX,
		     record->target.length);
	ring__count_seen(RF_LANE_SECURITY, RF_IO_URING);
	ring__output(RF_LANE_SECURITY, record, b.end, RF_RECORD_MAX - IO_TEXT_OFFSET);
	return 0;
}

static __always_inline void io_uring__remember(struct rf_scratch_big *scratch, struct io_kiocb *request, __u32 opcode)
{
	struct rf_io_request *r = (struct rf_io_request *)scratch->record;
	void *command = (void *)request + bpf_core_field_offset(struct io_kiocb, cmd);
	struct io_ring_ctx *ring = kernel__read(request, ctx);
	struct io_names names = {};
	__u64 key = (__u64)request;

	io_uring__clear(&r->record, opcode);
	r->fixed = 0;
	r->pad = 0;
	r->record.submission_thread = (kernel__read(ring, flags) & IO_SQPOLL) != 0;
	if (!io_uring__fill_request(r, scratch, request, command))
		return;
	io_request__find_names(r, &names, command);
	if (names.path)
		io_request__fill_names(r, scratch, &names);
	if (io_uring__is_frequent(opcode) && io_uring__is_repeated(&r->record)) {
		ring__count_skipped(RF_LANE_BULK, RF_IO_URING, RF_DROP_UNWATCHED);
		return;
	}
	/* an entry with this address is a request that never completed */
	if (failure__make(RF_PLACE_IO_REQUESTS, &rf_io_requests, &key, r))
		bpf_map_update_elem(&rf_io_requests, &key, r, BPF_EXIST);
	if (kernel__read(request, flags) & IO_CQE_SKIP)
		io_uring__report_submission(scratch, r);
}

static __always_inline int io_uring__submit(struct io_kiocb *request)
{
	__u32 opcode = kernel__read(request, opcode);
	struct rf_scratch_big *scratch;

	if (!io_uring__is_reported(opcode) || !interest__admits(io_uring__lane(opcode), RF_IO_URING))
		return 0;
	if (task__is_agent(bpf_get_current_task_btf())) {
		ring__count_skipped(io_uring__lane(opcode), RF_IO_URING, RF_DROP_SELF);
		return 0;
	}
	scratch = scratch__try_acquire(&rf_scratch_sec, ring__cpu());
	if (!scratch) { /* the completion is reported without names */
		ring__count_skipped(io_uring__lane(opcode), RF_IO_URING, RF_DROP_SCRATCH);
		return 0;
	}
	io_uring__remember(scratch, request, opcode);
	scratch__release(scratch);
	return 0;
}

/* raw_tp and not tp_btf, since a kernel has one of the two names: this one since 6.4. */
SEC("raw_tp/io_uring_submit_req")
int io_uring_submitted(struct bpf_raw_tracepoint_args *context)
{
	return io_uring__submit((struct io_kiocb *)context->args[0]);
}

/* Until 6.3. */
SEC("raw_tp/io_uring_submit_sqe")
int io_uring_submitted_6_1(struct bpf_raw_tracepoint_args *context)
{
	return io_uring__submit((struct io_kiocb *)context->args[0]);
}

#include "io_uring/complete.h"
