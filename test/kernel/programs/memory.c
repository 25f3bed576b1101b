/* memory CALL [FILE] [COUNT]: makes executable memory, or a file in memory only. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT ((void *)0x10000000)
#define ANYWHERE (MAP_PRIVATE | MAP_ANONYMOUS)

static void *map(int protection, int flags, int fd)
{
	return mmap(AT, 8192, protection, flags | MAP_FIXED, fd, 0);
}

static int run_call(const char *call, const char *file)
{
	if (!strcmp(call, "memfd"))
		memfd_create("payload", MFD_CLOEXEC);
	else if (!strcmp(call, "memfd-wrong"))
		memfd_create("payload", 0x8000);
	else if (!strcmp(call, "mmap"))
		map(PROT_READ | PROT_WRITE | PROT_EXEC, ANYWHERE, -1);
	else if (!strcmp(call, "mmap-file"))
		map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, open(file, O_RDONLY));
	else if (!strcmp(call, "mmap-wrong"))
		map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, 1000);
	else if (!strcmp(call, "mmap-data"))
		map(PROT_READ | PROT_WRITE, ANYWHERE, -1);
	else if (!strcmp(call, "mprotect"))
		mprotect(map(PROT_READ | PROT_WRITE, ANYWHERE, -1), 4096, PROT_READ | PROT_EXEC);
	else if (!strcmp(call, "mprotect-both"))
		mprotect(map(PROT_READ, MAP_PRIVATE, open(file, O_RDONLY)), 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
	else if (!strcmp(call, "mprotect-file"))
		mprotect(map(PROT_READ, MAP_PRIVATE, open(file, O_RDONLY)), 4096, PROT_READ | PROT_EXEC);
	else if (!strcmp(call, "mprotect-stomped")) {
		char *text = map(PROT_READ | PROT_WRITE, MAP_PRIVATE, open(file, O_RDONLY));

		text[0] = 0;
		mprotect(text, 4096, PROT_READ | PROT_EXEC);
	} else if (!strcmp(call, "mprotect-deleted")) {
		int fd = open(file, O_RDONLY);

		unlink(file);
		mprotect(map(PROT_READ, MAP_PRIVATE, fd), 4096, PROT_READ | PROT_EXEC);
	} else if (!strcmp(call, "mprotect-wrong"))
		mprotect((void *)0x1000, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
	else if (!strcmp(call, "mprotect-data"))
		mprotect(map(PROT_READ, ANYWHERE, -1), 4096, PROT_READ | PROT_WRITE);
	else if (!strcmp(call, "pkey"))
		syscall(SYS_pkey_mprotect, map(PROT_READ, ANYWHERE, -1), 4096UL, PROT_READ | PROT_EXEC, -1L);
	else
		return 64;
	return 0;
}

int main(int argc, char **argv)
{
	int count = argc > 3 ? atoi(argv[3]) : 1;

	if (argc < 2)
		return 64;
	for (int n = 0; n < count; n++)
		if (run_call(argv[1], argc > 2 ? argv[2] : ""))
			return 64;
	return 0;
}
