/* attempt CALL ARGUMENT...: makes calls that should fail. The exit code is the number of calls that worked. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOWHERE ((void *)8)
#define PAUSE_US 1100000
#define HUGE_WORDS 40
#define HUGE_BYTES (100 << 10)

static char *empty[] = { 0 };

/* An empty path pauses for more than a second. */
static int execs(char **paths)
{
	for (; *paths; paths++) {
		char *words[] = { *paths, "one", "two words", 0 };

		if (**paths)
			execve(*paths, words, empty);
		else
			usleep(PAUSE_US);
	}
	return 0;
}

/* More than 2 MiB of arguments, after two short ones. */
static int exec_huge(char *path)
{
	char *words[HUGE_WORDS + 3] = { path, "short" };

	for (int n = 2; n < HUGE_WORDS + 2; n++) {
		words[n] = malloc(HUGE_BYTES);
		memset(words[n], 'x', HUGE_BYTES - 1);
		words[n][HUGE_BYTES - 1] = 0;
	}
	execve(path, words, empty);
	return 0;
}

/* `count` words of one letter, for a missing executable. */
static int exec_many(char *path, int count)
{
	char **words = calloc(count + 1, sizeof(*words));

	for (int n = 0; n < count; n++)
		words[n] = "w";
	execve(path, words, empty);
	return 0;
}

static int exec_at(char *directory, char *name, int flags)
{
	char *words[] = { "called", 0 };

	syscall(SYS_execveat, open(directory, O_PATH), name, words, empty, flags);
	return 0;
}

/* Through syscall(), since the compiler checks the arguments of execve. */
static int exec_fault(char *path)
{
	syscall(SYS_execve, path, NOWHERE, empty);
	syscall(SYS_execve, NOWHERE, empty, empty);
	return 0;
}

static void *return_at_once(void *unused)
{
	return unused;
}

/* Makes a child or a thread. Returns 1 if that worked. */
static int fork_by(const char *call, unsigned long flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
	pthread_t thread;
	long child = -1;

	if (!strcmp(call, "thread"))
		return !pthread_create(&thread, 0, return_at_once, 0) && !pthread_join(thread, 0);
#ifdef SYS_fork
	if (!strcmp(call, "fork"))
		child = syscall(SYS_fork);
	else if (!strcmp(call, "vfork"))
		child = vfork();
#endif
	if (!strcmp(call, "clone"))
		child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	else if (!strcmp(call, "clone3"))
		child = syscall(SYS_clone3, &args, sizeof(args));
	if (!child)
		_exit(0);
	return child > 0 && waitpid(child, 0, 0) == child;
}

/* Works for users other than root. */
static void limit_processes(void)
{
	setrlimit(RLIMIT_NPROC, &(struct rlimit){ 0, 0 });
}

static int fork_storm(int count)
{
	int succeeded = 0;

	limit_processes();
	for (int n = 0; n < count; n++)
		succeeded += fork_by("clone", 0);
	return succeeded;
}

static void on_alarm(int unused)
{
}

/* Signals arrive while forks are under way, so that the kernel restarts them. */
static int fork_interrupted(int count)
{
	int failed = 0;

	signal(SIGALRM, on_alarm);
	for (int n = 0; n < count; n++) {
		setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_usec = 1 + n % 100 }, 0);
		failed += !fork_by("clone", 0);
	}
	return !!failed;
}

int main(int argc, char **argv)
{
	int succeeded = 0;

	if (argc < 3)
		return 64;
	if (!strcmp(argv[1], "exec"))
		return execs(argv + 2);
	if (!strcmp(argv[1], "exec-huge"))
		return exec_huge(argv[2]);
	if (!strcmp(argv[1], "exec-many"))
		return exec_many(argv[2], atoi(argv[3]));
	if (!strcmp(argv[1], "exec-fault"))
		return exec_fault(argv[2]);
	if (!strcmp(argv[1], "execat"))
		return exec_at(argv[2], argv[3], atoi(argv[4]));
	if (!strcmp(argv[1], "storm"))
		return fork_storm(atoi(argv[2]));
	if (!strcmp(argv[1], "interrupted"))
		return fork_interrupted(atoi(argv[2]));
	if (!strcmp(argv[1], "limited"))
		limit_processes();
	for (int n = 2; n < argc; n++)
		succeeded += fork_by(argv[n], !strcmp(argv[1], "namespaces") ? CLONE_NEWUTS | CLONE_NEWPID : 0);
	return succeeded;
}
