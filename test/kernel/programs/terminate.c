/* terminate code N | signal N | abort | leader-first N | together THREADS N: ends a process in the chosen way. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static pthread_barrier_t barrier;

/* Asks the kernel, since no pause is long enough on every machine. */
static int leader_is_gone(void)
{
	char text[256] = "";
	FILE *stat = fopen("/proc/self/stat", "r");

	if (!stat || !fgets(text, sizeof(text), stat))
		_exit(65);
	fclose(stat);
	return strstr(text, ") Z ") != 0;
}

static void *exit_later(void *code)
{
	while (!leader_is_gone())
		usleep(1000);
	exit((int)(long)code);
}

static void *return_together(void *unused)
{
	pthread_barrier_wait(&barrier);
	return unused;
}

int main(int argc, char **argv)
{
	struct rlimit no_core = { 0, 0 };
	pthread_t thread;

	if (argc < 2)
		return 64;
	setrlimit(RLIMIT_CORE, &no_core);
	if (!strcmp(argv[1], "signal"))
		raise(atoi(argv[2]));
	if (!strcmp(argv[1], "abort"))
		abort();
	if (!strcmp(argv[1], "leader-first")) {
		pthread_create(&thread, 0, exit_later, (void *)(long)atoi(argv[2]));
		pthread_exit(0);
	}
	if (!strcmp(argv[1], "together")) {
		int threads = atoi(argv[2]);

		pthread_barrier_init(&barrier, 0, threads + 1);
		for (int n = 0; n < threads; n++)
			pthread_create(&thread, 0, return_together, 0);
		pthread_barrier_wait(&barrier);
		pthread_exit(0);
	}
	return atoi(argv[2]);
}
