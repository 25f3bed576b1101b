/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The system call bpf, at its end: programs and maps that are made, attached, pinned or fetched.
 * Frequent commands (reading and writing maps, querying) are not reported. For a new object the
 * kernel's copy is reported, found by the descriptor that the call returned; everything else is
 * in the caller's memory only. The agent's own calls are reported like any other. */
#include "lib/syscall.h"
#include "lib/tampering.h"
#include "lib/kernel_copy.h"

#define BPF_CALLS_NAME_MAX 16

/* The beginning of union bpf_attr, by command. Its layout is
 * fixed; the kernel's own type is not needed, nor relocated. */
struct bpf_calls_attr {
	union {
		struct {
			__u32 type, key_size, value_size, max_entries, flags, inner_map_fd, numa_node;
			char name[BPF_CALLS_NAME_MAX];
		} map;
		struct {
			__u32 type, insn_cnt;
			__u64 insns, license;
			__u32 log_level, log_size;
			__u64 log_buf;
			__u32 kern_version, flags;
			char name[BPF_CALLS_NAME_MAX];
			__u32 ifindex, expected_attach_type;
		} program;
		struct {
			__u64 path;
			__u32 descriptor, flags;
		} pin;
		struct {
			__u32 target, program, attach_type, flags;
		} attach;
		struct {
			__u64 name;
			__u32 program;
		} raw_tracepoint;
		struct {
			__u32 program, target, attach_type, flags;
		} link;
		struct {
			__u32 link, program, flags;
		} update;
	};
};

static __always_inline void bpf_calls__fill_program(struct rf_builder *b, struct rf_bpf *r, __u32 descriptor)
{
	struct file *file = file__of_descriptor(bpf_get_current_task_btf(), descriptor);
	struct bpf_prog *program = file ? kernel__read(file, private_data) : 0;
	struct bpf_prog_aux *aux = kernel__read(program, aux);

	r->program_type = kernel__read(program, type);
	r->id = kernel__read(aux, id);
	text__append_string(b, RF_RECORD_MAX, &r->name, TEXT_KERNEL, (void *)aux + bpf_core_field_offset(struct bpf_prog_aux, name));
}

static __always_inline void bpf_calls__fill_map(struct rf_builder *b, struct rf_bpf *r, __u32 descriptor)
{
	struct file *file = file__of_descriptor(bpf_get_current_task_btf(), descriptor);
	struct bpf_map *map = file ? kernel__read(file, private_data) : 0;

	r->program_type = kernel__read(map, map_type);
	r->flags = kernel__read(map, map_flags);
	r->id = kernel__read(map, id);
	text__append_string(b, RF_RECORD_MAX, &r->name, TEXT_KERNEL, (void *)map + bpf_core_field_offset(struct bpf_map, name));
}

/* The name may have no NUL at its end. */
static __always_inline void bpf_calls__append_name(struct rf_builder *b, struct rf_bpf *r, const char *name)
{
	__u32 size = 0;

#pragma unroll
	for (__u32 at = 0; at < BPF_CALLS_NAME_MAX; at++)
		if (size == at && name[at])
			size = at + 1;
	text__append(b, RF_RECORD_MAX, &r->name, TEXT_KERNEL, name, size, BPF_CALLS_NAME_MAX, size);
}

static __always_inline void bpf_calls__fill_load(struct rf_builder *b, struct rf_bpf *r, const struct bpf_calls_attr *attr, bool is_kernel_copy)
{
	r->attach_type = attr->program.expected_attach_type;
	r->flags = attr->program.flags;
	if (r->result >= 0) {
		r->source_caller = task__shares_files(bpf_get_current_task_btf());
		bpf_calls__fill_program(b, r, r->result);
		return;
	}
	r->source_caller = !is_kernel_copy;
	r->program_type = attr->program.type;
	bpf_calls__append_name(b, r, attr->program.name);
}

