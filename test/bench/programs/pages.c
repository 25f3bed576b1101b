/* pages.c - the cost on this machine of touching a page for the first time after a pause.
 *
 *   pages ROUNDS
 *
 * Once a second reads PAGES pages of 4 KiB in a scattered order, then reads them
 * again. Prints one JSON line: microseconds per page, averaged over the rounds. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGES 2048
#define STRIDE (4096 + 64) /* a different cache set for each page */
#define STEP 1021          /* coprime to PAGES */

static volatile unsigned sink;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double touch(const char *from)
{
	double begin = now();
	unsigned sum = 0;

	for (unsigned i = 0; i < PAGES; i++)
		sum += (unsigned)from[(size_t)(i * STEP % PAGES) * STRIDE];
	sink = sum;
	return (now() - begin) / PAGES;
}

int main(int argc, char **argv)
{
	double first = 0, second = 0;
	int rounds = argc > 1 ? atoi(argv[1]) : 9;
	size_t size = (size_t)PAGES * STRIDE;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || rounds < 1) {
		fprintf(stderr, "usage: pages ROUNDS\n");
		return 2;
	}
	madvise(memory, size, MADV_NOHUGEPAGE);
	memset(memory, 1, size);
	for (int round = 0; round < rounds; round++) {
		sleep(1);
		first += touch(memory);
		second += touch(memory);
	}
	printf("{\"after_rest_us\":%.3f,\"again_us\":%.3f}\n", first / rounds, second / rounds);
	return 0;
}
