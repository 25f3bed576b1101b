/* accept (tcp4|tcp6|unix) (accept|accept4) [PATH|deaf|full|nobody]: listens, connects to itself
 * and accepts. Prints the listening and the connecting port. deaf does not listen, full has no
 * free descriptor, nobody does not connect and does not wait: these end with the accept. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SOCK_CLOEXEC
#define SOCK_CLOEXEC 02000000
#endif
int accept4(int, struct sockaddr *, socklen_t *, int);

static int accept_by(const char *call, int listener)
{
	return strcmp(call, "accept4") ? accept(listener, 0, 0) : accept4(listener, 0, 0, SOCK_CLOEXEC);
}

static int fail_to_accept(const char *call, const char *how, struct sockaddr *where, socklen_t size)
{
	struct rlimit none = { 0, 0 };
	int listener = socket(where->sa_family, SOCK_STREAM, 0);

	if (bind(listener, where, size) || (how[0] != 'd' && listen(listener, 1)))
		return 1;
	if (how[0] == 'f')
		setrlimit(RLIMIT_NOFILE, &none);
	else
		fcntl(listener, F_SETFL, O_NONBLOCK);
	return accept_by(call, listener) >= 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un file = { .sun_family = AF_UNIX };
	struct sockaddr *where = (void *)&four;
	socklen_t size = sizeof(four);
	struct sockaddr_in6 from = {};
	int listener, client, accepted;

	if (argc < 3)
		return 64;
	if (!strcmp(argv[1], "tcp6")) {
		where = (void *)&six;
		size = sizeof(six);
	} else if (!strcmp(argv[1], "unix")) {
		strncpy(file.sun_path, argv[3], sizeof(file.sun_path) - 1);
		where = (void *)&file;
		size = sizeof(file);
	}
	if (argc > 3 && strcmp(argv[1], "unix"))
		return fail_to_accept(argv[2], argv[3], where, size);
	listener = socket(where->sa_family, SOCK_STREAM, 0);
	if (bind(listener, where, size) || listen(listener, 1) || getsockname(listener, where, &size))
		return 1;
	client = socket(where->sa_family, SOCK_STREAM, 0);
	if (connect(client, where, size))
		return 2;
	accepted = accept_by(argv[2], listener);
	size = sizeof(from);
	getsockname(client, (void *)&from, &size);
	/* the port has the same offset in both families */
	printf("%d %d\n", ntohs(((struct sockaddr_in *)where)->sin_port), ntohs(from.sin6_port));
	return accepted < 0;
}
