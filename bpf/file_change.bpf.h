/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A name, an attribute or the content of a file changes, or fails to, at the end of the
 * system call. A call with a descriptor is reported with the kernel's own path. A call with
 * a path has the caller's text only: the file may be gone, and the kernel's copy of the text
 * is freed. Changes that no rule can match are dropped, except those that give privileges. */
#include "lib/request.h"
#include "lib/share.h"
#include "lib/syscall.h"
#include "lib/kernel_copy.h"
#include "lib/executable.h"

#define CHANGE_RECORD_MAX RF_SMALL_RECORD_MAX
#define CHANGE_ID_UNCHANGED ((__u32)-1)
#define CHANGE_CAPABILITY "security.capability"

enum change_target { CHANGE_NO_TARGET, CHANGE_TARGET_PATH, CHANGE_TARGET_TEXT, CHANGE_TARGET_ATTRIBUTE };

struct change_request {
	struct request_path path;
	struct request_path target; /* only its `text` is used if the target is no path to be made absolute */
	__u64 length;
	__u32 operation; /* enum rf_file_operation */
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 flags;
	__u32 special;
	bool by_descriptor; /* the change is made to path.directory */
	__u8 target_is;     /* enum change_target */
};

static __always_inline bool change__is_device(__u32 mode)
{
	return (mode & S_IFMT) == S_IFCHR || (mode & S_IFMT) == S_IFBLK;
}

static __always_inline bool change__is_capability(const struct change_request *request)
{
	const char expected[] = CHANGE_CAPABILITY;
	char name[sizeof(expected)] = {};

	if (bpf_probe_read_user(name, sizeof(name), request->target.text))
		return false;
	for (int at = 0; at < sizeof(expected); at++)
		if (name[at] != expected[at])
			return false;
	return true;
}

/* Changes that give privileges: rare, and not matched by path. */
static __always_inline bool change__is_privileged(const struct change_request *request)
{
	switch (request->operation) {
	case RF_FILE_CHMOD:
		return request->mode & (S_ISUID | S_ISGID);
	case RF_FILE_MKNOD:
		return request->mode & (S_ISUID | S_ISGID) || change__is_device(request->mode);
	case RF_FILE_SETXATTR:
	case RF_FILE_REMOVEXATTR:
		return change__is_capability(request);
	default:
		return false;
	}
}

static __always_inline void change__fill(struct rf_file_change *c, struct task_struct *task, __s32 result,
					 const struct change_request *request, struct file *file)
{
	task__fill_header(&c->h, task, RF_FILE_CHANGE);
	c->inode = 0;
	c->device = 0;
	c->operation = request->operation;
	c->result = result;
	c->mode = request->mode;
	c->uid = request->uid;
	c->gid = request->gid;
	c->flags = request->flags;
	c->source_caller = file ? task__shares_files(task) : !request->by_descriptor;
	c->length = request->length;
	c->special = request->special;
	c->pad = 0;
	if (file) {
		struct inode *inode = kernel__read(file, f_inode);
		struct super_block *super = kernel__read(inode, i_sb);

		c->inode = kernel__read(inode, i_ino);
		c->device = kernel__read(super, s_dev);
	}
}

/* Returns true if a rule may match the path. */
static __always_inline bool change__append_path(struct rf_builder *b, struct rf_scratch_small *scratch, const struct change_request *request,
						struct file *file, struct rf_kernel_copy *copy)
{
	struct rf_file_change *c = (struct rf_file_change *)scratch->record;

	if (copy) {
		c->source_caller = 0;
		c->inode = copy->inode;
		c->device = copy->device;
		kernel_copy__append(b, CHANGE_RECORD_MAX, &c->path, copy, &copy->path);
	} else if (file)
		path__append_new(b, CHANGE_RECORD_MAX, &c->path, &scratch->path, kernel__read(file, f_path.mnt),
				 kernel__read(file, f_path.dentry));
	else if (request->by_descriptor) /* the descriptor never existed, or is closed again */
		text__clear(b, &c->path);
	else
		request__append(b, CHANGE_RECORD_MAX, &c->path, &scratch->path, &request->path);
	request__append_raw(b, CHANGE_RECORD_MAX, &c->raw_path, &request->path);
	return watch__matches_change(c->path.offset, c->path.kept);
}

static __always_inline void change__append_request(struct rf_builder *b, struct rf_scratch_small *scratch, const struct change_request *request)
{
	struct rf_file_change *c = (struct rf_file_change *)scratch->record;

	if (request->target_is != CHANGE_TARGET_TEXT)
		c->source_caller = 1;
	if (request->target_is == CHANGE_TARGET_PATH)
		request__append(b, CHANGE_RECORD_MAX, &c->target, &scratch->path, &request->target);
	else
		text__append_string(b, CHANGE_RECORD_MAX, &c->target, TEXT_USER, request->target.text);
}

static __always_inline bool change__append_target(struct rf_builder *b, struct rf_scratch_small *scratch, const struct change_request *request,
						  struct rf_kernel_copy *copy)
{
	struct rf_file_change *c = (struct rf_file_change *)scratch->record;

