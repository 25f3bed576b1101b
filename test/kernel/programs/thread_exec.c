/* thread_exec EXECUTABLE: a thread other than the leader executes it, and so becomes the process. */
#include <pthread.h>
#include <unistd.h>

static void *run(void *path)
{
	char *arguments[] = { path, 0 };

	execv(path, arguments);
	_exit(66);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc < 2)
		return 64;
	pthread_create(&thread, 0, run, argv[1]);
	pause();
	return 65;
}
