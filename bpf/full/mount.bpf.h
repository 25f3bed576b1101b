/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Full profile: stores mount points, mounted devices and new roots. */
#include "paths.h"

/* The kernel has not looked up the source of a bind or move yet. */
static __always_inline void mount__store_mount(const char *device, const struct path *path, const char *filesystem, const void *options)
{
	struct paths_names names = {
		.mount = kernel__read(path, mnt),
		.dentry = kernel__read(path, dentry),
		.text = device,
		.filesystem = filesystem,
		.options = options,
	};

	paths__store(&names);
}

static __always_inline void mount__store_paths(const struct path *path, const struct path *target)
{
	struct paths_names names = { .mount = kernel__read(path, mnt), .dentry = kernel__read(path, dentry) };

	if (target) {
		names.target_mount = kernel__read(target, mnt);
		names.target = kernel__read(target, dentry);
	}
	paths__store(&names);
}

static __always_inline void mount__store_root(struct vfsmount *mount)
{
	struct paths_names names = { .mount = mount, .dentry = kernel__read(mount, mnt_root) };

	paths__store(&names);
}

FULL_HOOK(sb_mount, mount__store_mount(device, path, filesystem, options), const char *device, const struct path *path, const char *filesystem,
	  unsigned long flags, void *options)
FULL_HOOK(sb_umount, mount__store_root(mount), struct vfsmount *mount)
FULL_HOOK(move_mount, mount__store_paths(from, to), const struct path *from, const struct path *to)
FULL_HOOK(sb_pivotroot, mount__store_paths(old_root, new_root), const struct path *old_root, const struct path *new_root)
FULL_HOOK(path_chroot, mount__store_paths(path, 0), const struct path *path)
