/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* User-defined probes: the entry or return of a function, a program's own probe (USDT), or a tracepoint.
 * Each place has a plan, found by its link's cookie, with the steps that fetch its arguments. User space
 * has computed the registers and offsets, so two programs serve all probes and no compiler is needed. */
#include "lib/probe.h"
#include "lib/share.h"

#define CUSTOM_STEPS_MAX 5
#define CUSTOM_SECOND 1000000000ULL
#define CUSTOM_PAGE 4096ULL /* the smallest page size */

/* Where fetching an argument begins. */
enum rf_custom_source {
	RF_CUSTOM_CONSTANT = 1,
	RF_CUSTOM_CONTEXT = 2,   /* a value in the context: a register, a field of a tracepoint */
	RF_CUSTOM_INLINE = 3,    /* the address of a field that holds the bytes itself */
	RF_CUSTOM_DATA_LOC = 4,  /* __data_loc: the field gives the offset of the bytes in the record */
};

/* Sizes are in bytes; negative for signed numbers. */
struct rf_custom_fetch {
	__u64 constant;
	__s32 offsets[CUSTOM_STEPS_MAX]; /* added before each dereference */
	__s32 offset;                    /* added at the end */
	__s8 sizes[CUSTOM_STEPS_MAX];    /* of the dereferenced values */
	__s8 size;                       /* of the value in the context */
	__s8 as;                         /* of a number: the size it is converted to */
	__u8 steps;                      /* number of dereferences */
	__u16 at;                        /* offset in the context */
	__u16 maximum;                   /* bytes read of a text; a string's include its NUL */
	__u8 source;                     /* enum rf_custom_source */
	__u8 type;                       /* enum rf_probe_type */
	__u8 kernel;                     /* 1: addresses are in kernel memory */
	__u8 length_of;                  /* bytes: 1 + index of the argument with their number; 0: `maximum` */
	char name[RF_PROBE_ARGUMENT_NAME_MAX];
};

struct rf_custom_plan {
	__u32 probe;      /* index in rf_custom_states */
	__u32 arguments;
	__u32 place;      /* enum rf_probe_place */
	__u32 source_caller;
	__u32 per_second; /* hits beyond this in one second are dropped */
	__u32 name_length;
	char name[RF_PROBE_NAME_MAX];
	struct rf_custom_fetch fetches[RF_PROBE_ARGUMENTS_MAX];
};

struct rf_custom_state {
	__u64 second; /* ns, CLOCK_BOOTTIME: start of the current second */
	__u64 second_hits; /* hits in the current second */
	__u64 hits;
	__u64 limited; /* dropped: over per_second */
	__u64 lost;    /* dropped: no space, or the cgroup exceeded its share */
	__u64 faults;  /* arguments that could not be read */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RF_PROBE_PLACES_MAX);
	__type(key, __u32);
	__type(value, struct rf_custom_plan);
} rf_custom_plans SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RF_PROBES_MAX);
	__type(key, __u32);
	__type(value, struct rf_custom_state);
} rf_custom_states SEC(".maps");

struct rf_scratch_custom {
	__u32 busy;
	__u32 end;      /* bytes of the record so far */
	__u64 context;  /* as a number, since it is read at offsets known only at run time */
	__u64 available; /* bytes that a __data_loc field declares */
	__u64 values[RF_PROBE_ARGUMENTS_MAX];
	char record[RF_SMALL_RECORD_MAX];
};

/* Two per CPU: a tracepoint may interrupt a probe in user space. User space sets the number before load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * RF_CPUS_MAX);
	__type(key, __u32);
	__type(value, struct rf_scratch_custom);
} rf_scratch_cst SEC(".maps");

struct custom_loop {
	struct rf_scratch_custom *scratch;
	const struct rf_custom_plan *plan;
	struct rf_custom_state *state;
};

static __always_inline __u64 custom__extend(__u64 value, __s8 size)
{
	__u32 shift = (64 - 8 * (size < 0 ? -size : size)) & 63;

	value <<= shift;
	return size < 0 ? (__u64)((__s64)value >> shift) : value >> shift;
}

/* Memory that the process has not touched yet is not resident: a sleepable program waits for it. */
static __always_inline long custom__read(void *to, __u32 size, __u64 from, bool kernel, bool sleeps)
{
	if (kernel)
		return bpf_probe_read_kernel(to, size, (const void *)from);
	if (!bpf_probe_read_user(to, size, (const void *)from))
		return 0;
	return sleeps ? bpf_copy_from_user(to, size, (const void *)from) : -1;
}

/* Makes a string resident. It spans two pages at most, and its end is not known before. */
static __always_inline void custom__touch(__u64 from)
{
	__u64 next = (from | (CUSTOM_PAGE - 1)) + 1;
	__u8 byte;

	bpf_copy_from_user(&byte, sizeof(byte), (const void *)from);
	if (next - from <= RF_PROBE_BYTES_MAX)
		bpf_copy_from_user(&byte, sizeof(byte), (const void *)next);
}

