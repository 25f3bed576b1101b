/* bystander SECRET PORT TIMES: fifty times a second executes a program from memory
 * with the action's number as its argument, opens SECRET and connects to PORT. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void copy_self(int to)
{
	static char bytes[1 << 20];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t size = read(from, bytes, sizeof(bytes));

	if (size <= 0 || write(to, bytes, size) != size)
		_exit(65);
	close(from);
}

static void run_from_memory(int number)
{
	char text[16];
	char *arguments[] = { "action", text, 0 };
	pid_t child = fork();

	if (!child) {
		int fd = memfd_create("payload", MFD_CLOEXEC);

		snprintf(text, sizeof(text), "%d", number);
		copy_self(fd);
		fexecve(fd, arguments, (char *[]){ 0 });
		_exit(66);
	}
	waitpid(child, 0, 0);
}

static void connect_to(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	connect(fd, (void *)&address, sizeof(address));
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return 0;
	if (argc != 4)
		return 64;
	for (int number = 0; number < atoi(argv[3]); number++) {
		run_from_memory(number);
		close(open(argv[1], O_RDONLY));
		connect_to(atoi(argv[2]));
		usleep(20000);
	}
	return 0;
}
