/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Builds the kernel's own path of a file: from its dentry up, across mounts, to the root
 * of the mount namespace, because bpf_d_path is for LSM hooks and iterators only. The
 * path includes a chroot's prefix, so that a file has the same path for every caller. */
#ifndef RF_LIB_PATH_H
#define RF_LIB_PATH_H

#include "text.h"

/* Components and mounts visited. A hostile tree can be deeper: then `length` counts what was visited. */
#define PATH_STEPS_MAX 8192
/* Mounts stacked on one another that the search for a name descends through. */
#define PATH_STACKED_MAX 8
#define PATH_HALF (RF_PATH_MAX / 2)
#define PATH_HEADS_STEPS 32
/* "pipe:[" and a number of 64 bits. */
#define PATH_PIPE_MAX 32

enum path_step { PATH_COMPONENT, PATH_CROSSED, PATH_END };

static __always_inline void path__enter(struct rf_path_work *w, struct vfsmount *vfsmount, struct dentry *dentry)
{
	/* CO-RE offset: container_of would use that of the build machine */
	w->mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
	w->mount_root = kernel__read(vfsmount, mnt_root);
	w->dentry = dentry;
	w->length = 0;
	w->last = 0;
}

static __always_inline enum path_step path__step(struct rf_path_work *w, struct qstr *name)
{
	/* locals: CO-RE must not see a struct that the kernel does not have */
	struct dentry *dentry = w->dentry;
	struct mount *mount = w->mount;
	struct dentry *parent;

	if (w->last || !dentry)
		return PATH_END;
	if (dentry == w->mount_root) {
		struct mount *above = kernel__read(mount, mnt_parent);

		if (above == mount || !above)
			return PATH_END;
		w->dentry = kernel__read(mount, mnt_mountpoint);
		w->mount = above;
		w->mount_root = kernel__read(above, mnt.mnt_root);
		return PATH_CROSSED;
	}
	parent = kernel__read(dentry, d_parent);
	name->len = kernel__read(dentry, d_name.len);
	name->name = kernel__read(dentry, d_name.name);
	/* no parent, yet not its mount's root: a file that never had a directory, such as a memfd */
	w->last = parent == dentry;
	w->dentry = parent;
	return PATH_COMPONENT;
}

/* bpf_loop passes its callback a pointer to the stack only. */
struct path_loop {
	struct rf_path_work *work;
};

static long path__prepend(__u32 index, struct path_loop *loop)
{
	struct rf_path_work *w = loop->work;
	struct qstr name = {};
	enum path_step step = path__step(w, &name);
	__u32 size = (name.len & 255) + 1;
	__u32 position = w->position;

	if (step != PATH_COMPONENT)
		return step == PATH_END;
	w->length += size;
	if (w->full || position < size || position > RF_PATH_MAX) {
		w->full = 1;
		return 0;
	}
	position -= size;
	w->position = position;
	position &= RF_PATH_MAX - 1;
	w->text[position] = '/';
	bpf_probe_read_kernel(w->text + position + 1, name.len & 255, name.name);
	return 0;
}

/* Second walk of a path that is too long: copies its head into the half that the tail does not use. */
static long path__place_head(__u32 index, struct path_loop *loop)
{
	struct rf_path_work *w = loop->work;
	struct qstr name = {};
	enum path_step step = path__step(w, &name);
	__u32 size = name.len & 255;
	__u32 position;

	if (step != PATH_COMPONENT)
		return step == PATH_END;
	w->length += size + 1;
	if (w->length > w->total) /* renamed meanwhile */
		return 1;
	position = w->total - w->length;
	if (position >= PATH_HALF)
		return 0;
	position &= PATH_HALF - 1;
	w->text[position] = '/';
	if (size > PATH_HALF - 1 - position)
		size = PATH_HALF - 1 - position;
	bpf_probe_read_kernel(w->text + position + 1, size & 255, name.name);
	return 0;
}

static const char path_pipe_format[] = "pipe:[%llu]";

