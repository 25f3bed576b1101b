/* x32 (fork|exit|connect|signal|open) [PID]: makes this system call with the number of x32, as any 64-bit program may.
 * Exits with 77 where there is no such call: on other architectures, or without syscall.x32=y. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__

#define X32(number) (0x40000000 | (number))

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	const char *what = argc > 1 ? argv[1] : "";

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (syscall(X32(SYS_getpid)) < 0 && errno == ENOSYS)
		return 77;
	if (!strcmp(what, "fork")) {
		if (!syscall(X32(SYS_fork)))
			_exit(0);
		wait(0);
	} else if (!strcmp(what, "exit"))
		syscall(X32(SYS_exit_group), 0);
	else if (!strcmp(what, "connect"))
		syscall(X32(SYS_connect), socket(AF_INET, SOCK_STREAM, 0), &to, sizeof(to));
	else if (!strcmp(what, "signal"))
		syscall(X32(SYS_kill), atoi(argv[2]), SIGURG);
	else if (!strcmp(what, "open"))
		syscall(X32(SYS_openat), AT_FDCWD, argv[2], O_RDWR);
	else
		return 64;
	return 0;
}

#else

int main(void)
{
	return 77;
}

#endif
