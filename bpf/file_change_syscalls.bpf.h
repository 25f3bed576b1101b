/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The system calls that change files, with the meaning of their arguments. Included by file_change.bpf.h. */

#define CHANGE_RENAMED .target_is = CHANGE_TARGET_PATH

CHANGE_SYSCALL(rename, RF_FILE_RENAME, CHANGE_RENAMED, .path = CHANGE_AT_CWD(1), .target = CHANGE_AT_CWD(2))
CHANGE_SYSCALL(renameat, RF_FILE_RENAME, CHANGE_RENAMED, .path = CHANGE_AT(1, 2), .target = CHANGE_AT(3, 4))
CHANGE_SYSCALL(renameat2, RF_FILE_RENAME, CHANGE_RENAMED, .path = CHANGE_AT(1, 2), .target = CHANGE_AT(3, 4), .flags = CHANGE_ARGUMENT(5))

CHANGE_SYSCALL(link, RF_FILE_LINK, CHANGE_RENAMED, .path = CHANGE_AT_CWD(1), .target = CHANGE_AT_CWD(2))
CHANGE_SYSCALL(linkat, RF_FILE_LINK, CHANGE_RENAMED, .path = CHANGE_AT_OR_FILE(1, 2, 5), .target = CHANGE_AT(3, 4),
	       .flags = CHANGE_ARGUMENT(5))

#define CHANGE_POINTS_TO(n) .target = CHANGE_AT_CWD(n), .target_is = CHANGE_TARGET_TEXT

CHANGE_SYSCALL(symlink, RF_FILE_SYMLINK, CHANGE_POINTS_TO(1), .path = CHANGE_AT_CWD(2))
CHANGE_SYSCALL(symlinkat, RF_FILE_SYMLINK, CHANGE_POINTS_TO(1), .path = CHANGE_AT(2, 3))

CHANGE_SYSCALL(unlink, RF_FILE_UNLINK, .path = CHANGE_AT_CWD(1))
CHANGE_SYSCALL(unlinkat, CHANGE_ARGUMENT(3) & AT_REMOVEDIR ? RF_FILE_RMDIR : RF_FILE_UNLINK, .path = CHANGE_AT(1, 2),
	       .flags = CHANGE_ARGUMENT(3))
CHANGE_SYSCALL(rmdir, RF_FILE_RMDIR, .path = CHANGE_AT_CWD(1))

CHANGE_SYSCALL(mkdir, RF_FILE_MKDIR, .path = CHANGE_AT_CWD(1), .mode = (__u16)CHANGE_ARGUMENT(2))
CHANGE_SYSCALL(mkdirat, RF_FILE_MKDIR, .path = CHANGE_AT(1, 2), .mode = (__u16)CHANGE_ARGUMENT(3))

CHANGE_SYSCALL(chmod, RF_FILE_CHMOD, .path = CHANGE_AT_CWD(1), .mode = (__u16)CHANGE_ARGUMENT(2))
CHANGE_SYSCALL(fchmod, RF_FILE_CHMOD, CHANGE_DESCRIPTOR, .mode = (__u16)CHANGE_ARGUMENT(2))
CHANGE_SYSCALL(fchmodat, RF_FILE_CHMOD, .path = CHANGE_AT(1, 2), .mode = (__u16)CHANGE_ARGUMENT(3))
/* since 6.6 */
CHANGE_SYSCALL(fchmodat2, RF_FILE_CHMOD, .path = CHANGE_AT_OR_FILE(1, 2, 4), .mode = (__u16)CHANGE_ARGUMENT(3), .flags = CHANGE_ARGUMENT(4))

#define CHANGE_OWNER(user, group) .uid = CHANGE_ARGUMENT(user), .gid = CHANGE_ARGUMENT(group)

CHANGE_SYSCALL(chown, RF_FILE_CHOWN, CHANGE_OWNER(2, 3), .path = CHANGE_AT_CWD(1))
CHANGE_SYSCALL(lchown, RF_FILE_CHOWN, CHANGE_OWNER(2, 3), .path = CHANGE_AT_CWD(1))
CHANGE_SYSCALL(fchown, RF_FILE_CHOWN, CHANGE_OWNER(2, 3), CHANGE_DESCRIPTOR)
CHANGE_SYSCALL(fchownat, RF_FILE_CHOWN, CHANGE_OWNER(3, 4), .path = CHANGE_AT_OR_FILE(1, 2, 5), .flags = CHANGE_ARGUMENT(5))

CHANGE_SYSCALL(setxattr, RF_FILE_SETXATTR, CHANGE_ATTRIBUTE(2), .path = CHANGE_AT_CWD(1), .flags = CHANGE_ARGUMENT(5))
CHANGE_SYSCALL(lsetxattr, RF_FILE_SETXATTR, CHANGE_ATTRIBUTE(2), .path = CHANGE_AT_CWD(1), .flags = CHANGE_ARGUMENT(5))
CHANGE_SYSCALL(fsetxattr, RF_FILE_SETXATTR, CHANGE_ATTRIBUTE(2), CHANGE_DESCRIPTOR, .flags = CHANGE_ARGUMENT(5))
/* since 6.13 */
CHANGE_SYSCALL(setxattrat, RF_FILE_SETXATTR, CHANGE_ATTRIBUTE(4), .path = CHANGE_AT_OR_FILE(1, 2, 3), .flags = CHANGE_ARGUMENT(3))

