/* connect (tcp4|tcp6|udp4|udp6|unix|abstract|unspec) ADDRESS PORT [nonblock]: one connect(), with any result. `unspec`
 *   connects UDP and dissolves the connection.
 * connect shared PATH -: to a unix socket, by a process that shares its descriptors
 * connect twice ADDRESS PORT: over TCP, then again on the connected socket
 * connect waits PATH MS: to a unix socket that accepts only after the caller has slept for MS */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static socklen_t name_unix(struct sockaddr_un *address, const char *path, int abstract)
{
	size_t length = strlen(path);

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path + abstract, path, length);
	return offsetof(struct sockaddr_un, sun_path) + abstract + length;
}

static int connect_unix(const char *path, int abstract)
{
	struct sockaddr_un address;
	socklen_t length = name_unix(&address, path, abstract);

	return connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, length);
}

static void connect_shared(const char *path)
{
	int child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);

	if (!child)
		_exit(connect_unix(path, 0) < 0);
	waitpid(child, 0, 0);
}

static char state_of(int pid)
{
	char path[32], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (file) {
		if (fscanf(file, "%*d %*s %c", &state) != 1)
			state = 0;
		fclose(file);
	}
	return state;
}

static void connect_waits(const char *path, int ms)
{
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address;
	socklen_t length = name_unix(&address, path, 0);
	int child;

	if (bind(listener, (void *)&address, length) || listen(listener, 0))
		exit(1);
	connect_unix(path, 0); /* fills the backlog of one */
	child = fork();
	if (!child)
		exit(connect_unix(path, 0) < 0);
	while (state_of(child) == 'R' || state_of(child) == 'D')
		usleep(1000);
	usleep(ms * 1000);
	accept(listener, 0, 0);
	waitpid(child, 0, 0);
}

static void connect_twice(const char *text, int port)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	int socket4 = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, text, &four.sin_addr);
	connect(socket4, (void *)&four, sizeof(four));
	connect(socket4, (void *)&four, sizeof(four));
}

static int connect_inet(const char *how, const char *text, int port, int flags)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	int type = (how[0] == 't' ? SOCK_STREAM : SOCK_DGRAM) | flags;

	if (how[3] == '6') {
		inet_pton(AF_INET6, text, &six.sin6_addr);
		return connect(socket(AF_INET6, type, 0), (void *)&six, sizeof(six));
	}
	inet_pton(AF_INET, text, &four.sin_addr);
	return connect(socket(AF_INET, type, 0), (void *)&four, sizeof(four));
}

int main(int argc, char **argv)
{
	struct sockaddr unspecified = { .sa_family = AF_UNSPEC };

	if (argc < 4)
		return 64;
	if (!strcmp(argv[1], "unix") || !strcmp(argv[1], "abstract"))
		connect_unix(argv[2], argv[1][0] == 'a');
	else if (!strcmp(argv[1], "shared"))
		connect_shared(argv[2]);
	else if (!strcmp(argv[1], "waits"))
		connect_waits(argv[2], atoi(argv[3]));
	else if (!strcmp(argv[1], "twice"))
		connect_twice(argv[2], atoi(argv[3]));
	else if (!strcmp(argv[1], "unspec"))
		connect(socket(AF_INET, SOCK_DGRAM, 0), &unspecified, sizeof(unspecified));
	else
		connect_inet(argv[1], argv[2], atoi(argv[3]), argc > 4 ? SOCK_NONBLOCK : 0);
	return 0;
}
