/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A mount or a task's root changes, or fails to, at the end of the
 * system call. All of these events are sent, as they are rare. */
#include "lib/request.h"
#include "lib/syscall.h"
#include "lib/kernel_copy.h"

#define MOUNT_RECORD_MAX RF_RECORD_MAX

#define MS_REMOUNT 32
#define MS_BIND 4096
#define MS_MOVE 8192
#define MS_PROPAGATION (1 << 17 | 1 << 18 | 1 << 19 | 1 << 20)
#define OPEN_TREE_CLONE 1
#define MOVE_MOUNT_F_EMPTY_PATH 4
#define MOVE_MOUNT_T_EMPTY_PATH 0x40

/* The record of a mount change, while it is assembled. */
struct mount_builder {
	struct rf_builder b;
	struct rf_mount_change *m;
	struct rf_path_work *path;
	struct task_struct *task;
	struct rf_kernel_copy *copy;
};

static __always_inline bool mount__begin(struct mount_builder *mb, struct task_struct *task, enum rf_mount_operation operation, __s32 result,
					 __u32 flags)
{
	struct rf_scratch_big *scratch;
	struct rf_mount_change *m;

	mb->copy = kernel_copy__take(task);
	if (!interest__admits(RF_LANE_SECURITY, RF_MOUNT_CHANGE))
		return false;
	ring__count_seen(RF_LANE_SECURITY, RF_MOUNT_CHANGE);
	scratch = scratch__acquire(&rf_scratch_sec, ring__cpu(), RF_LANE_SECURITY, RF_MOUNT_CHANGE);
	if (!scratch)
		return false;
	m = (struct rf_mount_change *)scratch->record;
	mb->b.record = scratch->record;
	mb->b.end = sizeof(*m);
	mb->b.faults = 0;
	mb->b.slim = byte_share__slims(RF_LANE_SECURITY);
	mb->m = m;
	mb->path = &scratch->path;
	mb->task = task;
	task__fill_header(&m->h, task, RF_MOUNT_CHANGE);
	m->operation = operation;
	m->result = result;
	m->flags = flags;
	m->source_caller = !mb->copy;
	m->attributes = 0;
	m->cleared = 0;
	text__clear(&mb->b, &m->source);
	text__clear(&mb->b, &m->target);
	text__clear(&mb->b, &m->filesystem);
	text__clear(&mb->b, &m->options);
	return true;
}

static __always_inline int mount__end(struct mount_builder *mb)
{
	struct rf_scratch_big *scratch = (void *)mb->m - __builtin_offsetof(struct rf_scratch_big, record);

	text__count_faults(&mb->b, RF_LANE_SECURITY);
	ring__output(RF_LANE_SECURITY, mb->m, mb->b.end, RF_RECORD_MAX);
	scratch__release(scratch);
	return 0;
}

/* `stored`: the text in the kernel's copy, if there is one. */
static __always_inline void mount__append_text(struct mount_builder *mb, struct rf_text *text, const struct rf_text *stored, const void *from)
{
	if (mb->copy)
		kernel_copy__append(&mb->b, MOUNT_RECORD_MAX, text, mb->copy, stored);
	else if (from)
		text__append_string(&mb->b, MOUNT_RECORD_MAX, text, TEXT_USER, from);
	text__slim(&mb->b, MOUNT_RECORD_MAX, text);
}

static __always_inline void mount__append_kernel_path(struct mount_builder *mb, struct rf_text *text, struct file *file)
{
	path__append_new(&mb->b, MOUNT_RECORD_MAX, text, mb->path, kernel__read(file, f_path.mnt), kernel__read(file, f_path.dentry));
}

/* Appends the path of the text, or the kernel's path of the descriptor if there is no text. */
static __always_inline void mount__append_path(struct mount_builder *mb, struct rf_text *text, const struct request_path *request)
{
	struct file *file = request__file(mb->task, request);

	if (file)
		mount__append_kernel_path(mb, text, file);
	else
		request__append(&mb->b, MOUNT_RECORD_MAX, text, mb->path, request);
	text__slim(&mb->b, MOUNT_RECORD_MAX, text);
}

/* Appends a path from the kernel's copy, or else the path in the call. */
static __always_inline void mount__append_stored_path(struct mount_builder *mb, struct rf_text *text, const struct rf_text *stored,
						      const struct request_path *request)
{
	if (mb->copy)
		kernel_copy__append(&mb->b, MOUNT_RECORD_MAX, text, mb->copy, stored);
	else
		mount__append_path(mb, text, request);
}

