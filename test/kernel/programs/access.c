/* access TARGET CALL...: reads or writes a child, call by call. As root.
 *
 * TARGET: child, refused (the caller is another user), missing (the child is gone), self (the caller itself)
 * CALL: attach, seize, poke, setregs, peek, traceme, readv, writev, getfd, getfd-missing, mem, environ, status */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHER_USER 65534

static long word = 42;
static pid_t target;
static int descriptor;

static void open_in_proc(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", target, name);
	close(open(path, O_RDONLY));
}

static void move(int number)
{
	long copy = 43;
	struct iovec local = { &copy, sizeof(copy) };
	struct iovec remote = { &word, sizeof(word) };

	syscall(number, target, &local, 1UL, &remote, 1UL, 0UL);
}

static void traceme(void)
{
	pid_t child = fork();

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		_exit(0);
	}
	waitpid(child, 0, 0);
}

static int call(const char *name)
{
	struct user_regs_struct registers = {};

	if (!strcmp(name, "attach")) {
		if (!ptrace(PTRACE_ATTACH, target, 0, 0))
			waitpid(target, 0, __WALL);
	} else if (!strcmp(name, "seize"))
		ptrace(PTRACE_SEIZE, target, 0, 0);
	else if (!strcmp(name, "poke"))
		ptrace(PTRACE_POKEDATA, target, &word, 44L);
	else if (!strcmp(name, "setregs")) {
		ptrace(PTRACE_GETREGS, target, 0, &registers);
		ptrace(PTRACE_SETREGS, target, 0, &registers);
	} else if (!strcmp(name, "peek"))
		ptrace(PTRACE_PEEKDATA, target, &word, 0);
	else if (!strcmp(name, "traceme"))
		traceme();
	else if (!strcmp(name, "readv"))
		move(SYS_process_vm_readv);
	else if (!strcmp(name, "writev"))
		move(SYS_process_vm_writev);
	else if (!strcmp(name, "getfd"))
		syscall(SYS_pidfd_getfd, descriptor, 0, 0);
	else if (!strcmp(name, "getfd-missing"))
		syscall(SYS_pidfd_getfd, descriptor, 1000, 0);
	else if (!strcmp(name, "mem") || !strcmp(name, "environ") || !strcmp(name, "status"))
		open_in_proc(name);
	else
		return 64;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 64;
	printf("%p\n", (void *)&word);
	fflush(stdout);
	target = strcmp(argv[1], "self") ? fork() : getpid();
	if (!target)
		for (;;)
			pause();
	descriptor = syscall(SYS_pidfd_open, target, 0);
	if (!strcmp(argv[1], "refused"))
		syscall(SYS_setresuid, OTHER_USER, OTHER_USER, 0);
	if (!strcmp(argv[1], "missing")) {
		kill(target, SIGKILL);
		waitpid(target, 0, 0);
	}
	for (int n = 2; n < argc; n++)
		if (call(argv[n]))
			return 64;
	if (!strcmp(argv[1], "refused"))
		syscall(SYS_setresuid, 0, 0, 0);
	if (target != getpid()) {
		kill(target, SIGKILL);
		waitpid(target, 0, __WALL);
	}
	return 0;
}