static __always_inline void bpf_calls__fill_create(struct rf_builder *b, struct rf_bpf *r, const struct bpf_calls_attr *attr, bool is_kernel_copy)
{
	if (r->result >= 0) {
		r->source_caller = task__shares_files(bpf_get_current_task_btf());
		bpf_calls__fill_map(b, r, r->result);
		return;
	}
	r->source_caller = !is_kernel_copy;
	r->program_type = attr->map.type;
	r->flags = attr->map.flags;
	bpf_calls__append_name(b, r, attr->map.name);
}

/* For an existing program, named by a descriptor in the caller's memory. */
static __always_inline void bpf_calls__fill_attach(struct rf_builder *b, struct rf_bpf *r, __u32 program, __u32 attach_type, __u32 flags)
{
	r->attach_type = attach_type;
	r->flags = flags;
	if (r->result >= 0)
		bpf_calls__fill_program(b, r, program);
}

/* `is_kernel_copy`: the attributes are the kernel's own copy. */
static __always_inline void bpf_calls__fill(struct rf_builder *b, struct rf_bpf *r, const struct bpf_calls_attr *attr, bool is_kernel_copy)
{
	switch (r->command) {
	case BPF_PROG_LOAD:
		return bpf_calls__fill_load(b, r, attr, is_kernel_copy);
	case BPF_MAP_CREATE:
		return bpf_calls__fill_create(b, r, attr, is_kernel_copy);
	case BPF_PROG_ATTACH:
		return bpf_calls__fill_attach(b, r, attr->attach.program, attr->attach.attach_type, attr->attach.flags);
	case BPF_PROG_DETACH:
		r->attach_type = attr->attach.attach_type;
		return;
	case BPF_LINK_CREATE:
		return bpf_calls__fill_attach(b, r, attr->link.program, attr->link.attach_type, attr->link.flags);
	case BPF_LINK_UPDATE:
		return bpf_calls__fill_attach(b, r, attr->update.program, 0, attr->update.flags);
	case BPF_RAW_TRACEPOINT_OPEN:
		/* without a name it attaches a program that knows its target */
		if (!attr->raw_tracepoint.name)
			return bpf_calls__fill_attach(b, r, attr->raw_tracepoint.program, 0, 0);
		return text__append_string(b, RF_RECORD_MAX, &r->name, TEXT_USER, (const void *)attr->raw_tracepoint.name);
	case BPF_OBJ_PIN:
	case BPF_OBJ_GET:
		r->flags = attr->pin.flags;
		return text__append_string(b, RF_RECORD_MAX, &r->name, TEXT_USER, (const void *)attr->pin.path);
	}
}

static __always_inline bool bpf_calls__is_reported(__u64 command)
{
	const __u64 reported = 1ULL << BPF_MAP_CREATE | 1ULL << BPF_PROG_LOAD | 1ULL << BPF_OBJ_PIN | 1ULL << BPF_OBJ_GET |
			       1ULL << BPF_PROG_ATTACH | 1ULL << BPF_PROG_DETACH | 1ULL << BPF_RAW_TRACEPOINT_OPEN | 1ULL << BPF_LINK_CREATE |
			       1ULL << BPF_LINK_UPDATE | 1ULL << BPF_LINK_DETACH | 1ULL << RF_BPF_TOKEN_CREATE;

	return command < 64 && (reported >> command & 1);
}

static __always_inline void bpf_calls__report(struct rf_scratch_big *scratch, struct pt_regs *registers, struct rf_kernel_copy *copy, __s32 result)
{
	struct rf_builder b = { .record = scratch->record, .end = sizeof(struct rf_bpf), .slim = byte_share__slims(RF_LANE_SECURITY) };
	struct rf_bpf *r = (struct rf_bpf *)scratch->record;
	struct bpf_calls_attr attr = {};
	__u32 size = PT_REGS_PARM3_CORE_SYSCALL(registers);

	rf_barrier(size);
	if (size > sizeof(attr))
		size = sizeof(attr);
	if (copy)
		__builtin_memcpy(&attr, copy->text, sizeof(attr));
	else if (failure__check(RF_PLACE_ARGUMENT, bpf_probe_read_user(&attr, size, (const void *)PT_REGS_PARM2_CORE_SYSCALL(registers))))
		b.faults++;
	task__fill_header(&r->h, bpf_get_current_task_btf(), RF_BPF);
	r->command = PT_REGS_PARM1_CORE_SYSCALL(registers);
	r->program_type = 0;
	r->attach_type = 0;
	r->result = result;
	r->source_caller = 1;
	r->id = 0;
	r->flags = 0;
	text__clear(&b, &r->name);
	bpf_calls__fill(&b, r, &attr, copy != 0);
	text__slim(&b, RF_RECORD_MAX, &r->name);
	text__count_faults(&b, RF_LANE_SECURITY);
	ring__output(RF_LANE_SECURITY, r, b.end, RF_RECORD_MAX);
}

