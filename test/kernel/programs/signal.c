/* signal TARGET HOW SIGNAL [COUNT]: sends a child a signal, COUNT times. As root.
 *
 * TARGET: other (the child is another user's), same, namespace (the child has its own pid namespace), refused (the
 *         sender is another user), missing (the child is gone), group (a missing process group), pid:N (no child: that
 *         process)
 * HOW: kill, tkill, tgkill, sigqueue, tgsigqueue, pidfd, forged (sigqueue with the code of a timer) */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHER_USER 65534

static int descriptor = -1;

static long send(const char *how, pid_t to, int signal)
{
	siginfo_t info = { .si_signo = signal, .si_code = strcmp(how, "forged") ? SI_QUEUE : SI_TIMER };

	if (!strcmp(how, "kill"))
		return syscall(SYS_kill, to, signal);
	if (!strcmp(how, "tkill"))
		return syscall(SYS_tkill, to, signal);
	if (!strcmp(how, "tgkill"))
		return syscall(SYS_tgkill, to, to, signal);
	if (!strcmp(how, "tgsigqueue"))
		return syscall(SYS_rt_tgsigqueueinfo, to, to, signal, &info);
	if (!strcmp(how, "pidfd"))
		return syscall(SYS_pidfd_send_signal, descriptor, signal, 0, 0);
	return syscall(SYS_rt_sigqueueinfo, to, signal, &info);
}

static pid_t start_child(const char *kind)
{
	long flags = SIGCHLD | (strcmp(kind, "namespace") ? 0 : CLONE_NEWPID);
	int ready[2];
	char byte;
	pid_t child;

	if (pipe(ready))
		exit(65);
	child = syscall(SYS_clone, flags, 0, 0, 0, 0);
	if (!child) {
		signal(SIGUSR1, SIG_IGN);
		if (!strcmp(kind, "other"))
			syscall(SYS_setresuid, OTHER_USER, OTHER_USER, OTHER_USER);
		close(ready[0]);
		if (write(ready[1], "", 1) != 1)
			_exit(66);
		for (;;)
			pause();
	}
	if (read(ready[0], &byte, 1) != 1)
		exit(67);
	return child;
}

int main(int argc, char **argv)
{
	int signal, count;
	pid_t target;

	if (argc < 4)
		return 64;
	signal = atoi(argv[3]);
	count = argc > 4 ? atoi(argv[4]) : 1;
	if (!strncmp(argv[1], "pid:", 4)) {
		send(argv[2], atoi(argv[1] + 4), signal);
		return 0;
	}
	target = start_child(argv[1]);
	descriptor = syscall(SYS_pidfd_open, target, 0);
	if (!strcmp(argv[1], "refused"))
		syscall(SYS_setresuid, OTHER_USER, OTHER_USER, 0);
	if (!strcmp(argv[1], "missing")) {
		syscall(SYS_kill, target, SIGKILL);
		waitpid(target, 0, 0);
	}
	for (int n = 0; n < count; n++)
		send(argv[2], strcmp(argv[1], "group") ? target : -target, signal);
	if (!strcmp(argv[1], "refused"))
		syscall(SYS_setresuid, 0, 0, 0);
	syscall(SYS_kill, target, SIGKILL);
	waitpid(target, 0, 0);
	return 0;
}