	text__clear(b, &c->target);
	text__clear(b, &c->raw_target);
	if (request->target_is == CHANGE_NO_TARGET)
		return false;
	if (copy)
		kernel_copy__append(b, CHANGE_RECORD_MAX, &c->target, copy, &copy->target);
	else
		change__append_request(b, scratch, request);
	if (request->target_is == CHANGE_TARGET_PATH)
		request__append_raw(b, CHANGE_RECORD_MAX, &c->raw_target, &request->target);
	return request->target_is != CHANGE_TARGET_ATTRIBUTE && watch__matches_change(c->target.offset, c->target.kept);
}

static __always_inline void change__output(struct rf_builder *b, bool privileged)
{
	if (privileged) {
		text__count_faults(b, RF_LANE_SECURITY);
		ring__output(RF_LANE_SECURITY, b->record, b->end, RF_SMALL_RECORD_MAX);
	} else {
		text__count_faults(b, RF_LANE_BULK);
		ring__output(RF_LANE_BULK, b->record, b->end, RF_SMALL_RECORD_MAX);
	}
}

static __always_inline void change__report(struct rf_scratch_small *scratch, struct task_struct *task, __s32 result,
					   const struct change_request *request, struct rf_kernel_copy *copy, bool privileged, bool unconditional)
{
	struct rf_builder b = { .record = scratch->record, .end = sizeof(struct rf_file_change) };
	struct file *file = request->by_descriptor ? file__of_descriptor(task, request->path.directory) : request__file(task, &request->path);
	bool watched;

	change__fill((struct rf_file_change *)scratch->record, task, result, request, file);
	watched = change__append_path(&b, scratch, request, file, copy);
	watched |= change__append_target(&b, scratch, request, copy);
	watched |= executable__is_watched();
	/* a text that the kernel read but the sensor cannot read may be any */
	watched |= b.faults && result != -EFAULT;
	if (!unconditional && !watched)
		ring__count_drop(RF_LANE_BULK, RF_FILE_CHANGE, RF_DROP_UNWATCHED);
	else if (privileged || watched || !share__throttles(RF_LANE_BULK, RF_FILE_CHANGE, kernel__cgroup(task)))
		change__output(&b, privileged);
}

static __noinline int change__finish(struct task_struct *task, long result, const struct change_request *request)
{
	bool privileged = change__is_privileged(request);
	bool unconditional = privileged || RF_READ_ONCE(rf_control.all_opens) || request->operation == RF_FILE_SPLICE;
	enum rf_lane lane = privileged ? RF_LANE_SECURITY : RF_LANE_BULK;
	struct rf_kernel_copy *copy = kernel_copy__take(task);
	struct rf_scratch_small *scratch;

	if (!interest__admits(lane, RF_FILE_CHANGE))
		return 0;
	ring__count_seen(lane, RF_FILE_CHANGE);
	if (task__is_agent(task)) {
		ring__count_drop(lane, RF_FILE_CHANGE, RF_DROP_SELF);
		return 0;
	}
	if (!unconditional && !watch__any_prefix() && !watch__any_name() && !watch__any_change() && !executable__is_watched()) {
		ring__count_drop(lane, RF_FILE_CHANGE, RF_DROP_UNWATCHED);
		return 0;
	}
	scratch = scratch__acquire(&rf_scratch_bulk, ring__cpu(), lane, RF_FILE_CHANGE);
	if (!scratch)
		return 0;
	change__report(scratch, task, result, request, copy, privileged, unconditional);
	scratch__release(scratch);
	return 0;
}

#define CHANGE_ARGUMENT(n) PT_REGS_PARM##n##_SYSCALL(registers)
#define CHANGE_AT(directory, text) request__at(CHANGE_ARGUMENT(directory), CHANGE_ARGUMENT(text))
#define CHANGE_AT_OR_FILE(directory, text, flags)                                                                                        \
	request__at_or_file(CHANGE_ARGUMENT(directory), CHANGE_ARGUMENT(text), CHANGE_ARGUMENT(flags) & AT_EMPTY_PATH)
#define CHANGE_AT_CWD(text) request__at(AT_FDCWD, CHANGE_ARGUMENT(text))
#define CHANGE_DESCRIPTOR .by_descriptor = true, .path = request__at(CHANGE_ARGUMENT(1), 0)
#define CHANGE_ATTRIBUTE(n) .target = CHANGE_AT_CWD(n), .target_is = CHANGE_TARGET_ATTRIBUTE

/* The remaining arguments set fields of the request from the registers. */
#define CHANGE_SYSCALL(name, file_operation, ...)                                                                                        \
	SEC("tracepoint/syscalls/sys_exit_" #name)                                                                                       \
	int name##_exit(void *context)                                                                                                   \
	{                                                                                                                                \
		struct task_struct *task = bpf_get_current_task_btf();                                                                   \
		struct pt_regs *registers = task__registers(task);                                                                       \
		struct change_request request = { .operation = file_operation, __VA_ARGS__ };                                            \
                                                                                                                                         \
		if (file_operation != RF_FILE_CHOWN)                                                                                     \
			request.uid = request.gid = CHANGE_ID_UNCHANGED;                                                                 \
		return change__finish(task, syscall__result(context), &request);                                                         \
	}

#include "file_change_syscalls.bpf.h"