static __always_inline long custom__read_string(char *to, __u32 size, __u64 from, bool kernel, bool sleeps)
{
	long bytes;

	if (kernel)
		return bpf_probe_read_kernel_str(to, size, (const void *)from);
	bytes = kernel__read_user_string(to, size, (const void *)from);
	if (bytes >= 0 || !sleeps)
		return bytes;
	custom__touch(from);
	return kernel__read_user_string(to, size, (const void *)from);
}

/* Reads the start of an argument. The context's own bytes are in kernel memory. */
static __always_inline long custom__begin(struct rf_scratch_custom *scratch, const struct rf_custom_fetch *fetch, __u64 *value)
{
	__u64 at = RF_READ_ONCE(scratch->context) + fetch->at;
	__u32 location = 0;
	long error;

	scratch->available = ~0ULL;
	switch (fetch->source) {
	case RF_CUSTOM_CONSTANT:
		*value = fetch->constant;
		return 0;
	case RF_CUSTOM_CONTEXT:
		error = bpf_probe_read_kernel(value, sizeof(*value), (const void *)at);
		*value = custom__extend(*value, fetch->size);
		return error;
	case RF_CUSTOM_INLINE:
		*value = at;
		return 0;
	default:
		error = bpf_probe_read_kernel(&location, sizeof(location), (const void *)at);
		*value = RF_READ_ONCE(scratch->context) + (location & 0xffff);
		scratch->available = location >> 16;
		return error;
	}
}

static __always_inline long custom__follow(const struct rf_custom_fetch *fetch, __u64 *value, bool sleeps)
{
	bool kernel = fetch->kernel;

#pragma unroll
	for (int step = 0; step < CUSTOM_STEPS_MAX; step++) {
		__s8 size = fetch->sizes[step];
		__u32 bytes = size < 0 ? -size : size;
		__u64 word = 0;

		if (step >= fetch->steps)
			break;
		rf_barrier(bytes);
		if (bytes > sizeof(word) || custom__read(&word, bytes, *value + fetch->offsets[step], kernel, sleeps))
			return -1;
		*value = custom__extend(word, size);
	}
	*value += fetch->offset;
	return 0;
}

/* Returns the bytes read to `to`, including a string's NUL; negative: none. */
static __always_inline long custom__read_text(struct rf_scratch_custom *scratch, const struct rf_custom_fetch *fetch, char *to, __u64 from,
					      __u64 *length, bool sleeps)
{
	__u32 size = fetch->maximum;
	__u64 of = fetch->length_of - 1;

	*length = fetch->source == RF_CUSTOM_DATA_LOC && !fetch->steps ? scratch->available : size;
	rf_barrier(of);
	if (fetch->length_of) {
		__s64 declared = scratch->values[of & (RF_PROBE_ARGUMENTS_MAX - 1)];

		*length = declared > 0 ? declared : 0;
	}
	if (!fetch->steps && *length > scratch->available)
		*length = scratch->available;
	if (*length < size)
		size = *length;
	rf_barrier(size);
	if (size > RF_PROBE_BYTES_MAX + 1)
		size = RF_PROBE_BYTES_MAX + 1;
	if (fetch->type == RF_TYPE_STRING)
		return custom__read_string(to, size, from, fetch->kernel, sleeps);
	return custom__read(to, size, from, fetch->kernel, sleeps) ? -1 : (long)size;
}

static __always_inline void custom__append_text(struct rf_scratch_custom *scratch, const struct rf_custom_fetch *fetch,
						struct rf_probe_argument *argument, __u64 from, bool sleeps)
{
	__u32 end = scratch->end + sizeof(*argument);
	__u64 length = 0;
	long size;

	rf_barrier(end);
	if (end > RF_SMALL_RECORD_MAX - RF_PROBE_BYTES_MAX - 1)
		return;
	size = custom__read_text(scratch, fetch, scratch->record + end, from, &length, sleeps);
	argument->failed = size < 0 || size > RF_PROBE_BYTES_MAX + 1;
	if (argument->failed)
		return;
	argument->kept = size;
	argument->value = length;
	if (fetch->type != RF_TYPE_STRING)
		return;
	/* the rest of a cut string was not counted */
	argument->value = size == fetch->maximum ? size : size - 1;
	argument->kept = size ? size - 1 : 0;
}

