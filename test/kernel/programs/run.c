/* run (memfd|deleted|raw) EXECUTABLE: executes a copy in memory, a file
 * that is removed first, or the file with arguments that are not UTF-8. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void copy(const char *from, int to)
{
	char buffer[65536];
	int in = open(from, O_RDONLY);
	ssize_t size;

	while ((size = read(in, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, size) != size)
			_exit(65);
	close(in);
}

int main(int argc, char **argv)
{
	char *arguments[] = { "\xff\xfe", "\x1b[31m", "two\nlines", "", "end", 0 };
	char *environment[] = { 0 };
	int fd;

	if (argc < 3)
		return 64;
	if (!strcmp(argv[1], "memfd")) {
		fd = memfd_create("payload", MFD_CLOEXEC);
		copy(argv[2], fd);
		fexecve(fd, arguments, environment);
	} else if (!strcmp(argv[1], "deleted")) {
		fd = open(argv[2], O_RDONLY | O_CLOEXEC);
		unlink(argv[2]);
		fexecve(fd, arguments, environment);
	} else {
		execve(argv[2], arguments, environment);
	}
	perror("exec");
	return 66;
}
