/* refused DIRECTORY: makes calls that seccomp refuses with EPERM (unshare, mount,
 * mkdir, openat for writing, execve, setuid) and one that it allows, chmod. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALL(number)                                                                                                                     \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static int confine(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		CALL(SYS_unshare),
		CALL(SYS_mount),
		CALL(SYS_mkdirat),
		CALL(SYS_openat),
		CALL(SYS_execve),
		CALL(SYS_setuid),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
	char *none[] = { "/refused-program", 0 };
	int refused;

	if (argc != 2 || chdir(argv[1]) || mkdir("made-before", 0700) || confine())
		return 1;
	refused = unshare(CLONE_NEWNS) && errno == EPERM;
	refused += mount("none", "refused-mount", "tmpfs", 0, 0) && errno == EPERM;
	refused += mkdirat(AT_FDCWD, "refused-directory", 0700) && errno == EPERM;
	refused += openat(AT_FDCWD, "refused-file", O_WRONLY | O_CREAT, 0600) < 0 && errno == EPERM;
	refused += execve(none[0], none, none) && errno == EPERM;
	refused += syscall(SYS_setuid, 0) && errno == EPERM;
	refused += !chmod("made-before", 0711);
	return refused == 7 ? 0 : 2;
}
