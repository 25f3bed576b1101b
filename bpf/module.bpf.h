/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A kernel module is loaded or unloaded, or fails to be, at the end of the system call. Only
 * the tracepoints module_load and module_free, which run inside the call, have the module's own
 * name. Without them (the load failed earlier, or the kernel has none) the name is the file's
 * or the caller's. A kernel built without modules has neither these calls nor the tracepoints. */
#include "lib/syscall.h"
#include "lib/task.h"

#define MODULE_NAME_MAX 64
#define MODULE_PARAMETERS_MAX 4096

/* A kernel without modules may lack the type. */
struct module___named {
	char name[MODULE_NAME_MAX];
	unsigned long taints;
} __attribute__((preserve_access_index));

static __always_inline int module__remember(struct module___named *module)
{
	struct rf_module_seen seen = {};
	__u64 key = bpf_get_current_pid_tgid();

	if (!bpf_core_field_exists(module->name) || !bpf_core_field_exists(module->taints))
		return 0;
	bpf_probe_read_kernel_str(seen.name, sizeof(seen.name), (void *)module + bpf_core_field_offset(module->name));
	seen.taints = BPF_CORE_READ(module, taints);
	failure__check(RF_PLACE_MODULES_SEEN, bpf_map_update_elem(&rf_modules_seen, &key, &seen, BPF_ANY));
	return 0;
}

/* raw_tp and not tp_btf: where the kernel lacks the hook, only the hook is missing, and the object still loads. */
SEC("raw_tp/module_load")
int module_loaded(struct bpf_raw_tracepoint_args *context)
{
	return module__remember((struct module___named *)context->args[0]);
}

SEC("raw_tp/module_free")
int module_freed(struct bpf_raw_tracepoint_args *context)
{
	return module__remember((struct module___named *)context->args[0]);
}

static __always_inline void module__append_file_name(struct rf_builder *b, struct rf_module *m, struct file *file)
{
	char name[MODULE_NAME_MAX] = {};
	struct qstr whole = {};
	__u32 size;

	if (!path__last_name(kernel__read(file, f_path.mnt), kernel__read(file, f_path.dentry), &whole))
		return;
	size = whole.len < MODULE_NAME_MAX ? whole.len : MODULE_NAME_MAX;
	rf_barrier(size);
	if (size > MODULE_NAME_MAX || bpf_probe_read_kernel(name, size, whole.name))
		return;
	for (__u32 at = 1; at < MODULE_NAME_MAX - 2; at++)
		if (name[at] == '.' && name[at + 1] == 'k' && name[at + 2] == 'o') {
			size = at;
			break;
		}
	m->name_source = RF_MODULE_NAME_FILE;
	text__append(b, RF_RECORD_MAX, &m->name, TEXT_KERNEL, name, size, MODULE_NAME_MAX, size);
}

static __always_inline void module__append_file(struct rf_builder *b, struct rf_module *m, struct rf_path_work *work, struct file *file)
{
	struct inode *inode = kernel__read(file, f_inode);
	struct super_block *super = kernel__read(inode, i_sb);

	m->inode = kernel__read(inode, i_ino);
	m->device = kernel__read(super, s_dev);
	path__append_new(b, RF_RECORD_MAX, &m->path, work, kernel__read(file, f_path.mnt), kernel__read(file, f_path.dentry));
}

struct module_request {
	struct file *file;      /* finit_module */
	const char *parameters; /* of a load, in the caller's memory */
	const char *name;       /* of an unload, in the caller's memory */
	__u32 operation;
	__u32 from_memory;
	__u32 flags;
	__s32 result;
};

static __always_inline void module__append_name(struct rf_builder *b, struct rf_module *m, const struct module_request *request)
{
	__u64 key = bpf_get_current_pid_tgid();
	struct rf_module_seen *seen = bpf_map_lookup_elem(&rf_modules_seen, &key);

	text__clear(b, &m->name);
	if (seen) {
		m->taints = seen->taints;
		m->name_source = RF_MODULE_NAME_KERNEL;
		text__append_string(b, RF_RECORD_MAX, &m->name, TEXT_KERNEL, seen->name);
		bpf_map_delete_elem(&rf_modules_seen, &key);
	} else if (request->name) {
		m->name_source = RF_MODULE_NAME_CALLER;
		text__append_string(b, RF_RECORD_MAX, &m->name, TEXT_USER, request->name);
	} else if (request->file) {
		module__append_file_name(b, m, request->file);
	}
}

static __noinline int module__report(const struct module_request *request)
{
	struct rf_builder b = { .end = sizeof(struct rf_module) };
	struct rf_scratch_big *scratch;
	struct rf_module *m;

	if (!interest__admits(RF_LANE_SECURITY, RF_MODULE))
		return 0;
	ring__count_seen(RF_LANE_SECURITY, RF_MODULE);
	scratch = scratch__acquire(&rf_scratch_sec, ring__cpu(), RF_LANE_SECURITY, RF_MODULE);
	if (!scratch)
		return 0;
	b.record = scratch->record;
	b.slim = byte_share__slims(RF_LANE_SECURITY);
	m = (struct rf_module *)scratch->record;
	task__fill_header(&m->h, bpf_get_current_task_btf(), RF_MODULE);
	m->inode = 0;
	m->device = 0;
	m->operation = request->operation;
	m->result = request->result;
	m->flags = request->flags;
	m->from_memory = request->from_memory;
	m->taints = 0;
	m->name_source = RF_MODULE_NAME_NONE;
	text__clear(&b, &m->path);
	text__clear(&b, &m->parameters);
	module__append_name(&b, m, request);
	if (request->file)
		module__append_file(&b, m, &scratch->path, request->file);
	if (request->parameters) {
		text__append_string(&b, RF_RECORD_MAX, &m->parameters, TEXT_USER, request->parameters);
		text__slim(&b, RF_RECORD_MAX, &m->parameters);
	}
	text__count_faults(&b, RF_LANE_SECURITY);
	ring__output(RF_LANE_SECURITY, m, b.end, RF_RECORD_MAX);
	scratch__release(scratch);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_init_module")
int init_module_exit(void *context)
{
	struct pt_regs *registers = task__registers(bpf_get_current_task_btf());
	struct module_request request = {
		.parameters = (const char *)PT_REGS_PARM3_CORE_SYSCALL(registers),
		.operation = RF_OPERATION_MODULE_LOAD,
		.from_memory = 1,
		.result = syscall__result(context),
	};

	return module__report(&request);
}

SEC("tracepoint/syscalls/sys_exit_finit_module")
int finit_module_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct module_request request = {
		.file = file__of_descriptor(task, PT_REGS_PARM1_CORE_SYSCALL(registers)),
		.parameters = (const char *)PT_REGS_PARM2_CORE_SYSCALL(registers),
		.operation = RF_OPERATION_MODULE_LOAD,
		.flags = PT_REGS_PARM3_CORE_SYSCALL(registers),
		.result = syscall__result(context),
	};

	return module__report(&request);
}

SEC("tracepoint/syscalls/sys_exit_delete_module")
int delete_module_exit(void *context)
{
	struct pt_regs *registers = task__registers(bpf_get_current_task_btf());
	struct module_request request = {
		.name = (const char *)PT_REGS_PARM1_CORE_SYSCALL(registers),
		.operation = RF_OPERATION_MODULE_UNLOAD,
		.flags = PT_REGS_PARM2_CORE_SYSCALL(registers),
		.result = syscall__result(context),
	};

	return module__report(&request);
}
