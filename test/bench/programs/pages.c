/* pages.c - what it takes on this machine to touch a page for the first time after a rest.
 *
 *   pages ROUNDS
 *
 * PAGES pages of 4 KiB are read once a second, in no order, and once more right after. Prints one JSON line: microseconds a page, means of the rounds.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGES 2048
#define STRIDE (4096 + 64) /* another cache set for each */
#define STEP 1021          /* prime to PAGES */

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
	double first = 0, again = 0;
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
		again += touch(memory);
	}
	printf("{\"after_rest_us\":%.3f,\"again_us\":%.3f}\n", first / rounds, again / rounds);
	return 0;
}