CHANGE_SYSCALL(removexattr, RF_FILE_REMOVEXATTR, CHANGE_ATTRIBUTE(2), .path = CHANGE_AT_CWD(1))
CHANGE_SYSCALL(lremovexattr, RF_FILE_REMOVEXATTR, CHANGE_ATTRIBUTE(2), .path = CHANGE_AT_CWD(1))
CHANGE_SYSCALL(fremovexattr, RF_FILE_REMOVEXATTR, CHANGE_ATTRIBUTE(2), CHANGE_DESCRIPTOR)
/* since 6.13 */
CHANGE_SYSCALL(removexattrat, RF_FILE_REMOVEXATTR, CHANGE_ATTRIBUTE(4), .path = CHANGE_AT_OR_FILE(1, 2, 3), .flags = CHANGE_ARGUMENT(3))

/* user space's form of a device number: low byte of minor, twelve bits of major, rest of minor */
#define CHANGE_DEVICE(mode, n)                                                                                                           \
	.special = change__is_device(mode) ? (CHANGE_ARGUMENT(n) & 0xfff00) << 12 | (CHANGE_ARGUMENT(n) & 0xff) |                        \
						     (CHANGE_ARGUMENT(n) >> 12 & 0xfff00)                                                \
					   : 0

CHANGE_SYSCALL(mknod, RF_FILE_MKNOD, CHANGE_DEVICE(CHANGE_ARGUMENT(2), 3), .path = CHANGE_AT_CWD(1), .mode = (__u16)CHANGE_ARGUMENT(2))
CHANGE_SYSCALL(mknodat, RF_FILE_MKNOD, CHANGE_DEVICE(CHANGE_ARGUMENT(3), 4), .path = CHANGE_AT(1, 2), .mode = (__u16)CHANGE_ARGUMENT(3))

CHANGE_SYSCALL(truncate, RF_FILE_TRUNCATE, .path = CHANGE_AT_CWD(1), .length = CHANGE_ARGUMENT(2))
CHANGE_SYSCALL(ftruncate, RF_FILE_TRUNCATE, CHANGE_DESCRIPTOR, .length = CHANGE_ARGUMENT(2))

/* --- splice: a kernel bug that lets a pipe write the file pages
 * spliced into it changes a file that the caller may not write. */

static __always_inline bool change__has_type(struct file *file, __u32 type)
{
	struct inode *inode = kernel__read(file, f_inode);

	return (kernel__read(inode, i_mode) & S_IFMT) == type;
}

/* In the initial user namespace only: in another one it also depends on the file's owner. */
static __always_inline bool change__overrides_modes(const struct cred *cred)
{
	return !cred->user_ns->level && *(__u64 *)&cred->cap_effective & 1ULL << CAP_DAC_OVERRIDE;
}

/* Supplementary groups and access lists are not considered, so some splices are
 * reported needlessly. In an overlay, a process that may write any file can still
 * write only the upper layer: the pages of a lower layer belong to all containers. */
static __always_inline bool change__could_write(struct task_struct *task, struct file *file)
{
	const struct cred *cred = kernel__plain(task)->cred;
	struct vfsmount *mount = kernel__read(file, f_path.mnt);
	struct inode *inode = kernel__read(file, f_inode);
	struct super_block *super = kernel__read(inode, i_sb);
	__u32 mode = kernel__read(inode, i_mode);

	if (kernel__read(mount, mnt_flags) & MNT_READONLY || kernel__read(super, s_flags) & SB_RDONLY || kernel__read(inode, i_flags) & S_IMMUTABLE)
		return false;
	if (change__overrides_modes(cred))
		return kernel__read(super, s_magic) != OVERLAYFS_SUPER_MAGIC;
	if (kernel__read(inode, i_uid.val) == cred->fsuid.val)
		return mode & 0200;
	if (kernel__read(inode, i_gid.val) == cred->fsgid.val)
		return mode & 0020;
	return mode & 0002;
}

SEC("tracepoint/syscalls/sys_exit_splice")
int splice_exit(void *context)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = task__registers(task);
	struct change_request request = {
		CHANGE_DESCRIPTOR,
		.operation = RF_FILE_SPLICE,
		.uid = CHANGE_ID_UNCHANGED,
		.gid = CHANGE_ID_UNCHANGED,
		.length = CHANGE_ARGUMENT(5),
	};
	struct file *in = file__of_descriptor(task, CHANGE_ARGUMENT(1));
	struct file *out = file__of_descriptor(task, CHANGE_ARGUMENT(3));

	if (!in || !out || !change__has_type(in, S_IFREG) || !change__has_type(out, S_IFIFO))
		return 0;
	if (kernel__read(in, f_mode) & FMODE_WRITE || change__could_write(task, in))
		return 0;
	return change__finish(task, syscall__result(context), &request);
}
