/* clone (fork|vfork|clone|clone3): makes one child, in a new UTS namespace where the call supports that. As root. */
#define _GNU_SOURCE
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct clone_args args = { .flags = CLONE_NEWUTS, .exit_signal = SIGCHLD };
	long child = -1;

	if (argc < 2)
		return 64;
	if (!strcmp(argv[1], "fork"))
		child = syscall(SYS_fork);
	else if (!strcmp(argv[1], "vfork"))
		child = vfork();
	else if (!strcmp(argv[1], "clone"))
		child = syscall(SYS_clone, CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);
	else if (!strcmp(argv[1], "clone3"))
		child = syscall(SYS_clone3, &args, sizeof(args));
	if (!child)
		_exit(0);
	return child < 0 || waitpid(child, 0, 0) != child;
}
