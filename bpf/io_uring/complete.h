/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The completion of a request. */

/* Until 6.14 the tracepoint passes the fields of the completion, since then the completion itself. */
typedef void (*btf_trace_io_uring_complete___cqe)(void *, struct io_ring_ctx *, void *, struct io_uring_cqe *);

static __always_inline __s32 io_uring__result(struct bpf_raw_tracepoint_args *context)
{
	if (bpf_core_type_exists(btf_trace_io_uring_complete___cqe))
		return kernel__read((struct io_uring_cqe *)context->args[2], res);
	return context->args[3];
}

static __always_inline bool io_uring__opens(__u32 opcode)
{
	return opcode == RF_IO_OPENAT || opcode == RF_IO_OPENAT2;
}

/* Returns the file of the descriptor in the result. A completion may
 * run in another process's context, whose descriptors are unrelated. */
static __always_inline struct file *io_uring__new_file(const struct rf_io_uring *record, bool fixed)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (record->result < 0 || fixed || task->tgid != record->h.tgid)
		return 0;
	return file__of_descriptor(task, record->result);
}

static __always_inline void io_uring__append_file(struct rf_builder *b, struct rf_io_uring *record, struct rf_path_work *work, struct file *file)
{
	struct inode *inode = kernel__read(file, f_inode);
	struct super_block *super = kernel__read(inode, i_sb);

	record->inode = kernel__read(inode, i_ino);
	record->device = kernel__read(super, s_dev);
	path__build(work, kernel__read(file, f_path.mnt), kernel__read(file, f_path.dentry));
	identity__append(b, RF_RECORD_MAX, &record->path, &record->reached, work, identity__of_file(file));
}

static __always_inline void io_uring__fill_outcome(struct rf_io_uring *record, struct io_kiocb *request, bool fixed)
{
	switch (record->opcode) {
	case RF_IO_CONNECT:
		if (record->result == 0)
			io_socket__fill_peer(record, BPF_CORE_READ(request, file));
		return;
	case RF_IO_BIND:
		if (record->result < 0)
			return;
	case RF_IO_LISTEN:
		io_socket__fill_local(record, BPF_CORE_READ(request, file));
		return;
	case RF_IO_ACCEPT:
		io_socket__fill_peer(record, io_uring__new_file(record, fixed));
		return;
	}
}

/* Appends the path of the opened file or the operation's file, else the submitted name. */
static __always_inline void io_uring__append_path(struct rf_builder *b, struct rf_io_uring *record, struct rf_scratch_big *scratch,
						  struct io_kiocb *request, const struct rf_io_request *submitted)
{
	struct file *file = 0;

	if (io_uring__opens(record->opcode))
		file = io_uring__new_file(record, submitted && submitted->fixed);
	else if (record->opcode == RF_IO_FSETXATTR || record->opcode == RF_IO_URING_CMD)
		file = BPF_CORE_READ(request, file);
	if (file && !file__is_socket(file)) {
		if (io_uring__opens(record->opcode))
			record->flags |= kernel__read(file, f_flags);
		io_uring__append_file(b, record, &scratch->path, file);
	} else if (submitted) {
		io_uring__append_stored(b, &record->path, submitted->path);
	}
	if (submitted)
		io_uring__append_stored(b, &record->target, submitted->target);
}

static __always_inline void io_uring__report(struct rf_scratch_big *scratch, struct io_kiocb *request, const struct rf_io_request *submitted,
					     __u32 opcode, __s32 result)
{
	struct rf_builder b = { .record = scratch->record, .end = sizeof(struct rf_io_uring) };
	struct rf_io_uring *record = (struct rf_io_uring *)scratch->record;

	if (submitted) {
		*record = submitted->record;
		record->h.ktime = bpf_ktime_get_boot_ns();
	} else {
		io_uring__clear(record, opcode);
	}
	record->result = result;
	io_uring__fill_outcome(record, request, submitted && submitted->fixed);
	io_uring__append_path(&b, record, scratch, request, submitted);
	text__count_faults(&b, io_uring__lane(opcode));
	io_uring__emit(&b, record);
}

SEC("raw_tp/io_uring_complete")
int io_uring_completed(struct bpf_raw_tracepoint_args *context)
{
	struct io_kiocb *request = (struct io_kiocb *)context->args[1];
	struct rf_io_request *submitted;
	struct rf_scratch_big *scratch;
	__u64 key = (__u64)request;
	__u32 opcode;

	/* further completions of one request (multishot) pass no request */
	if (!request)
		return 0;
	opcode = kernel__read(request, opcode);
	if (!io_uring__is_reported(opcode))
		return 0;
	submitted = bpf_map_lookup_elem(&rf_io_requests, &key);
	if (submitted && submitted->record.opcode != opcode)
		submitted = 0;
	/* refused before submission, or evicted: reported without names */
	if (!submitted && (io_uring__is_frequent(opcode) || !interest__any(RF_IO_URING) || task__is_agent(bpf_get_current_task_btf())))
		return 0;
	ring__count_seen(io_uring__lane(opcode), RF_IO_URING);
	scratch = scratch__acquire(&rf_scratch_sec, ring__cpu(), io_uring__lane(opcode), RF_IO_URING);
	if (scratch) {
		io_uring__report(scratch, request, submitted, opcode, io_uring__result(context));
		scratch__release(scratch);
	}
	failure__remove(RF_PLACE_IO_REQUESTS, &rf_io_requests, &key);
	return 0;
}
