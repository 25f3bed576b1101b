/* race PATH DECOY TIMES [once]: opens PATH for writing while another thread replaces the returned descriptor by
 * DECOY. Prints how often the descriptor was another file when the call returned; with `once` it stops at the first. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int decoy, target;
static volatile int stopped;

static void *replace(void *unused)
{
	while (!stopped)
		dup2(decoy, target);
	return unused;
}

int main(int argc, char **argv)
{
	struct stat expected, opened;
	pthread_t thread;
	int replaced = 0, once = argc > 4;

	if (argc < 4)
		return 64;
	decoy = open(argv[2], O_RDONLY);
	target = dup(decoy);
	if (decoy < 0 || stat(argv[1], &expected) || pthread_create(&thread, 0, replace, 0))
		return 1;
	for (int n = atoi(argv[3]); n > 0 && !(once && replaced); n--) {
		int fd;

		close(target);
		fd = open(argv[1], O_WRONLY);
		if (fd == target) { /* otherwise the other thread had it already */
			if (!fstat(fd, &opened) && opened.st_ino != expected.st_ino)
				replaced++;
		} else if (fd >= 0)
			close(fd);
	}
	stopped = 1;
	pthread_join(thread, 0);
	printf("%d\n", replaced);
	return 0;
}