/* Commands that return a descriptor of an existing object. */
#define BPF_CALLS_OPENS                                                                                                                  \
	(1ULL << BPF_OBJ_GET | 1ULL << BPF_MAP_GET_FD_BY_ID | 1ULL << BPF_PROG_GET_FD_BY_ID | 1ULL << BPF_LINK_GET_FD_BY_ID)
/* Commands that change a map. Its descriptor is the first field of the attributes. */
#define BPF_CALLS_CHANGES                                                                                                                \
	(1ULL << BPF_MAP_UPDATE_ELEM | 1ULL << BPF_MAP_DELETE_ELEM | 1ULL << BPF_MAP_LOOKUP_AND_DELETE_ELEM | 1ULL << BPF_MAP_FREEZE)
/* The same for many elements at once. The descriptor follows four addresses and the count. */
#define BPF_CALLS_BATCHES                                                                                                                \
	(1ULL << BPF_MAP_LOOKUP_AND_DELETE_BATCH | 1ULL << BPF_MAP_UPDATE_BATCH | 1ULL << BPF_MAP_DELETE_BATCH)
#define BPF_CALLS_BATCH_DESCRIPTOR 36
#define BPF_CALLS_LINKS (1ULL << BPF_LINK_DETACH | 1ULL << BPF_LINK_UPDATE)

/* Returns what the kernel's descriptor refers to, by the name that the kernel gives its file: bpf-map,
 * bpf-prog, bpf-link or bpf_link. Returns 0 for everything else. */
static __always_inline enum rf_own_object bpf_calls__type(struct file *file)
{
	const unsigned char *name = BPF_CORE_READ(file, f_path.dentry, d_name.name);
	char text[8] = {};

	if (bpf_probe_read_kernel_str(text, sizeof(text), name) < 0 || text[0] != 'b' || text[1] != 'p' || text[2] != 'f')
		return 0;
	switch (text[4]) {
	case 'm':
		return RF_OBJECT_MAP;
	case 'p':
		return RF_OBJECT_PROGRAM;
	case 'l':
		return RF_OBJECT_LINK;
	}
	return 0;
}

static __always_inline __u32 bpf_calls__id(enum rf_own_object type, void *object)
{
	if (type == RF_OBJECT_MAP)
		return BPF_CORE_READ((struct bpf_map *)object, id);
	if (type == RF_OBJECT_PROGRAM)
		return BPF_CORE_READ((struct bpf_prog *)object, aux, id);
	return BPF_CORE_READ((struct bpf_link *)object, id);
}

/* Returns the entry of an object of the sensor, or 0 for any other object. */
static __always_inline const struct rf_own_link *bpf_calls__own(enum rf_own_object type, __u32 id)
{
	__u64 key = (__u64)type << 32 | id;

	return type == RF_OBJECT_LINK ? bpf_map_lookup_elem(&rf_own_links, &id) : bpf_map_lookup_elem(&rf_own_objects, &key);
}

/* The agent checks the kernel's programs in a process of its own. */
static __always_inline bool bpf_calls__is_of_agent(struct task_struct *task)
{
	struct task_struct *parent = kernel__plain(task)->real_parent;
	struct task_struct *leader = kernel__read(parent, group_leader);

	return tampering__is_agent(kernel__read(leader, tgid), kernel__read(leader, start_boottime));
}

