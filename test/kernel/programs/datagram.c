/* datagram (udp4|udp6) (sendto|sendmsg|sendmmsg|connected) COUNT SIZE: a child sends COUNT datagrams to its parent,
 *   which answers each with one byte. Prints the parent's port.
 * datagram (udp4|udp6) (sendto|sendmsg|sendmmsg) denied: a send that the kernel refuses.
 * datagram udp4 many COUNT: two datagrams to each of COUNT ports, then the socket is closed.
 * datagram (unix|abstract) HOW COUNT SIZE NAME: COUNT datagrams to a unix socket of this name. HOW is a system call, or
 *   written (by write), anew (each from a new socket), full (until the socket is full, then one to NAME.gone),
 *   pair (to a socket without a name), nobody (to a missing socket), stream (over a connection),
 *   deserted (by write to a closed socket).
 * datagram unix (several|partly) COUNT SIZE NAME: COUNT (at most 10) datagrams in one sendmmsg, to NAME.0, NAME.1, ...,
 *   each one byte longer than the one before; with partly the last socket is missing. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

union socket_address {
	struct sockaddr all;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	struct sockaddr_un name;
};

#define SEVERAL_MAX 10

static char buffer[65536];

static ssize_t transmit(const char *how, int fd, size_t bytes, union socket_address *to, socklen_t size)
{
	struct iovec part = { buffer, bytes };
	struct mmsghdr message = { .msg_hdr = { .msg_name = to, .msg_namelen = size, .msg_iov = &part, .msg_iovlen = 1 } };

	if (!strcmp(how, "sendmsg"))
		return sendmsg(fd, &message.msg_hdr, 0);
	if (!strcmp(how, "sendmmsg"))
		return sendmmsg(fd, &message, 1, 0);
	if (!strcmp(how, "connected"))
		return send(fd, buffer, bytes, 0);
	if (!strcmp(how, "written") || !strcmp(how, "deserted"))
		return write(fd, buffer, bytes);
	return sendto(fd, buffer, bytes, 0, &to->all, size);
}

static int send_denied(const char *how, int six)
{
	union socket_address to = { .four = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = 0xffffffff } };
	int fd = socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

	/* a broadcast without permission; more bytes than an IPv6 datagram holds */
	if (six)
		to.six = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	return transmit(how, fd, six ? sizeof(buffer) : 1, &to, six ? sizeof(to.six) : sizeof(to.four)) >= 0;
}

