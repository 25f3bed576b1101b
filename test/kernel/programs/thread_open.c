/* thread_open PATH: a thread other than the leader opens it for reading. */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static void *run(void *path)
{
	close(open(path, O_RDONLY));
	return 0;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc < 2 || pthread_create(&thread, 0, run, argv[1]))
		return 64;
	return pthread_join(thread, 0);
}
