/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Full profile: stores which files a call changes. Uses the path hooks, since inode hooks do not
 * give the mount and are not reached if the directory's mode forbids the change. Extended attributes
 * have inode hooks only, so their mount is taken where the kernel requests write access to it. */
#include "paths.h"

static __always_inline bool change__is_of_attribute(__u32 call)
{
	__u32 number = call - 1;

	if (number == SYSCALL_SETXATTRAT || number == SYSCALL_REMOVEXATTRAT)
		return true;
#ifdef __TARGET_ARCH_x86
	return number - 188 < 3 || number - 197 < 3;
#else
	return number - 5 < 3 || number - 14 < 3;
#endif
}

static __always_inline void change__store_path(const struct path *path)
{
	struct paths_names names = { .mount = kernel__read(path, mnt), .dentry = kernel__read(path, dentry) };

	paths__store(&names);
}

/* `directory` is the parent of `dentry`. */
static __always_inline void change__store_entry(const struct path *directory, struct dentry *dentry, const char *text)
{
	struct paths_names names = { .mount = kernel__read(directory, mnt), .dentry = dentry, .text = text };

	paths__store(&names);
}

static __always_inline void change__store_entries(const struct path *directory, struct dentry *dentry, struct dentry *target)
{
	struct paths_names names = { .mount = kernel__read(directory, mnt), .dentry = dentry, .target_mount = kernel__read(directory, mnt), .target = target };

	paths__store(&names);
}

/* In a kprobe the pointers are numbers: only their fields are read. */
FULL_HOOK(path_unlink, change__store_entry(directory, dentry, 0), const struct path *directory, struct dentry *dentry)
FULL_HOOK(path_rmdir, change__store_entry(directory, dentry, 0), const struct path *directory, struct dentry *dentry)
FULL_HOOK(path_mkdir, change__store_entry(directory, dentry, 0), const struct path *directory, struct dentry *dentry)
FULL_HOOK(path_mknod, change__store_entry(directory, dentry, 0), const struct path *directory, struct dentry *dentry)
FULL_HOOK(path_symlink, change__store_entry(directory, dentry, to), const struct path *directory, struct dentry *dentry, const char *to)
FULL_HOOK(path_link, change__store_entries(directory, from, to), struct dentry *from, const struct path *directory, struct dentry *to)
FULL_HOOK(path_rename, change__store_entries(directory, from, to), const struct path *directory, struct dentry *from, const struct path *new_directory,
	  struct dentry *to)
FULL_HOOK(path_chmod, change__store_path(path), const struct path *path)
FULL_HOOK(path_chown, change__store_path(path), const struct path *path)
FULL_HOOK(path_truncate, change__store_path(path), const struct path *path)

/* ftruncate has its own hook since 6.2 */
static __always_inline void change__store_file(struct file *file)
{
	struct paths_names names = { .mount = kernel__read(file, f_path.mnt), .dentry = kernel__read(file, f_path.dentry) };

	paths__store(&names);
}

FULL_HOOK(file_truncate, change__store_file(file), struct file *file)

/* --- Extended attributes. */

/* Keeps the first mount of a call: overlayfs requests access to the layer below again. */
static __always_inline void change__store_mount(struct vfsmount *mount)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 call = kernel_copy__call(task);
	struct rf_kernel_copy *copy;

	if (!change__is_of_attribute(call))
		return;
	copy = bpf_task_storage_get(&rf_kernel_copy, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!copy || copy->call == call)
		return;
	kernel_copy__clear(copy);
	copy->mount = (__u64)mount;
}

FULL_FUNCTION(write_access, "mnt_want_write", change__store_mount(mount), struct vfsmount *mount)
FULL_FUNCTION(write_access_file, "mnt_want_write_file", change__store_mount(kernel__read(file, f_path.mnt)), struct file *file)

static __always_inline void change__store_attribute(struct dentry *dentry, const char *name)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct rf_kernel_copy *copy = bpf_task_storage_get(&rf_kernel_copy, task, 0, 0);
	struct paths_names names = { .dentry = dentry, .text = name };

	if (!copy || !change__is_of_attribute(kernel_copy__call(task)))
		return;
	names.mount = (struct vfsmount *)copy->mount;
	copy->mount = 0;
	paths__store(&names);
}

/* `map`: the mount's id mapping, of another type since 6.3 */
FULL_HOOK(inode_setxattr, change__store_attribute(dentry, name), void *map, struct dentry *dentry, const char *name)
FULL_HOOK(inode_removexattr, change__store_attribute(dentry, name), void *map, struct dentry *dentry, const char *name)
/* access lists have their own hooks since 6.2 */
FULL_HOOK(inode_set_acl, change__store_attribute(dentry, name), void *map, struct dentry *dentry, const char *name)
FULL_HOOK(inode_remove_acl, change__store_attribute(dentry, name), void *map, struct dentry *dentry, const char *name)
