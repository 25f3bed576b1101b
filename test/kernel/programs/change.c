/* change CALL ARGUMENT...: makes exactly that system call. DIR is the directory of a relative path, or
 * cwd; FILE is opened for the descriptor, or none. Modes are octal. Exits with 1 when the call failed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_removexattrat 466
#endif

struct xattr_arguments {
	unsigned long long value;
	unsigned int size, flags;
};

static char **args;

static int directory(const char *path)
{
	return strcmp(path, "cwd") ? open(path, O_RDONLY) : AT_FDCWD;
}

static int file(const char *path)
{
	int fd;

	if (!strcmp(path, "none"))
		return 99;
	fd = open(path, O_RDWR);
	return fd < 0 ? open(path, O_RDONLY) : fd;
}

static int octal(const char *text)
{
	return strtol(text, 0, 8);
}

static int is_call(const char *call)
{
	return !strcmp(args[0], call);
}

static long name_changes(void)
{
	if (is_call("rename"))
		return syscall(SYS_rename, args[1], args[2]);
	if (is_call("renameat"))
		return syscall(SYS_renameat, directory(args[1]), args[2], directory(args[3]), args[4]);
	if (is_call("renameat2"))
		return syscall(SYS_renameat2, directory(args[1]), args[2], directory(args[3]), args[4], atoi(args[5]));
	if (is_call("link"))
		return syscall(SYS_link, args[1], args[2]);
	if (is_call("linkat"))
		return syscall(SYS_linkat, directory(args[1]), args[2], directory(args[3]), args[4], 0);
	if (is_call("linkat-empty"))
		return syscall(SYS_linkat, file(args[1]), "", directory(args[2]), args[3], AT_EMPTY_PATH);
	if (is_call("symlink"))
		return syscall(SYS_symlink, args[1], args[2]);
	if (is_call("symlinkat"))
		return syscall(SYS_symlinkat, args[1], directory(args[2]), args[3]);
	if (is_call("unlink"))
		return syscall(SYS_unlink, args[1]);
	if (is_call("unlinkat"))
		return syscall(SYS_unlinkat, directory(args[1]), args[2], 0);
	if (is_call("unlinkat-directory"))
		return syscall(SYS_unlinkat, directory(args[1]), args[2], AT_REMOVEDIR);
	if (is_call("unlink-fault"))
		return syscall(SYS_unlink, 8L);
	if (is_call("rmdir"))
		return syscall(SYS_rmdir, args[1]);
	if (is_call("mkdir"))
		return syscall(SYS_mkdir, args[1], octal(args[2]));
	if (is_call("mkdirat"))
		return syscall(SYS_mkdirat, directory(args[1]), args[2], octal(args[3]));
	if (is_call("mknod"))
		return syscall(SYS_mknod, args[1], octal(args[2]), makedev(atoi(args[3]), atoi(args[4])));
	if (is_call("mknodat"))
		return syscall(SYS_mknodat, directory(args[1]), args[2], octal(args[3]), makedev(atoi(args[4]), atoi(args[5])));
	return 64;
}

static long owner_changes(void)
{
	if (is_call("chmod"))
		return syscall(SYS_chmod, args[1], octal(args[2]));
	if (is_call("fchmod"))
		return syscall(SYS_fchmod, file(args[1]), octal(args[2]));
	if (is_call("fchmodat"))
		return syscall(SYS_fchmodat, directory(args[1]), args[2], octal(args[3]));
	if (is_call("fchmodat2"))
		return syscall(SYS_fchmodat2, directory(args[1]), args[2], octal(args[3]), AT_SYMLINK_NOFOLLOW);
	if (is_call("fchmodat2-empty"))
		return syscall(SYS_fchmodat2, file(args[1]), "", octal(args[2]), AT_EMPTY_PATH);
	if (is_call("chown"))
		return syscall(SYS_chown, args[1], atoi(args[2]), atoi(args[3]));
	if (is_call("lchown"))
		return syscall(SYS_lchown, args[1], atoi(args[2]), atoi(args[3]));
	if (is_call("fchown"))
		return syscall(SYS_fchown, file(args[1]), atoi(args[2]), atoi(args[3]));
	if (is_call("fchownat"))
		return syscall(SYS_fchownat, directory(args[1]), args[2], atoi(args[3]), atoi(args[4]), AT_SYMLINK_NOFOLLOW);
	if (is_call("fchownat-empty"))
		return syscall(SYS_fchownat, file(args[1]), "", atoi(args[2]), atoi(args[3]), AT_EMPTY_PATH);
	return 64;
}

/* cap_setuid+ep, of version 2 */
static const unsigned int capability[5] = { 0x02000001, 1 << 7, 0, 0, 0 };

