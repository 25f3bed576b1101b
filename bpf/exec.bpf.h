/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A process runs an executable. Runs when the new mm is in place,
 * credentials are committed and close-on-exec descriptors are closed. */
#include "lib/environment.h"
#include "lib/executable.h"
#include "lib/identity.h"
#include "lib/kernel_copy.h"

#define EXEC_RECORD_MAX RF_RECORD_MAX

static __always_inline void exec__fill_fixed(struct rf_exec *e, struct task_struct *task)
{
	struct task_struct *parent = kernel__plain(task)->real_parent->group_leader;

	task__fill_header(&e->h, task, RF_EXEC);
	e->parent_start = parent->start_boottime;
	e->parent_tgid = parent->tgid;
	task__fill_credentials(&e->credentials, kernel__plain(task)->cred);
	task__fill_namespaces(&e->namespaces, task);
	e->loginuid = bpf_core_field_exists(task->loginuid) ? task->loginuid.val : (__u32)-1;
	e->session_id = bpf_core_field_exists(task->sessionid) ? task->sessionid : (__u32)-1;
	e->tty = task__tty(task);
	e->stdio_sockets = task__stdio_sockets(task);
	task__fill_leaders(e, task);
	e->argc = 0;
	e->snapshot = 0;
	e->pad = 0;
}

static __always_inline void exec__fill_file(struct rf_exec *e, struct file *file)
{
	struct inode *inode = file->f_inode;

	e->inode = inode->i_ino;
	e->device = inode->i_sb->s_dev;
	e->ctime = file__ctime(inode);
	e->mtime = file__mtime(inode);
	e->mode = inode->i_mode;
	e->owner = inode->i_uid.val;
	e->flags = file__exec_flags(file);
	e->generation = identity__fill_real(inode, &e->real_inode, &e->real_device);
}

static __always_inline __u32 exec__privilege_flags(struct linux_binprm *binary)
{
	__u32 flags = 0;

	if (BPF_CORE_READ_BITFIELD(binary, secureexec) || binary->per_clear)
		flags |= RF_EXEC_PRIVILEGED;
	/* an interpreter line, or a registered binary format, replaces the interpreter's name */
	if (binary->interp != binary->filename)
		flags |= RF_EXEC_SCRIPT;
	return flags;
}

static __always_inline __u32 exec__width_flag(struct task_struct *task)
{
	return task__is_32bit(task) ? RF_EXEC_32BIT : 0;
}

/* True if the file's capabilities took effect: the process is not root, no
 * set-id bit changed its ids, yet it has more than its ambient capabilities. */
static __always_inline bool exec__file_capabilities(struct linux_binprm *binary, const struct cred *cred)
{
	__u64 permitted = *(__u64 *)&cred->cap_permitted;
	__u64 ambient = *(__u64 *)&cred->cap_ambient;

	if (!BPF_CORE_READ_BITFIELD(binary, secureexec) || !cred->euid.val)
		return false;
	return cred->uid.val == cred->euid.val && cred->gid.val == cred->egid.val && (permitted & ~ambient);
}

/* From the new mm, whole or as head and tail. `max` is constant. */
static __always_inline void exec__append_arguments(struct rf_builder *b, struct rf_text *text, struct mm_struct *mm, __u32 max)
{
	unsigned long start = mm->arg_start;
	unsigned long size = mm->arg_end - start;
	__u32 length;

	text__clear(b, text);
	if (!size || size > (1UL << 31))
		return;
	length = size - 1;
	if (length <= max) {
		text__append(b, EXEC_RECORD_MAX, text, TEXT_USER, (void *)start, length, max, length);
		return;
	}
	text__append_cut(b, EXEC_RECORD_MAX, text, TEXT_USER, (void *)start, max / 2, length);
}

/* Appends filename and working directory, which a cgroup over its share has shortened. */
static __always_inline void exec__append_request(struct rf_builder *b, struct rf_exec *e, struct rf_path_work *work, struct task_struct *task,
						 struct linux_binprm *binary)
{
	struct fs_struct *fs = kernel__plain(task)->fs;

	text__append_string(b, EXEC_RECORD_MAX, &e->filename, TEXT_KERNEL, binary->filename);
	text__slim(b, EXEC_RECORD_MAX, &e->filename);
	path__append_new(b, EXEC_RECORD_MAX, &e->cwd, work, fs->pwd.mnt, fs->pwd.dentry);
	text__slim(b, EXEC_RECORD_MAX, &e->cwd);
}

/* Over the cgroup's share: a short record instead of none. */
static __always_inline void exec__append_memory(struct rf_builder *b, struct rf_exec *e, struct rf_environment_work *work, struct mm_struct *mm)
{
	if (b->slim) {
		e->flags |= RF_EXEC_SLIM;
		exec__append_arguments(b, &e->argv, mm, RF_SLIM_ARGV_MAX);
		text__clear(b, &e->environment);
		return;
	}
	exec__append_arguments(b, &e->argv, mm, RF_ARGV_MAX);
	environment__append(b, EXEC_RECORD_MAX, &e->environment, work, mm);
}

/* The script's file is closed by now, so a hook of the full profile stored which one it was. */
static __always_inline void exec__append_interpreter(struct rf_builder *b, struct rf_exec *e, struct task_struct *task, struct linux_binprm *binary)
{
	struct rf_kernel_copy *copy;

	text__clear(b, &e->interpreter);
	text__clear(b, &e->script);
	e->script_inode = 0;
	e->script_ctime = 0;
	e->script_device = 0;
	if (!(e->flags & RF_EXEC_SCRIPT))
		return;
	text__append_string(b, EXEC_RECORD_MAX, &e->interpreter, TEXT_KERNEL, binary->interp);
	copy = kernel_copy__take(task);
	if (!copy)
		return;
	kernel_copy__append(b, EXEC_RECORD_MAX, &e->script, copy, &copy->path);
	e->script_inode = copy->inode;
	e->script_ctime = copy->ctime;
	e->script_device = copy->device;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *binary)
{
	struct rf_scratch_big *scratch = scratch__acquire(&rf_scratch_sec, ring__cpu(), RF_LANE_SECURITY, RF_EXEC);
	struct rf_builder b = { .end = sizeof(struct rf_exec) };
	struct file *file;
	struct rf_exec *e;

	ring__count_seen(RF_LANE_SECURITY, RF_EXEC);
	file = binary->file;
	executable__store(task, file);
	if (!scratch)
		return 0;
	b.record = scratch->record;
	e = (struct rf_exec *)scratch->record;
	exec__fill_fixed(e, task);
	exec__fill_file(e, file);
	e->flags |= exec__privilege_flags(binary) | exec__width_flag(task);
	if (exec__file_capabilities(binary, kernel__plain(task)->cred))
		e->flags |= RF_EXEC_FILE_CAPS;
	e->argc = binary->argc;
	path__append_new(&b, EXEC_RECORD_MAX, &e->path, &scratch->path, file->f_path.mnt, file->f_path.dentry);
	b.slim = byte_share__slims(RF_LANE_SECURITY);
	exec__append_request(&b, e, &scratch->path, task, binary);
	exec__append_memory(&b, e, &scratch->environment, kernel__plain(task)->mm);
	exec__append_interpreter(&b, e, task, binary);
	text__count_faults(&b, RF_LANE_SECURITY);
	ring__output_class(RF_LANE_SECURITY, e, e->flags, b.end, RF_RECORD_MAX);
	scratch__release(scratch);
	return 0;
}