/* Appends device and type of the mounted file system, from the kernel. */
static __always_inline void mount__append_mounted(struct mount_builder *mb, struct file *file)
{
	struct vfsmount *vfsmount = kernel__read(file, f_path.mnt);
	struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
	struct super_block *super = kernel__read(vfsmount, mnt_sb);
	struct file_system_type *type = kernel__read(super, s_type);

	text__append_string(&mb->b, MOUNT_RECORD_MAX, &mb->m->source, TEXT_KERNEL, kernel__read(mount, mnt_devname));
	text__append_string(&mb->b, MOUNT_RECORD_MAX, &mb->m->filesystem, TEXT_KERNEL, kernel__read(type, name));
}

static __always_inline void mount__fill_attributes(struct mount_builder *mb, const void *from, __u64 size)
{
	__u64 words[2] = {}; /* attr_set, attr_clr of struct mount_attr */

	if (size < sizeof(words) || !from)
		return;
	if (failure__check(RF_PLACE_ARGUMENT, bpf_probe_read_user(words, sizeof(words), from)))
		mb->b.faults++;
	mb->m->attributes = words[0];
	mb->m->cleared = words[1];
}

/* True for file systems whose options contain passwords (cifs, smb). Reads
 * the type from the kernel's copy, or else from the caller's `filesystem`. */
static __always_inline bool mount__has_secrets(struct mount_builder *mb, const char *filesystem)
{
	const struct rf_text *stored = &mb->copy->filesystem;
	char name[3] = {};

	if (!mb->copy)
		bpf_probe_read_user(name, sizeof(name), filesystem);
	else if (stored->offset <= RF_KERNEL_COPY_MAX - sizeof(name) && stored->kept >= sizeof(name))
		bpf_probe_read_kernel(name, sizeof(name), mb->copy->text + stored->offset);
	return (name[0] == 'c' && name[1] == 'i' && name[2] == 'f') || (name[0] == 's' && name[1] == 'm' && name[2] == 'b');
}

/* The kernel looks a bind or move source up after the hook, so it is always the caller's text. */
static __always_inline void mount__append_source(struct mount_builder *mb, struct pt_regs *registers, __u32 flags)
{
	struct request_path source = request__at(AT_FDCWD, PT_REGS_PARM1_SYSCALL(registers));

	if (flags & (MS_BIND | MS_MOVE) && !(flags & MS_REMOUNT)) {
		mount__append_path(mb, &mb->m->source, &source);
		mb->m->source_caller = 1;
	} else if (!(flags & (MS_REMOUNT | MS_PROPAGATION))) {
		mount__append_text(mb, &mb->m->source, &mb->copy->target, source.text);
		mount__append_text(mb, &mb->m->filesystem, &mb->copy->filesystem, (const char *)PT_REGS_PARM3_SYSCALL(registers));
	}
}

#define MOUNT_ARGUMENT(n) PT_REGS_PARM##n##_SYSCALL(registers)
#define MOUNT_TEXT(n) ((const char *)MOUNT_ARGUMENT(n))

SEC("tracepoint/syscalls/sys_exit_mount")
int mount_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct request_path target = request__at(AT_FDCWD, MOUNT_ARGUMENT(2));
	__u32 flags = MOUNT_ARGUMENT(4);
	struct mount_builder mb;

	if (!mount__begin(&mb, task, RF_MOUNT_MOUNT, syscall__result(context), flags))
		return 0;
	mount__append_stored_path(&mb, &mb.m->target, &mb.copy->path, &target);
	mount__append_source(&mb, registers, flags);
	if (!mount__has_secrets(&mb, MOUNT_TEXT(3)))
		mount__append_text(&mb, &mb.m->options, &mb.copy->options, MOUNT_TEXT(5));
	return mount__end(&mb);
}

/* umount2 */
SEC("tracepoint/syscalls/sys_exit_umount")
int umount_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct request_path target = request__at(AT_FDCWD, MOUNT_ARGUMENT(1));
	struct mount_builder mb;

	if (!mount__begin(&mb, task, RF_MOUNT_UMOUNT, syscall__result(context), MOUNT_ARGUMENT(2)))
		return 0;
	mount__append_stored_path(&mb, &mb.m->target, &mb.copy->path, &target);
	return mount__end(&mb);
}

SEC("tracepoint/syscalls/sys_exit_move_mount")
int move_mount_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	__u32 flags = MOUNT_ARGUMENT(5);
	struct request_path from = request__at_or_file(MOUNT_ARGUMENT(1), MOUNT_ARGUMENT(2), flags & MOVE_MOUNT_F_EMPTY_PATH);
	struct request_path to = request__at_or_file(MOUNT_ARGUMENT(3), MOUNT_ARGUMENT(4), flags & MOVE_MOUNT_T_EMPTY_PATH);
	struct file *moved = request__file(task, &from);
	struct mount_builder mb;

	if (!mount__begin(&mb, task, RF_MOUNT_MOVE_MOUNT, syscall__result(context), flags))
		return 0;
	if (moved) { /* its path is already the new one */
		mount__append_mounted(&mb, moved);
		if (task__shares_files(task))
			mb.m->source_caller = 1;
	} else
		mount__append_stored_path(&mb, &mb.m->source, &mb.copy->path, &from);
	mount__append_stored_path(&mb, &mb.m->target, &mb.copy->target, &to);
	return mount__end(&mb);
}

