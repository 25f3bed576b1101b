/* victim.c - repeats an action that a policy kills for, and prints how long the kill took.
 *
 *   victim COUNT INTERVAL_MS CGROUP FILE
 *
 * Each time a new process joins CGROUP (a directory), reads the clock, opens FILE for
 * reading and waits. Prints the ns from just before the open until it was found killed
 * by SIGKILL, or "alive" if that took more than 10 s; gives up after five of these. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void victim(const char *procs, const char *file, int out)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int fd = open(procs, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1) {
		perror(procs);
		_exit(1);
	}
	close(fd);
	usleep(20000); /* keeps the joining of the cgroup out of the measurement */
	alarm(10);
	long long begin = now();
	if (write(out, &begin, sizeof begin) != sizeof begin || open(file, O_RDONLY) < 0)
		_exit(1);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: victim COUNT INTERVAL_MS CGROUP FILE\n");
		return 2;
	}
	long count = atol(argv[1]), ms = atol(argv[2]);
	struct timespec gap = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	char procs[4096];
	snprintf(procs, sizeof procs, "%s/cgroup.procs", argv[3]);
	long alive = 0;
	for (long i = 0; i < count && alive < 5; i++) {
		int ends[2], status;
		if (pipe2(ends, O_CLOEXEC) < 0)
			return 1;
		pid_t pid = fork();
		if (pid == 0)
			victim(procs, argv[4], ends[1]);
		close(ends[1]);
		long long begin = 0;
		if (pid < 0 || waitpid(pid, &status, 0) < 0) {
			perror("victim");
			return 1;
		}
		long long end = now();
		if (read(ends[0], &begin, sizeof begin) != sizeof begin)
			return 1;
		close(ends[0]);
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
			printf("%lld\n", end - begin);
		else {
			printf("alive\n");
			alive++;
		}
		fflush(stdout);
		nanosleep(&gap, NULL);
	}
	return 0;
}
