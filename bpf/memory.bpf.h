/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Memory becomes executable that is, or was, writable; or a file in memory only is made. At the end of the system
 * calls; the protection is in the registers, and most calls request none of interest. Just-in-time compilers do this
 * without end, so of a process's equal calls (operation, protection, file, outcome) at most one a second is sent. */
#include "lib/merge.h"
#include "lib/path.h"
#include "lib/syscall.h"

#define MEMORY_RECORD_MAX RF_SMALL_RECORD_MAX
#define MEMORY_WRITE_EXEC (PROT_WRITE | PROT_EXEC)

struct memory {
	__u64 address;
	__u64 length;
	struct file *file; /* 0: none */
	const char *name;  /* for a failed memfd_create, in the caller's memory */
	__u32 operation;
	__s32 result;
	__u32 protection;
	__u32 flags;
};

static __always_inline void memory__fill(struct rf_memory *m, const struct memory *memory, struct task_struct *task, __u32 count)
{
	struct file *file = memory->file;
	struct inode *inode = file ? BPF_CORE_READ(file, f_inode) : 0;

	task__fill_header(&m->h, task, RF_MEMORY);
	m->address = memory->address;
	m->length = memory->length;
	m->inode = inode ? BPF_CORE_READ(inode, i_ino) : 0;
	m->device = inode ? BPF_CORE_READ(inode, i_sb, s_dev) : 0;
	m->operation = memory->operation;
	m->result = memory->result;
	m->protection = memory->protection;
	m->flags = memory->flags;
	/* the file came from a descriptor */
	m->source_caller = memory->name || (memory->file && memory->operation != RF_MEMORY_MPROTECT && task__shares_files(task));
	m->count = count;
}

static __always_inline void memory__send(struct rf_scratch_small *scratch, const struct memory *memory, struct task_struct *task, __u32 count)
{
	struct rf_builder b = { .record = scratch->record, .end = sizeof(struct rf_memory) };
	struct rf_memory *m = (struct rf_memory *)scratch->record;
	struct file *file = memory->file;

	memory__fill(m, memory, task, count);
	text__clear(&b, &m->path);
	if (file)
		path__append_new(&b, MEMORY_RECORD_MAX, &m->path, &scratch->path, kernel__read(file, f_path.mnt), kernel__read(file, f_path.dentry));
	else if (memory->name)
		text__append_string(&b, MEMORY_RECORD_MAX, &m->path, TEXT_USER, memory->name);
	text__count_faults(&b, RF_LANE_BULK);
	ring__output(RF_LANE_BULK, b.record, b.end, RF_SMALL_RECORD_MAX);
}

/* Each memfd is a new file, so its inode must not be part of the merge key. */
static __always_inline __u64 memory__file_number(const struct memory *memory)
{
	/* a local: CO-RE must not see a struct that the kernel does not have */
	struct file *file = memory->file;

	return file && memory->operation != RF_MEMORY_MEMFD_CREATE ? BPF_CORE_READ(file, f_inode, i_ino) : 0;
}

static __noinline int memory__report(const struct memory *memory)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_scratch_small *scratch;
	struct rf_merge_key key;
	__u32 count;

	if (!interest__admits(RF_LANE_BULK, RF_MEMORY))
		return 0;
	ring__count_seen(RF_LANE_BULK, RF_MEMORY);
	if (task__is_agent(task)) {
		ring__count_drop(RF_LANE_BULK, RF_MEMORY, RF_DROP_SELF);
		return 0;
	}
	merge__fill_key(&key, task, RF_MEMORY,
			(__u64)(__u32)(memory->result < 0 ? memory->result : 0) << 32 | memory->operation << 16 | (memory->protection & 0xffff),
			memory__file_number(memory));
	count = merge__admit(RF_LANE_BULK, &key, false);
	if (!count)
		return 0;
	scratch = scratch__acquire(&rf_scratch_bulk, ring__cpu(), RF_LANE_BULK, RF_MEMORY);
	if (!scratch)
		return 0;
	memory__send(scratch, memory, task, count);
	scratch__release(scratch);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_memfd_create")
int memfd_create_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct memory memory = { .operation = RF_MEMORY_MEMFD_CREATE, .result = syscall__result(context), .flags = PT_REGS_PARM2_SYSCALL(registers) };

	if (memory.result >= 0)
		memory.file = file__of_descriptor(task, memory.result);
	if (!memory.file)
		memory.name = (const char *)PT_REGS_PARM1_SYSCALL(registers);
	return memory__report(&memory);
}

static __always_inline bool memory__is_address(long result)
{
	return result >= 0 || result < -4095;
}

SEC("tracepoint/syscalls/sys_exit_mmap")
int mmap_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	__u32 protection = PT_REGS_PARM3_SYSCALL(registers);
	struct memory memory = { .operation = RF_MEMORY_MMAP, .protection = protection };
	long result;

	if ((protection & MEMORY_WRITE_EXEC) != MEMORY_WRITE_EXEC)
		return 0;
	memory.length = PT_REGS_PARM2_SYSCALL(registers);
	memory.flags = PT_REGS_PARM4_SYSCALL(registers);
	result = syscall__result(context);
	if (memory__is_address(result)) {
		memory.address = result;
	} else {
		memory.address = PT_REGS_PARM1_SYSCALL(registers);
		memory.result = result;
	}
	if (!(memory.flags & MAP_ANONYMOUS))
		memory.file = file__of_descriptor(task, PT_REGS_PARM5_SYSCALL(registers));
	return memory__report(&memory);
}

struct memory_mapping {
	struct file *file;
	__u32 written; /* 1: a private page was written, or there is no file */
};

static long memory__inspect(struct task_struct *task, struct vm_area_struct *vma, struct memory_mapping *mapping)
{
	mapping->file = BPF_CORE_READ(vma, vm_file);
	mapping->written = !mapping->file || BPF_CORE_READ(vma, anon_vma) || !BPF_CORE_READ(vma, vm_file, f_inode, i_nlink);
	return 0;
}

/* Looks the mapping up only if execution was requested. If it
 * is not found, the call is reported, since it may be any. */
static __always_inline int memory__protected(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	__u32 protection = PT_REGS_PARM3_SYSCALL(registers);
	struct memory memory = { .operation = RF_MEMORY_MPROTECT, .protection = protection, .result = syscall__result(context) };
	struct memory_mapping mapping = {};

	if (!(protection & PROT_EXEC) || !interest__admits(RF_LANE_BULK, RF_MEMORY))
		return 0;
	memory.address = PT_REGS_PARM1_SYSCALL(registers);
	memory.length = PT_REGS_PARM2_SYSCALL(registers);
	if (bpf_find_vma(task, memory.address, memory__inspect, &mapping, 0))
		mapping.written = 1;
	if (memory.result >= 0 && !mapping.written && !(protection & PROT_WRITE)) {
		ring__count_skipped(RF_LANE_BULK, RF_MEMORY, RF_DROP_UNWATCHED);
		return 0;
	}
	memory.file = mapping.file;
	return memory__report(&memory);
}

SEC("tracepoint/syscalls/sys_exit_mprotect")
int mprotect_exit(void *context)
{
	return memory__protected(context);
}

SEC("tracepoint/syscalls/sys_exit_pkey_mprotect")
int pkey_mprotect_exit(void *context)
{
	return memory__protected(context);
}
