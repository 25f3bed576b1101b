/* compat (fork|exit|connect|unix|bind|signal|open) [PID]: makes this system call by int 0x80 although it is a 64-bit
 * program. Exits with 77 where there is no such call: on other architectures, or without IA32_EMULATION. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__

static long call(long number, long first, long second, long third)
{
	long result;

	asm volatile("int $0x80"
		     : "=a"(result)
		     : "a"(number), "b"(first), "c"(second), "d"(third)
		     : "memory", "r8", "r9", "r10", "r11");
	return result;
}

/* Without the emulation int 0x80 raises SIGSEGV. */
static void unsupported(int signal)
{
	_exit(77);
}

/* A copy below 4 GiB, which a 32-bit call can name. */
static void *low(const void *from, size_t size)
{
	void *to = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	return memcpy(to, from, size);
}

int main(int argc, char **argv)
{
	struct sockaddr_un nowhere = { .sun_family = AF_UNIX, .sun_path = "/nonexistent" };
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	const char *what = argc > 1 ? argv[1] : "";

	signal(SIGSEGV, unsupported);
	call(20, 0, 0, 0); /* getpid */
	signal(SIGSEGV, SIG_DFL);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!strcmp(what, "fork")) {
		if (!call(2, 0, 0, 0))
			_exit(0);
		wait(0);
	} else if (!strcmp(what, "exit"))
		call(1, 0, 0, 0);
	else if (!strcmp(what, "connect"))
		call(362, socket(AF_INET, SOCK_STREAM, 0), (long)low(&to, sizeof(to)), sizeof(to));
	else if (!strcmp(what, "unix"))
		call(362, socket(AF_UNIX, SOCK_STREAM, 0), (long)low(&nowhere, sizeof(nowhere)), sizeof(nowhere));
	else if (!strcmp(what, "bind"))
		call(361, socket(AF_INET, SOCK_STREAM, 0), (long)low(&any, sizeof(any)), sizeof(any));
	else if (!strcmp(what, "signal"))
		call(37, atoi(argv[2]), SIGURG, 0);
	else if (!strcmp(what, "open"))
		call(5, (long)low("/", 2), 0, 0);
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