static __always_inline long custom__append(__u32 index, struct custom_loop *loop, bool sleeps)
{
	struct rf_scratch_custom *scratch = loop->scratch;
	const struct rf_custom_fetch *fetch;
	struct rf_probe_argument argument = {};
	__u32 end = scratch->end;
	__u64 value = 0;

	if (index >= RF_PROBE_ARGUMENTS_MAX || index >= loop->plan->arguments)
		return 1;
	fetch = &loop->plan->fetches[index];
	argument.type = fetch->type;
	__builtin_memcpy(argument.name, fetch->name, sizeof(argument.name));
	argument.failed = custom__begin(scratch, fetch, &value) || custom__follow(fetch, &value, sleeps);
	if (!argument.failed) {
		if (fetch->type >= RF_TYPE_STRING)
			custom__append_text(scratch, fetch, &argument, value, sleeps);
		else
			argument.value = custom__extend(value, fetch->as);
	}
	scratch->values[index] = argument.failed ? 0 : argument.value;
	if (argument.failed)
		__sync_fetch_and_add(&loop->state->faults, 1);
	rf_barrier(end);
	if (end > RF_SMALL_RECORD_MAX - sizeof(argument))
		return 1;
	bpf_probe_read_kernel(scratch->record + end, sizeof(argument), &argument);
	scratch->end = end + sizeof(argument) + argument.kept;
	return 0;
}

static long custom__append_user(__u32 index, struct custom_loop *loop)
{
	return custom__append(index, loop, true);
}

static long custom__append_tracepoint(__u32 index, struct custom_loop *loop)
{
	return custom__append(index, loop, false);
}

static __always_inline bool custom__is_over(struct rf_custom_state *state, const struct rf_custom_plan *plan)
{
	__u64 now = bpf_ktime_get_boot_ns();

	if (now - state->second >= CUSTOM_SECOND) {
		state->second = now;
		state->second_hits = 0;
	}
	return __sync_fetch_and_add(&state->second_hits, 1) >= plan->per_second;
}

static __always_inline void custom__fill(struct rf_scratch_custom *scratch, const struct rf_custom_plan *plan)
{
	struct rf_probe *r = (struct rf_probe *)scratch->record;
	__u32 length = plan->name_length;

	task__fill_header(&r->h, bpf_get_current_task_btf(), RF_PROBE);
	r->place = plan->place;
	r->source_caller = plan->source_caller;
	rf_barrier(length);
	if (length > RF_PROBE_NAME_MAX)
		length = RF_PROBE_NAME_MAX;
	r->name.offset = sizeof(*r);
	r->name.kept = length;
	r->name.length = length;
	bpf_probe_read_kernel(scratch->record + sizeof(*r), length, plan->name);
	r->arguments.offset = sizeof(*r) + length;
	scratch->end = r->arguments.offset;
}

static __always_inline void custom__emit(void *context, const struct rf_custom_plan *plan, struct rf_custom_state *state, bool user)
{
	struct rf_scratch_custom *scratch = scratch__acquire(&rf_scratch_cst, 2 * ring__cpu() + user, RF_LANE_BULK, RF_PROBE);
	struct custom_loop loop = { .scratch = scratch, .plan = plan, .state = state };
	struct rf_probe *r;

	if (!scratch) {
		__sync_fetch_and_add(&state->lost, 1);
		return;
	}
	*(volatile __u64 *)&scratch->context = (__u64)context;
	custom__fill(scratch, plan);
	if (user)
		bpf_loop(RF_PROBE_ARGUMENTS_MAX, custom__append_user, &loop, 0);
	else
		bpf_loop(RF_PROBE_ARGUMENTS_MAX, custom__append_tracepoint, &loop, 0);
	r = (struct rf_probe *)scratch->record;
	r->arguments.kept = scratch->end - r->arguments.offset;
	r->arguments.length = r->arguments.kept;
	if (!ring__output(RF_LANE_BULK, scratch->record, scratch->end, RF_SMALL_RECORD_MAX))
		__sync_fetch_and_add(&state->lost, 1);
	scratch__release(scratch);
}

static __always_inline int custom__fire(void *context, bool user)
{
	__u32 index = bpf_get_attach_cookie(context);
	const struct rf_custom_plan *plan = bpf_map_lookup_elem(&rf_custom_plans, &index);
	struct rf_custom_state *state;

	if (!plan)
		return 0;
	if (task__is_agent(bpf_get_current_task_btf())) {
		ring__count_skipped(RF_LANE_BULK, RF_PROBE, RF_DROP_SELF);
		return 0;
	}
	index = plan->probe;
	state = bpf_map_lookup_elem(&rf_custom_states, &index);
	if (!state)
		return 0;
	ring__count_seen(RF_LANE_BULK, RF_PROBE);
	__sync_fetch_and_add(&state->hits, 1);
	if (custom__is_over(state, plan)) {
		__sync_fetch_and_add(&state->limited, 1);
		ring__count_drop(RF_LANE_BULK, RF_PROBE, RF_DROP_PROBE_RATE);
		return 0;
	}
	if (share__throttles(RF_LANE_BULK, RF_PROBE, kernel__cgroup(bpf_get_current_task_btf()))) {
		__sync_fetch_and_add(&state->lost, 1);
		return 0;
	}
	custom__emit(context, plan, state, user);
	return 0;
}

/* Functions, their returns, and USDT. Sleepable: see custom__read. */
SEC("uprobe.s")
int custom_user(struct pt_regs *context)
{
	return custom__fire(context, true);
}

SEC("tracepoint")
int custom_tracepoint(void *context)
{
	return custom__fire(context, false);
}
