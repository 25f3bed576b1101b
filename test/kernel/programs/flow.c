/* flow (tcp4|tcp6) SENT RECEIVED [reset]: a server, and a child that connects to it, sends and receives that many
 * bytes, and closes or resets the connection. Prints the server's port.
 * flow refused: a non-blocking connect to a port without a listener. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void send_bytes(int to, size_t bytes)
{
	static char buffer[4096];

	while (bytes) {
		ssize_t sent = send(to, buffer, bytes < sizeof(buffer) ? bytes : sizeof(buffer), 0);

		if (sent < 1)
			exit(4);
		bytes -= sent;
	}
}

static void receive_bytes(int from, size_t bytes)
{
	static char buffer[4096];

	while (bytes) {
		ssize_t size = recv(from, buffer, bytes < sizeof(buffer) ? bytes : sizeof(buffer), 0);

		if (size < 1)
			exit(5);
		bytes -= size;
	}
}

static int client(struct sockaddr *where, socklen_t size, size_t sent, size_t received, int reset)
{
	struct linger at_once = { 1, 0 };
	int fd = socket(where->sa_family, SOCK_STREAM, 0);

	if (connect(fd, where, size))
		return 2;
	send_bytes(fd, sent);
	receive_bytes(fd, received);
	if (reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
	return 0;
}

static int refused(void)
{
	struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd wait = { .fd = fd, .events = POLLOUT };

	if (!connect(fd, (void *)&where, sizeof(where)) || errno != EINPROGRESS)
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
	receive_bytes(accepted, atol(argv[2]));
	send_bytes(accepted, atol(argv[3]));
	/* returns at the end of the connection or its reset */
	recv(accepted, &byte, 1, 0);
	close(accepted);
	wait(0);
	return 0;
}
