/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Tampering with the agent is stored in a map that outlives it, so that a full ring
 * loses none of it. Newer entries overwrite older ones: otherwise an attacker could fill
 * the map before the tampering. What a process repeats within a second is only counted. */
#ifndef RF_LIB_TAMPERING_H
#define RF_LIB_TAMPERING_H

#include "merge.h"

/* The affected process: bits above the operation's. */
enum tampering_victim {
	TAMPERING_NONE = 0,
	TAMPERING_AGENT = 1 << 8,
	TAMPERING_PARTNER = 2 << 8,
};
#define TAMPERING_OPERATION 0xff

static __always_inline bool tampering__is_agent(__u32 tgid, __u64 start)
{
	return tgid && tgid == RF_READ_ONCE(rf_control.agent_tgid) && start == RF_READ_ONCE(rf_control.agent_start);
}

static __always_inline enum tampering_victim tampering__victim(__u32 tgid, __u64 start)
{
	if (tampering__is_agent(tgid, start))
		return TAMPERING_AGENT;
	if (tgid && tgid == RF_READ_ONCE(rf_control.partner_tgid) && start == RF_READ_ONCE(rf_control.partner_start))
		return TAMPERING_PARTNER;
	return TAMPERING_NONE;
}

static __always_inline struct rf_tampering_entry *tampering__entry(__u64 number)
{
	__u32 index = number % RF_TAMPERINGS;

	return bpf_map_lookup_elem(&rf_tamperings, &index);
}

/* Returns true if the last entry is the same tampering by the same process within a second. Counts it there. */
static __always_inline bool tampering__repeats(struct task_struct *task, __u32 victim_tgid, __u32 operation, __u32 detail, __u32 request, __s32 result)
{
	__u64 number = RF_READ_ONCE(rf_tampered);
	struct rf_tampering_entry *last = number ? tampering__entry(number) : 0;
	struct rf_tampering *r;

	if (!last)
		return false;
	r = &last->record;
	if (r->h.sequence != number || r->h.tgid != task->tgid || r->h.start != kernel__start(task) ||
	    r->victim_tgid != victim_tgid || r->operation != operation || r->detail != detail || r->request != request || r->result != result ||
	    bpf_ktime_get_boot_ns() - r->h.ktime > MERGE_NS)
		return false;
	__sync_fetch_and_add(&r->count, 1);
	return true;
}

static __always_inline void tampering__set_text(struct rf_text *text, __u32 offset, long length, __u32 max)
{
	/* the kernel's helpers count the NUL */
	__u32 kept = length > 0 && length <= max ? length - 1 : 0;

	text->offset = offset;
	text->kept = kept;
	text->length = kept;
}

/* Stores the name alone: a path would need the scratch buffer that an event may be using. */
static __always_inline void tampering__fill_executable(struct rf_tampering_entry *e, struct task_struct *task)
{
	const unsigned char *name = BPF_CORE_READ(task, mm, exe_file, f_path.dentry, d_name.name);
	long length = name ? bpf_probe_read_kernel_str(e->executable, sizeof(e->executable), name) : 0;

	tampering__set_text(&e->record.executable, offsetof(struct rf_tampering_entry, executable), length, sizeof(e->executable));
}

static __always_inline void tampering__fill_program(struct rf_tampering_entry *e, const struct rf_own_link *link)
{
	long length = link ? bpf_probe_read_kernel_str(e->program, sizeof(e->program), link->program) : 0;

	tampering__set_text(&e->record.program, offsetof(struct rf_tampering_entry, program), length, sizeof(e->program));
}

/* The number is written last: an entry with another number is being written. Takes five arguments rather than a
 * struct, since callers are short of stack. `action`: an operation and its victim. `link`: 0 if none is involved. */
static __noinline int tampering__record(__u32 action, __u32 detail, __u32 request, __s32 result, const struct rf_own_link *link)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool partner = action & TAMPERING_PARTNER;
	__u32 victim_tgid = partner ? RF_READ_ONCE(rf_control.partner_tgid) : RF_READ_ONCE(rf_control.agent_tgid);
	__u32 operation = action & TAMPERING_OPERATION;
	struct rf_tampering_entry *e;
	struct rf_tampering *r;
	__u64 number;
	long length;

	if (tampering__repeats(task, victim_tgid, operation, detail, request, result))
		return 0;
	number = __sync_fetch_and_add(&rf_tampered, 1) + 1;
	e = tampering__entry(number);
	if (!e)
		return 0;
	r = &e->record;
	task__fill_header(&r->h, task, RF_TAMPERING);
	r->victim_start = partner ? RF_READ_ONCE(rf_control.partner_start) : RF_READ_ONCE(rf_control.agent_start);
	r->victim_tgid = victim_tgid;
	r->operation = operation;
	r->detail = detail;
	r->request = request;
	r->result = result;
	r->uid = kernel__plain(task)->cred->uid.val;
	r->count = 1;
	tampering__fill_program(e, link);
	tampering__fill_executable(e, task);
	length = bpf_probe_read_kernel_str(e->command, sizeof(e->command), task->comm);
	tampering__set_text(&r->command, offsetof(struct rf_tampering_entry, command), length, sizeof(e->command));
	r->h.size = sizeof(*e);
	__sync_lock_test_and_set(&r->h.sequence, number);
	return 0;
}

#endif