/* Names a pipe, which has no path, as the kernel does in /proc/PID/fd. */
static __always_inline void path__name_pipe(struct rf_path_work *w, struct dentry *dentry)
{
	struct super_block *super = kernel__read(dentry, d_sb);
	struct inode *inode = kernel__read(dentry, d_inode);
	__u64 number;
	long size;

	if (kernel__read(super, s_magic) != PIPEFS_MAGIC)
		return;
	number = kernel__read(inode, i_ino);
	size = bpf_snprintf(w->text + RF_PATH_MAX - PATH_PIPE_MAX, PATH_PIPE_MAX, path_pipe_format, &number, sizeof(number));
	if (size <= 1 || size > PATH_PIPE_MAX)
		return;
	w->position = RF_PATH_MAX - PATH_PIPE_MAX;
	w->length = size - 1;
}

/* Leaves the path at text[position], `kept` bytes long. */
static __noinline int path__build(struct rf_path_work *w, struct vfsmount *vfsmount, struct dentry *dentry)
{
	struct path_loop loop = { .work = w };

	w->position = RF_PATH_MAX;
	w->full = 0;
	path__enter(w, vfsmount, dentry);
	bpf_loop(PATH_STEPS_MAX, path__prepend, &loop, 0);
	if (!w->length && dentry) {
		w->text[RF_PATH_MAX - 1] = '/';
		w->position = RF_PATH_MAX - 1;
		w->length = 1;
	}
	if (w->length == 1 && dentry)
		path__name_pipe(w, dentry);
	w->kept = w->length;
	if (w->length > RF_PATH_MAX) {
		w->total = w->length;
		path__enter(w, vfsmount, dentry);
		bpf_loop(PATH_STEPS_MAX, path__place_head, &loop, 0);
		w->length = w->total;
		w->position = 0;
		w->kept = RF_PATH_MAX;
	}
	return 0;
}

/* Finds the names of the first components, in kernel memory; 0 for missing ones. Runs for every unwatched
 * open, so it builds no text and keeps its state in registers. Returns false if the file is too deep. */
static __noinline int path__find_heads(const unsigned char *heads[RF_HASH_COMPONENTS], struct vfsmount *vfsmount, struct dentry *dentry)
{
	struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
	struct dentry *root = kernel__read(vfsmount, mnt_root);

	for (int step = 0; step < PATH_HEADS_STEPS && dentry; step++) {
		struct dentry *parent;

		if (dentry == root) {
			struct mount *above = kernel__read(mount, mnt_parent);

			if (above == mount || !above)
				return true;
			dentry = kernel__read(mount, mnt_mountpoint);
			mount = above;
			root = kernel__read(mount, mnt.mnt_root);
			continue;
		}
		heads[2] = heads[1];
		heads[1] = heads[0];
		heads[0] = kernel__read(dentry, d_name.name);
		parent = kernel__read(dentry, d_parent);
		if (parent == dentry)
			return true;
		dentry = parent;
	}
	return false;
}

/* Returns the first byte of such a name; 0: there is none. */
static __always_inline __u8 path__head(const unsigned char *name)
{
	return name ? kernel__word(name) : 0;
}

/* Finds the last component alone, which is cheap. The root of a mount has the name of its mount point. */
static __always_inline bool path__last_name(struct vfsmount *vfsmount, struct dentry *dentry, struct qstr *name)
{
	struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);

	for (int stacked = 0; stacked < PATH_STACKED_MAX; stacked++) {
		struct mount *above;

		if (dentry != kernel__read(mount, mnt.mnt_root)) {
			name->len = kernel__read(dentry, d_name.len);
			name->name = kernel__read(dentry, d_name.name);
			return true;
		}
		above = kernel__read(mount, mnt_parent);
		if (above == mount || !above)
			break;
		dentry = kernel__read(mount, mnt_mountpoint);
		mount = above;
	}
	return false;
}

static __always_inline void path__append(struct rf_builder *b, __u32 capacity, struct rf_text *text, struct rf_path_work *w)
{
	__u32 position = w->position;

	rf_barrier(position);
	if (position > RF_PATH_MAX)
		return;
	text__append(b, capacity, text, TEXT_KERNEL, w->text + position, w->kept, RF_PATH_MAX, w->length);
}

static __always_inline void path__append_new(struct rf_builder *b, __u32 capacity, struct rf_text *text, struct rf_path_work *w,
					     struct vfsmount *vfsmount, struct dentry *dentry)
{
	path__build(w, vfsmount, dentry);
	path__append(b, capacity, text, w);
}

#endif
