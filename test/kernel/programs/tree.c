/* tree WAY [CGROUP]: a process whose descendants try to outlive its kill. Prints "ready" once they are under way.
 *   idle      ten children that sleep, each with ten of its own
 *   hop       forks and ends, again and again: only the newest process lives
 *   hop-exec  the same, and executes this program each time
 *   wide      60 processes, each of which forks children that end at once
 *   daemon    forks twice with a session of its own, then sleeps
 *   vfork     runs a program by vfork again and again
 *   cgroup    children move to CGROUP and go on to fork there
 *   namespace a child in a new pid namespace, whose children fork
 *   traced    a child that its parent traces, stopped at a signal
 *   spin      a child that makes no system call
 *   threads   forks from a thread that is not the leader, whose leader has ended */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char *self;

static void ready(void)
{
	if (write(1, "ready\n", 6) != 6)
		_exit(1);
}

static void rest(void)
{
	for (;;)
		pause();
}

static void idle(void)
{
	for (int child = 0; child < 10; child++) {
		if (fork())
			continue;
		for (int grandchild = 0; grandchild < 10; grandchild++)
			if (!fork())
				rest();
		rest();
	}
	usleep(50000);
	ready();
	rest();
}

static void hop(int executes)
{
	for (int hops = 0;; hops++) {
		if (hops == 50)
			ready();
		if (fork() > 0)
			_exit(0);
		if (executes && hops > 50)
			execl(self, self, "hop-exec", "again", (char *)0);
	}
}

static void hop_again(void)
{
	for (;;) {
		if (fork() > 0)
			_exit(0);
		execl(self, self, "hop-exec", "again", (char *)0);
	}
}

/* On a busy machine children end late: without a bound they would pile up, and starve the test itself. */
#define CHILDREN_MAX 8

static void churn(void)
{
	for (int children = 0;;) {
		if (!fork())
			_exit(0);
		children++;
		while (waitpid(-1, 0, children < CHILDREN_MAX ? WNOHANG : 0) > 0)
			children--;
	}
}

static void wide(void)
{
	for (int child = 1; child < 60; child++)
		if (!fork())
			churn();
	ready();
	churn();
}

static void daemonize(void)
{
	if (!fork()) {
		setsid();
		if (fork())
			_exit(0);
		setsid();
		ready();
		rest();
	}
	rest();
}

static void run_by_vfork(void)
{
	for (int runs = 0;; runs++) {
		pid_t child = vfork();

		if (!child) {
			execl("/bin/true", "true", (char *)0);
			_exit(1);
		}
		waitpid(child, 0, 0);
		if (runs == 3)
			ready();
	}
}

static void move(const char *cgroup)
{
	char path[4096];
	int procs;

	if (fork())
		rest();
	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	procs = open(path, O_WRONLY);
	if (procs < 0 || write(procs, "0", 1) != 1)
		_exit(1);
	ready();
	churn();
}

static void enter_namespace(void)
{
	if (unshare(CLONE_NEWPID))
		_exit(1);
	if (!fork()) {
		ready();
		churn();
	}
	rest();
}

static void trace(void)
{
	pid_t child = fork();

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGTRAP);
		rest();
	}
	waitpid(child, 0, 0);
	ready();
	rest();
}

static void spin(void)
{
	if (!fork())
		for (;;)
			;
	usleep(10000);
	ready();
	rest();
}

static void *fork_on(void *nothing)
{
	usleep(10000);
	ready();
	churn();
	return nothing;
}

static void fork_from_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, 0, fork_on, 0);
	pthread_exit(0);
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";

	self = argv[0];
	if (argc > 2 && !strcmp(argv[2], "again"))
		hop_again();
	if (!strcmp(way, "idle"))
		idle();
	if (!strcmp(way, "hop") || !strcmp(way, "hop-exec"))
		hop(!strcmp(way, "hop-exec"));
	if (!strcmp(way, "wide"))
		wide();
	if (!strcmp(way, "daemon"))
		daemonize();
	if (!strcmp(way, "vfork"))
		run_by_vfork();
	if (!strcmp(way, "cgroup") && argc > 2)
		move(argv[2]);
	if (!strcmp(way, "namespace"))
		enter_namespace();
	if (!strcmp(way, "traced"))
		trace();
	if (!strcmp(way, "spin"))
		spin();
	if (!strcmp(way, "threads"))
		fork_from_thread();
	return 2;
}