/* A list of all programs opens each of them: these are one entry with a count, so the id is not kept. */
static __noinline int bpf_calls__record_open(__u32 descriptor)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct file *file = file__of_descriptor(task, descriptor);
	const struct rf_own_link *own;
	enum rf_own_object type;
	bool writes;

	if (!file)
		return 0;
	type = bpf_calls__type(file);
	own = type ? bpf_calls__own(type, bpf_calls__id(type, BPF_CORE_READ(file, private_data))) : 0;
	if (!own)
		return 0;
	writes = type == RF_OBJECT_MAP && BPF_CORE_READ(file, f_mode) & FMODE_WRITE;
	if (!writes && bpf_calls__is_of_agent(task))
		return 0;
	return tampering__record(TAMPERING_AGENT | (writes ? RF_TAMPERING_MAP_OPEN : RF_TAMPERING_OBJECT_OPEN), type, 0, 0, own);
}

/* The descriptor is in the caller's memory, where another thread may have changed it: user space compares what the
 * sensor reads at each tick as well. */
static __noinline int bpf_calls__record_change(__u32 command, __s32 result, const void *attributes)
{
	__u64 at = BPF_CALLS_BATCHES >> (command & 63) & 1 ? BPF_CALLS_BATCH_DESCRIPTOR : 0;
	bool of_link = BPF_CALLS_LINKS >> (command & 63) & 1;
	const struct rf_own_link *own;
	__u32 descriptor = 0, operation, id;
	struct file *file;
	void *object;

	if (bpf_probe_read_user(&descriptor, sizeof(descriptor), attributes + at))
		return 0;
	file = file__of_descriptor(bpf_get_current_task_btf(), descriptor);
	if (!file)
		return 0;
	object = BPF_CORE_READ(file, private_data);
	id = bpf_calls__id(of_link ? RF_OBJECT_LINK : RF_OBJECT_MAP, object);
	own = bpf_calls__own(of_link ? RF_OBJECT_LINK : RF_OBJECT_MAP, id);
	if (!own)
		return 0;
	if (!of_link)
		return tampering__record(TAMPERING_AGENT | RF_TAMPERING_MAP_CHANGE, id, command, result < 0 ? result : 0, own);
	operation = command == BPF_LINK_DETACH ? RF_TAMPERING_LINK_DETACH : RF_TAMPERING_LINK_UPDATE;
	return tampering__record(TAMPERING_AGENT | operation, id, 0, result < 0 ? result : 0, own);
}

/* Runs for every call: most programs only look elements up. */
static __always_inline void bpf_calls__record_if_own(struct pt_regs *registers, __u32 command, __s32 result)
{
	const __u64 changes = BPF_CALLS_CHANGES | BPF_CALLS_BATCHES | BPF_CALLS_LINKS;
	struct task_struct *task = bpf_get_current_task_btf();

	if (command >= 64 || !((BPF_CALLS_OPENS | changes) >> command & 1))
		return;
	if (tampering__is_agent(task->tgid, kernel__start(task)))
		return;
	if (changes >> command & 1)
		bpf_calls__record_change(command, result, (const void *)PT_REGS_PARM2_CORE_SYSCALL(registers));
	else if (result >= 0)
		bpf_calls__record_open(result);
}

SEC("tracepoint/syscalls/sys_exit_bpf")
int bpf_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct rf_kernel_copy *copy = kernel_copy__take(task);
	__u32 command = PT_REGS_PARM1_CORE_SYSCALL(registers);
	long result = syscall__result(context);
	struct rf_scratch_big *scratch;

	bpf_calls__record_if_own(registers, command, result);
	if (!bpf_calls__is_reported(command)) {
		ring__count_skipped(RF_LANE_SECURITY, RF_BPF, RF_DROP_UNWATCHED);
		return 0;
	}
	if (!interest__admits(RF_LANE_SECURITY, RF_BPF))
		return 0;
	ring__count_seen(RF_LANE_SECURITY, RF_BPF);
	scratch = scratch__acquire(&rf_scratch_sec, ring__cpu(), RF_LANE_SECURITY, RF_BPF);
	if (!scratch)
		return 0;
	bpf_calls__report(scratch, registers, copy, result);
	scratch__release(scratch);
	return 0;
}
