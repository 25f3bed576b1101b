/* change CALL ARGUMENT...: exactly that system call. DIR is the directory that a relative path begins at, or cwd; FILE is opened to get the descriptor,
 * or none. Numbers are octal where they are modes. Ends with 1 when the call failed. */
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

static char **a;

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

static int is(const char *call)
{
	return !strcmp(a[0], call);
}

static long name_changes(void)
{
	if (is("rename"))
		return syscall(SYS_rename, a[1], a[2]);
	if (is("renameat"))
		return syscall(SYS_renameat, directory(a[1]), a[2], directory(a[3]), a[4]);
	if (is("renameat2"))
		return syscall(SYS_renameat2, directory(a[1]), a[2], directory(a[3]), a[4], atoi(a[5]));
	if (is("link"))
		return syscall(SYS_link, a[1], a[2]);
	if (is("linkat"))
		return syscall(SYS_linkat, directory(a[1]), a[2], directory(a[3]), a[4], 0);
	if (is("linkat-empty"))
		return syscall(SYS_linkat, file(a[1]), "", directory(a[2]), a[3], AT_EMPTY_PATH);
	if (is("symlink"))
		return syscall(SYS_symlink, a[1], a[2]);
	if (is("symlinkat"))
		return syscall(SYS_symlinkat, a[1], directory(a[2]), a[3]);
	if (is("unlink"))
		return syscall(SYS_unlink, a[1]);
	if (is("unlinkat"))
		return syscall(SYS_unlinkat, directory(a[1]), a[2], 0);
	if (is("unlinkat-directory"))
		return syscall(SYS_unlinkat, directory(a[1]), a[2], AT_REMOVEDIR);
	if (is("unlink-fault"))
		return syscall(SYS_unlink, 8L);
	if (is("rmdir"))
		return syscall(SYS_rmdir, a[1]);
	if (is("mkdir"))
		return syscall(SYS_mkdir, a[1], octal(a[2]));
	if (is("mkdirat"))
		return syscall(SYS_mkdirat, directory(a[1]), a[2], octal(a[3]));
	if (is("mknod"))
		return syscall(SYS_mknod, a[1], octal(a[2]), makedev(atoi(a[3]), atoi(a[4])));
	if (is("mknodat"))
		return syscall(SYS_mknodat, directory(a[1]), a[2], octal(a[3]), makedev(atoi(a[4]), atoi(a[5])));
	return 64;
}

static long owner_changes(void)
{
	if (is("chmod"))
		return syscall(SYS_chmod, a[1], octal(a[2]));
	if (is("fchmod"))
		return syscall(SYS_fchmod, file(a[1]), octal(a[2]));
	if (is("fchmodat"))
		return syscall(SYS_fchmodat, directory(a[1]), a[2], octal(a[3]));
	if (is("fchmodat2"))
		return syscall(SYS_fchmodat2, directory(a[1]), a[2], octal(a[3]), AT_SYMLINK_NOFOLLOW);
	if (is("fchmodat2-empty"))
		return syscall(SYS_fchmodat2, file(a[1]), "", octal(a[2]), AT_EMPTY_PATH);
	if (is("chown"))
		return syscall(SYS_chown, a[1], atoi(a[2]), atoi(a[3]));
	if (is("lchown"))
		return syscall(SYS_lchown, a[1], atoi(a[2]), atoi(a[3]));
	if (is("fchown"))
		return syscall(SYS_fchown, file(a[1]), atoi(a[2]), atoi(a[3]));
	if (is("fchownat"))
		return syscall(SYS_fchownat, directory(a[1]), a[2], atoi(a[3]), atoi(a[4]), AT_SYMLINK_NOFOLLOW);
	if (is("fchownat-empty"))
		return syscall(SYS_fchownat, file(a[1]), "", atoi(a[2]), atoi(a[3]), AT_EMPTY_PATH);
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

	if (is("setxattr"))
		return syscall(SYS_setxattr, a[1], a[2], value(a[2]), sizeof(capability), 0);
	if (is("lsetxattr"))
		return syscall(SYS_lsetxattr, a[1], a[2], value(a[2]), sizeof(capability), 0);
	if (is("fsetxattr"))
		return syscall(SYS_fsetxattr, file(a[1]), a[2], value(a[2]), sizeof(capability), 0);
	if (is("setxattrat")) {
		arguments.value = (unsigned long long)value(a[3]);
		return syscall(SYS_setxattrat, directory(a[1]), a[2], 0, a[3], &arguments, sizeof(arguments));
	}
	if (is("removexattr"))
		return syscall(SYS_removexattr, a[1], a[2]);
	if (is("lremovexattr"))
		return syscall(SYS_lremovexattr, a[1], a[2]);
	if (is("fremovexattr"))
		return syscall(SYS_fremovexattr, file(a[1]), a[2]);
	if (is("removexattrat"))
		return syscall(SYS_removexattrat, directory(a[1]), a[2], 0, a[3]);
	return 64;
}

static long splice_file(int flags)
{
	static const char page[4096];
	int from = open(a[1], flags);
	int pipes[2];

	if (from < 0 || pipe(pipes))
		return 64;
	if (!strcmp(a[2], "full"))
		while (fcntl(pipes[1], F_SETFL, O_NONBLOCK) == 0 && write(pipes[1], page, sizeof(page)) > 0)
			;
	return syscall(SYS_splice, from, 0, pipes[1], 0, 1L, flags ? 0 : 2 /* SPLICE_F_NONBLOCK */);
}

static long content_changes(void)
{
	if (is("truncate"))
		return syscall(SYS_truncate, a[1], atol(a[2]));
	if (is("ftruncate"))
		return syscall(SYS_ftruncate, file(a[1]), atol(a[2]));
	if (is("splice"))
		return splice_file(O_RDONLY);
	if (is("splice-writable"))
		return splice_file(O_RDWR);
	return 64;
}

/* As somebody else, or below another root: first `as UID GID` or `root DIRECTORY`. */
static void become(void)
{
	for (;;) {
		if (is("as")) {
			if (setgid(atoi(a[2])) || setuid(atoi(a[1])))
				exit(65);
			a += 3;
		} else if (is("root")) {
			if (chroot(a[1]))
				exit(65);
			a += 2;
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
	a = argv + 1;
	become();
	for (unsigned int n = 0; n < sizeof(calls) / sizeof(*calls); n++) {
		long result = calls[n]();

		if (result != 64)
			return result < 0;
	}
	return 64;
}
