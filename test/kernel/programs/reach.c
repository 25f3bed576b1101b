/* reach WAY DIRECTORY NAME SCRATCH: opens DIRECTORY/NAME for reading by another way than its path. SCRATCH is an empty
 * directory of the same file system. Mounts are made in a mount namespace of its own. Exits with 77 if the kernel has
 * no such way, with the errno of the step that failed otherwise. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

static const char *directory, *name, *scratch;
static char path[4096], other[4096], options[16384];

static int fail(void)
{
	return errno == ENOSYS || errno == EOPNOTSUPP || errno == ENOTTY ? 77 : errno & 127;
}

static int read_by(int base, const char *text)
{
	char byte;
	int file = openat(base, text, O_RDONLY);

	if (file < 0 || read(file, &byte, 1) < 0)
		return fail();
	close(file);
	return 0;
}

static int unshare_mounts(void)
{
	return unshare(CLONE_NEWNS) || mount("none", "/", 0, MS_REC | MS_PRIVATE, 0);
}

static int by_hard_link(void)
{
	int result;

	if (link(path, other))
		return fail();
	result = read_by(AT_FDCWD, other);
	unlink(other);
	return result;
}

/* By a hard link, after the file has got another generation. */
static int by_generation(void)
{
	int file = open(path, O_RDONLY), generation;

	if (file < 0 || ioctl(file, FS_IOC_GETVERSION, &generation))
		return fail();
	generation++;
	return ioctl(file, FS_IOC_SETVERSION, &generation) ? fail() : by_hard_link();
}

static int by_bind_mount(void)
{
	if (unshare_mounts() || mount(directory, scratch, 0, MS_BIND, 0))
		return fail();
	return read_by(AT_FDCWD, other);
}

static int by_open_tree(void)
{
	int tree = syscall(SYS_open_tree, AT_FDCWD, directory, OPEN_TREE_CLONE | O_CLOEXEC);

	return tree < 0 ? fail() : read_by(tree, name);
}

/* The merged directory is the scratch one. `upper`: copies the file up before it is opened. */
static int by_overlay(int upper)
{
	char merged[4096];
	int file;

	snprintf(merged, sizeof(merged), "%s/merged", scratch);
	if (unshare_mounts() || mount("none", scratch, "tmpfs", 0, 0))
		return fail();
	snprintf(other, sizeof(other), "%s/upper", scratch);
	mkdir(other, 0700);
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", directory, scratch, scratch);
	snprintf(other, sizeof(other), "%s/work", scratch);
	mkdir(other, 0700);
	mkdir(merged, 0700);
	if (mount("overlay", merged, "overlay", 0, options))
		return errno == ENODEV ? 77 : fail();
	snprintf(other, sizeof(other), "%s/merged/%s", scratch, name);
	if (!upper)
		return read_by(AT_FDCWD, other);
	file = open(other, O_WRONLY | O_APPEND);
	return file < 0 ? fail() : read_by(AT_FDCWD, other);
}

static int by_handle(void)
{
	struct {
		struct file_handle head;
		char bytes[128];
	} handle = { .head.handle_bytes = 128 };
	int mount_id, base, file;
	char byte;

	if (name_to_handle_at(AT_FDCWD, path, &handle.head, &mount_id, 0))
		return fail();
	base = open(directory, O_RDONLY | O_DIRECTORY);
	file = open_by_handle_at(base, &handle.head, O_RDONLY);
	return file < 0 || read(file, &byte, 1) < 0 ? fail() : 0;
}

static int by_chroot(void)
{
	snprintf(other, sizeof(other), "/%s", name);
	return chroot(directory) ? fail() : read_by(AT_FDCWD, other);
}

/* Through the root of a process whose root is the directory. */
static int by_process_root(void)
{
	int ready[2], status;
	char byte;
	pid_t child;

	if (pipe(ready))
		return fail();
	child = fork();
	if (!child) {
		if (chroot(directory) || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	if (read(ready[0], &byte, 1) != 1)
		return fail();
	snprintf(other, sizeof(other), "/proc/%d/root/%s", child, name);
	status = read_by(AT_FDCWD, other);
	kill(child, SIGKILL);
	waitpid(child, 0, 0);
	return status;
}

static int by_descriptor(void)
{
	int file = open(path, O_PATH);

	snprintf(other, sizeof(other), "/proc/self/fd/%d", file);
	return file < 0 ? fail() : read_by(AT_FDCWD, other);
}

static int by_symbolic_link(void)
{
	int result;

	if (symlink(path, other))
		return fail();
	result = read_by(AT_FDCWD, other);
	unlink(other);
	return result;
}

/* The file has another name while it is read. */
static int by_rename(void)
{
	int result;

	if (rename(path, other))
		return fail();
	result = read_by(AT_FDCWD, other);
	return rename(other, path) ? fail() : result;
}

int main(int argc, char **argv)
{
	const char *way = argv[1];

	if (argc != 5)
		return 64;
	directory = argv[2];
	name = argv[3];
	scratch = argv[4];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	snprintf(other, sizeof(other), "%s/%s", scratch, name);
	if (!strcmp(way, "hard-link"))
		return by_hard_link();
	if (!strcmp(way, "generation"))
		return by_generation();
	if (!strcmp(way, "bind-mount"))
		return by_bind_mount();
	if (!strcmp(way, "open-tree"))
		return by_open_tree();
	if (!strcmp(way, "overlay"))
		return by_overlay(0);
	if (!strcmp(way, "copied-up"))
		return by_overlay(1);
	if (!strcmp(way, "handle"))
		return by_handle();
	if (!strcmp(way, "chroot"))
		return by_chroot();
	if (!strcmp(way, "process-root"))
		return by_process_root();
	if (!strcmp(way, "descriptor"))
		return by_descriptor();
	if (!strcmp(way, "symbolic-link"))
		return by_symbolic_link();
	if (!strcmp(way, "rename"))
		return by_rename();
	return 64;
}