static const void *value(const char *name)
{
	return strcmp(name, "security.capability") ? "12345678901234567890" : (const void *)capability;
}

static long attribute_changes(void)
{
	struct xattr_arguments arguments = { .size = sizeof(capability) };

	if (is_call("setxattr"))
		return syscall(SYS_setxattr, args[1], args[2], value(args[2]), sizeof(capability), 0);
	if (is_call("lsetxattr"))
		return syscall(SYS_lsetxattr, args[1], args[2], value(args[2]), sizeof(capability), 0);
	if (is_call("fsetxattr"))
		return syscall(SYS_fsetxattr, file(args[1]), args[2], value(args[2]), sizeof(capability), 0);
	if (is_call("setxattrat")) {
		arguments.value = (unsigned long long)value(args[3]);
		return syscall(SYS_setxattrat, directory(args[1]), args[2], 0, args[3], &arguments, sizeof(arguments));
	}
	if (is_call("removexattr"))
		return syscall(SYS_removexattr, args[1], args[2]);
	if (is_call("lremovexattr"))
		return syscall(SYS_lremovexattr, args[1], args[2]);
	if (is_call("fremovexattr"))
		return syscall(SYS_fremovexattr, file(args[1]), args[2]);
	if (is_call("removexattrat"))
		return syscall(SYS_removexattrat, directory(args[1]), args[2], 0, args[3]);
	return 64;
}

static long splice_file(int flags)
{
	static const char page[4096];
	int from = open(args[1], flags);
	int pipes[2];

	if (from < 0 || pipe(pipes))
		return 64;
	if (!strcmp(args[2], "full"))
		while (fcntl(pipes[1], F_SETFL, O_NONBLOCK) == 0 && write(pipes[1], page, sizeof(page)) > 0)
			;
	return syscall(SYS_splice, from, 0, pipes[1], 0, 1L, flags ? 0 : 2 /* SPLICE_F_NONBLOCK */);
}

static long content_changes(void)
{
	if (is_call("truncate"))
		return syscall(SYS_truncate, args[1], atol(args[2]));
	if (is_call("ftruncate"))
		return syscall(SYS_ftruncate, file(args[1]), atol(args[2]));
	if (is_call("splice"))
		return splice_file(O_RDONLY);
	if (is_call("splice-writable"))
		return splice_file(O_RDWR);
	return 64;
}

/* Changes user or root first: `as UID GID`, `root DIRECTORY`. */
static void become(void)
{
	for (;;) {
		if (is_call("as")) {
			if (setgid(atoi(args[2])) || setuid(atoi(args[1])))
				exit(65);
			args += 3;
		} else if (is_call("root")) {
			if (chroot(args[1]))
				exit(65);
			args += 2;
		} else {
			return;
		}
	}
}

int main(int argc, char **argv)
{
	long (*const calls[])(void) = { name_changes, owner_changes, attribute_changes, content_changes };

	if (argc < 2)
		return 64;
	args = argv + 1;
	become();
	for (unsigned int n = 0; n < sizeof(calls) / sizeof(*calls); n++) {
		long result = calls[n]();

		if (result != 64)
			return result < 0;
	}
	return 64;
}
