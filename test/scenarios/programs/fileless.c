/* fileless PROGRAM ARGS...: executes a copy of the program from memory. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
	int from = open(argv[argc > 1], O_RDONLY), memory = memfd_create("update", MFD_CLOEXEC);
	if (argc < 2 || from < 0 || memory < 0)
		return 1;
	while (sendfile(memory, from, NULL, 1 << 30) > 0)
		;
	fexecve(memory, argv + 1, environ);
	return 1;
}