/* After the call the old paths are no longer valid: a relative one is shown from the new root. */
SEC("tracepoint/syscalls/sys_exit_pivot_root")
int pivot_root_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct request_path new_root = request__at(AT_FDCWD, MOUNT_ARGUMENT(1));
	struct request_path put_old = request__at(AT_FDCWD, MOUNT_ARGUMENT(2));
	struct mount_builder mb;

	if (!mount__begin(&mb, task, RF_MOUNT_PIVOT_ROOT, syscall__result(context), 0))
		return 0;
	mount__append_stored_path(&mb, &mb.m->target, &mb.copy->target, &new_root);
	mount__append_stored_path(&mb, &mb.m->source, &mb.copy->path, &put_old);
	return mount__end(&mb);
}

SEC("tracepoint/syscalls/sys_exit_chroot")
int chroot_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct request_path target = request__at(AT_FDCWD, MOUNT_ARGUMENT(1));
	long result = syscall__result(context);
	struct mount_builder mb;

	if (!mount__begin(&mb, task, RF_MOUNT_CHROOT, result, 0))
		return 0;
	if (result) {
		mount__append_stored_path(&mb, &mb.m->target, &mb.copy->path, &target);
	} else {
		struct fs_struct *fs = kernel__plain(task)->fs;

		mb.m->source_caller = 0;
		path__append_new(&mb.b, MOUNT_RECORD_MAX, &mb.m->target, mb.path, fs->root.mnt, fs->root.dentry);
	}
	return mount__end(&mb);
}

static __always_inline int mount__open_tree(struct task_struct *task, struct pt_regs *registers, __s32 result, const void *attributes,
					    __u64 size)
{
	__u32 flags = MOUNT_ARGUMENT(3);
	struct request_path source = request__at_or_file(MOUNT_ARGUMENT(1), MOUNT_ARGUMENT(2), flags & AT_EMPTY_PATH);
	struct mount_builder mb;

	if (!mount__begin(&mb, task, RF_MOUNT_OPEN_TREE, result, flags))
		return 0;
	mount__append_path(&mb, &mb.m->source, &source);
	mount__fill_attributes(&mb, attributes, size);
	return mount__end(&mb);
}

SEC("tracepoint/syscalls/sys_exit_open_tree")
int open_tree_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return mount__open_tree(task, task__registers(task), syscall__result(context), 0, 0);
}

/* since 6.15 */
SEC("tracepoint/syscalls/sys_exit_open_tree_attr")
int open_tree_attr_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);

	return mount__open_tree(task, registers, syscall__result(context), MOUNT_TEXT(4), MOUNT_ARGUMENT(5));
}

SEC("tracepoint/syscalls/sys_exit_fsopen")
int fsopen_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct mount_builder mb;

	if (!mount__begin(&mb, task, RF_MOUNT_FSOPEN, syscall__result(context), MOUNT_ARGUMENT(2)))
		return 0;
	mount__append_text(&mb, &mb.m->filesystem, 0, MOUNT_TEXT(1));
	return mount__end(&mb);
}

SEC("tracepoint/syscalls/sys_exit_fsmount")
int fsmount_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	long result = syscall__result(context);
	struct file *mounted;
	struct mount_builder mb;

	mounted = result < 0 ? 0 : file__of_descriptor(task, result);
	if (!mount__begin(&mb, task, RF_MOUNT_FSMOUNT, result, MOUNT_ARGUMENT(2)))
		return 0;
	mb.m->source_caller = task__shares_files(task);
	mb.m->attributes = MOUNT_ARGUMENT(3);
	if (mounted)
		mount__append_mounted(&mb, mounted);
	return mount__end(&mb);
}

SEC("tracepoint/syscalls/sys_exit_mount_setattr")
int mount_setattr_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	__u32 flags = MOUNT_ARGUMENT(3);
	struct request_path target = request__at_or_file(MOUNT_ARGUMENT(1), MOUNT_ARGUMENT(2), flags & AT_EMPTY_PATH);
	struct mount_builder mb;

	if (!mount__begin(&mb, task, RF_MOUNT_MOUNT_SETATTR, syscall__result(context), flags))
		return 0;
	mount__append_path(&mb, &mb.m->target, &target);
	mount__fill_attributes(&mb, MOUNT_TEXT(4), MOUNT_ARGUMENT(5));
	return mount__end(&mb);
}
