/* getpid COUNT: makes COUNT system calls that the sensor does not trace. Prints the nanoseconds they took. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 1;
	long long started = now();

	for (long i = 0; i < count; i++)
		syscall(SYS_getpid);
	printf("%lld\n", now() - started);
	return 0;
}