static int send_to_many(int count)
{
	union socket_address to = { .four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (int port = 1; port <= count; port++) {
		to.four.sin_port = htons(port);
		for (int repeat = 0; repeat < 2; repeat++)
			while (sendto(fd, buffer, port, 0, &to.all, sizeof(to.four)) < 0)
				;
	}
	return close(fd);
}

static int client(const char *how, union socket_address *to, socklen_t size, int count, size_t bytes)
{
	int fd = socket(to->all.sa_family, SOCK_DGRAM, 0);

	if (!strcmp(how, "connected") && connect(fd, &to->all, size))
		return 2;
	for (int sent = 0; sent < count; sent++) {
		if (transmit(how, fd, bytes, to, size) < 0)
			return 3;
		recv(fd, buffer, sizeof(buffer), 0);
	}
	return close(fd);
}

static int unix_ends(const char *how, union socket_address *to, socklen_t size, int ends[2])
{
	int type = strcmp(how, "stream") ? SOCK_DGRAM : SOCK_STREAM;

	if (!strcmp(how, "pair"))
		return socketpair(AF_UNIX, type, 0, ends);
	ends[0] = socket(AF_UNIX, type, 0);
	ends[1] = socket(AF_UNIX, type, 0);
	if (!strcmp(how, "nobody"))
		return 0;
	if (bind(ends[1], &to->all, size) || (type == SOCK_STREAM && listen(ends[1], 1)))
		return -1;
	if (type == SOCK_DGRAM && strcmp(how, "connected") && strcmp(how, "written") && strcmp(how, "deserted"))
		return 0;
	if (connect(ends[0], &to->all, size))
		return -1;
	return strcmp(how, "deserted") ? 0 : close(ends[1]);
}

/* The kernel resolves the name before it finds the socket full; the second name it does not find. */
static int send_to_full(int fd, size_t bytes, union socket_address *to, socklen_t size)
{
	while (sendto(fd, buffer, bytes, MSG_DONTWAIT, &to->all, size) >= 0)
		;
	memcpy(to->name.sun_path + size - offsetof(struct sockaddr_un, sun_path), ".gone", 5);
	return sendto(fd, buffer, bytes, MSG_DONTWAIT, &to->all, size + 5) >= 0;
}

static int send_several(int count, int present, size_t bytes, const char *name)
{
	union socket_address to[SEVERAL_MAX] = {};
	struct iovec parts[SEVERAL_MAX];
	struct mmsghdr messages[SEVERAL_MAX] = {};

	for (int at = 0; at < count; at++) {
		to[at].name.sun_family = AF_UNIX;
		snprintf(to[at].name.sun_path, sizeof(to[at].name.sun_path), "%s.%d", name, at);
		if (at < present && bind(socket(AF_UNIX, SOCK_DGRAM, 0), &to[at].all, sizeof(to[at].name)))
			return 2;
		parts[at] = (struct iovec){ buffer, bytes + at };
		messages[at].msg_hdr = (struct msghdr){ .msg_name = &to[at], .msg_namelen = sizeof(to[at].name), .msg_iov = &parts[at], .msg_iovlen = 1 };
	}
	return sendmmsg(socket(AF_UNIX, SOCK_DGRAM, 0), messages, count, 0) != present;
}

static int unix_client(const char *kind, const char *how, int count, size_t bytes, const char *name)
{
	int abstract = *kind == 'a';
	union socket_address to = { .name = { .sun_family = AF_UNIX } };
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + abstract + strlen(name);
	int alone = !strcmp(how, "pair") || !strcmp(how, "stream");
	int ends[2];

	if (!strcmp(how, "several") || !strcmp(how, "partly"))
		return count > SEVERAL_MAX || send_several(count, count - (*how == 'p'), bytes, name);
	memcpy(to.name.sun_path + abstract, name, strlen(name));
	if (unix_ends(how, &to, size, ends))
		return 2;
	if (!strcmp(how, "full"))
		return send_to_full(ends[0], bytes, &to, size);
	for (int sent = 0; sent < count; sent++) {
		ssize_t sent_bytes;

		/* the previous one stays open: otherwise the kernel would reuse its address for the new socket */
		if (!strcmp(how, "anew"))
			ends[0] = socket(AF_UNIX, SOCK_DGRAM, 0);
		sent_bytes = transmit(alone ? "connected" : how, ends[0], bytes, &to, size);

		if (sent_bytes < 0 && strcmp(how, "nobody") && strcmp(how, "deserted"))
			return 3;
		recv(ends[1], buffer, sizeof(buffer), MSG_DONTWAIT);
	}
	return 0;
}

int main(int argc, char **argv)
{
	union socket_address address = { .four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
	int six = argc > 3 && !strcmp(argv[1], "udp6");
	socklen_t size = six ? sizeof(address.six) : sizeof(address.four);
	int server;

	if (argc < 4)
		return 64;
	if (!strcmp(argv[3], "denied"))
		return send_denied(argv[2], six);
	if (argc > 5)
		return unix_client(argv[1], argv[2], atoi(argv[3]), atol(argv[4]), argv[5]);
	if (argc < 5)
		return send_to_many(atoi(argv[3]));
	if (six)
		address.six = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	server = socket(address.all.sa_family, SOCK_DGRAM, 0);
	if (bind(server, &address.all, size) || getsockname(server, &address.all, &size))
		return 1;
	printf("%d\n", ntohs(address.four.sin_port));
	fflush(stdout);
	if (!fork()) {
		close(server);
		_exit(client(argv[2], &address, size, atoi(argv[3]), atol(argv[4])));
	}
	for (int received = 0; received < atoi(argv[3]); received++) {
		union socket_address from;

		size = sizeof(from);
		recvfrom(server, buffer, sizeof(buffer), 0, &from.all, &size);
		sendto(server, buffer, 1, 0, &from.all, size);
	}
	wait(0);
	return close(server);
}
