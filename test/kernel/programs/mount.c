/* mount CALL ARGUMENT... [, CALL ...]: makes exactly these system calls,
 * in a new mount namespace with private mounts. A path of `-` is NULL. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TREE_CLONE 1
#define FROM_EMPTY 4

#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif

/* struct mount_attr */
static const unsigned long long attributes[4] = { 1 /* RDONLY */, 2 /* NOSUID */, 0, 0 };

static const char *text(const char *argument)
{
	return strcmp(argument, "-") ? argument : 0;
}

static long file_system(const char *type)
{
	long context = syscall(SYS_fsopen, type, 1L);

	syscall(SYS_fsconfig, context, 1 /* SET_STRING */, "source", "the-source", 0);
	syscall(SYS_fsconfig, context, 6 /* CMD_CREATE */, 0, 0, 0);
	return syscall(SYS_fsmount, context, 1L, 8L /* NOEXEC */);
}

static long run(char **args)
{
	const char *call = args[0];

	if (!strcmp(call, "mount"))
		return syscall(SYS_mount, text(args[1]), args[2], text(args[3]), atol(args[4]), text(args[5]));
	if (!strcmp(call, "umount"))
		return syscall(SYS_umount2, args[1], atoi(args[2]));
	if (!strcmp(call, "move"))
		return syscall(SYS_move_mount, AT_FDCWD, args[1], AT_FDCWD, args[2], 0L);
	if (!strcmp(call, "move-new"))
		return syscall(SYS_move_mount, file_system("tmpfs"), "", AT_FDCWD, args[1], FROM_EMPTY);
	if (!strcmp(call, "pivot"))
		return syscall(SYS_pivot_root, args[1], args[2]);
	if (!strcmp(call, "chroot"))
		return syscall(SYS_chroot, args[1]);
	if (!strcmp(call, "tree"))
		return syscall(SYS_open_tree, AT_FDCWD, args[1], TREE_CLONE);
	if (!strcmp(call, "tree-empty"))
		return syscall(SYS_open_tree, open(args[1], O_PATH), "", AT_EMPTY_PATH);
	if (!strcmp(call, "tree-attributes"))
		return syscall(SYS_open_tree_attr, AT_FDCWD, args[1], TREE_CLONE, attributes, sizeof(attributes));
	if (!strcmp(call, "fsopen"))
		return syscall(SYS_fsopen, args[1], 1L);
	if (!strcmp(call, "fsmount"))
		return file_system("tmpfs");
	if (!strcmp(call, "fsmount-none"))
		return syscall(SYS_fsmount, 99L, 0L, 8L);
	if (!strcmp(call, "attributes"))
		return syscall(SYS_mount_setattr, AT_FDCWD, args[1], 0L, attributes, sizeof(attributes));
	if (!strcmp(call, "cd"))
		return chdir(args[1]);
	exit(64);
}

int main(int argc, char **argv)
{
	long result = 0;

	if (unshare(CLONE_NEWNS) || mount(0, "/", 0, MS_REC | MS_PRIVATE, 0))
		return 65;
	for (int n = 1; n < argc; n++) {
		result = run(argv + n);
		while (n < argc && strcmp(argv[n], ","))
			n++;
	}
	return result < 0;
}
