/* flow (tcp4|tcp6) SENT RECEIVED [reset]: a server, and a child that connects to it, sends and receives that many bytes and closes, or resets.
 * flow refused: a connect that isn't waited for, to a port that nobody listens on.
 * Prints the port of the server. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void give(int to, size_t bytes)
{
	static char some[4096];

	while (bytes) {
		ssize_t sent = send(to, some, bytes < sizeof(some) ? bytes : sizeof(some), 0);

		if (sent < 1)
			exit(4);
		bytes -= sent;
	}
}

static void take(int from, size_t bytes)
{
	static char some[4096];

	while (bytes) {
		ssize_t got = recv(from, some, bytes < sizeof(some) ? bytes : sizeof(some), 0);

		if (got < 1)
			exit(5);
		bytes -= got;
	}
}

static int client(struct sockaddr *where, socklen_t size, size_t sent, size_t received, int reset)
{
	struct linger at_once = { 1, 0 };
	int own = socket(where->sa_family, SOCK_STREAM, 0);

	if (connect(own, where, size))
		return 2;
	give(own, sent);
	take(own, received);
	if (reset)
		setsockopt(own, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(own);
	return 0;
}

static int refused(void)
{
	struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int own = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd wait = { .fd = own, .events = POLLOUT };

	if (!connect(own, (void *)&where, sizeof(where)) || errno != EINPROGRESS)
		return 3;
	poll(&wait, 1, 2000);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int is_six = argc > 1 && !strcmp(argv[1], "tcp6");
	struct sockaddr *where = is_six ? (void *)&six : (void *)&four;
	socklen_t size = is_six ? sizeof(six) : sizeof(four);
	int listener, accepted;
	char byte;

	if (argc == 2)
		return refused();
	listener = socket(where->sa_family, SOCK_STREAM, 0);
	if (bind(listener, where, size) || listen(listener, 1) || getsockname(listener, where, &size))
		return 1;
	printf("%d\n", ntohs(four.sin_port ? four.sin_port : six.sin6_port));
	fflush(stdout);
	if (!fork()) {
		close(listener);
		_exit(client(where, size, atol(argv[2]), atol(argv[3]), argc > 4));
	}
	accepted = accept(listener, 0, 0);
	take(accepted, atol(argv[2]));
	give(accepted, atol(argv[3]));
	/* the end of it, or that it is reset */
	recv(accepted, &byte, 1, 0);
	close(accepted);
	wait(0);
	return 0;
}
