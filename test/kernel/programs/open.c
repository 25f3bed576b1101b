/* open (open|openat|openat2|creat) PATH FLAGS [TIMES]: makes exactly that system call. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long open_by(const char *call, const char *path, long flags)
{
	struct open_how how = { .flags = flags, .mode = flags & O_CREAT ? 0600 : 0 };

	if (!strcmp(call, "open"))
		return syscall(SYS_open, path, flags, 0600);
	if (!strcmp(call, "creat"))
		return syscall(SYS_creat, path, 0600);
	if (!strcmp(call, "openat2"))
		return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	return syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
}

int main(int argc, char **argv)
{
	int times = argc > 4 ? atoi(argv[4]) : 1;

	if (argc < 4)
		return 64;
	for (int n = 0; n < times; n++) {
		long fd = open_by(argv[1], argv[2], atol(argv[3]));

		if (fd >= 0)
			close(fd);
	}
	return 0;
}
