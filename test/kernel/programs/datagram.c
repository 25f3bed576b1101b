/* datagram (udp4|udp6) (sendto|sendmsg|sendmmsg|connected) COUNT SIZE: a child sends so many datagrams to its parent, which answers each with one byte.
 * datagram (udp4|udp6) (sendto|sendmsg|sendmmsg) denied: a send that the kernel refuses.
 * datagram udp4 many COUNT: one datagram to each of so many ports, then the socket is closed.
 * datagram (unix|abstract) (sendto|sendmsg|sendmmsg|connected|written|anew|full|pair|nobody|stream|deserted) COUNT SIZE NAME: so many datagrams to a unix socket of
 * this name, (written) by write, (anew) each by a socket of its own, or (full) more than it takes and then one to NAME.gone, or (pair) to one that has none, or
 * (nobody) to none at all, or (stream) down a connection to it, or (deserted) by write to one that is closed.
 * datagram unix (several|partly) COUNT SIZE NAME: by one sendmmsg as many, to NAME.0, NAME.1…, each of one byte more than the one before, (partly) the last of which
 * is not there; COUNT 10 at most.
 * Prints the port of the parent. */
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

union any {
	struct sockaddr all;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	struct sockaddr_un name;
};

#define SEVERAL_MAX 10

static char some[65536];

static ssize_t transmit(const char *how, int own, size_t bytes, union any *to, socklen_t size)
{
	struct iovec part = { some, bytes };
	struct mmsghdr message = { .msg_hdr = { .msg_name = to, .msg_namelen = size, .msg_iov = &part, .msg_iovlen = 1 } };

	if (!strcmp(how, "sendmsg"))
		return sendmsg(own, &message.msg_hdr, 0);
	if (!strcmp(how, "sendmmsg"))
		return sendmmsg(own, &message, 1, 0);
	if (!strcmp(how, "connected"))
		return send(own, some, bytes, 0);
	if (!strcmp(how, "written") || !strcmp(how, "deserted"))
		return write(own, some, bytes);
	return sendto(own, some, bytes, 0, &to->all, size);
}

static int denied(const char *how, int six)
{
	union any to = { .four = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = 0xffffffff } };
	int own = socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

	/* a broadcast without leave to; more than an IPv6 datagram holds */
	if (six)
		to.six = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	return transmit(how, own, six ? sizeof(some) : 1, &to, six ? sizeof(to.six) : sizeof(to.four)) >= 0;
}

static int many(int count)
{
	union any to = { .four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
	int own = socket(AF_INET, SOCK_DGRAM, 0);

	for (int port = 1; port <= count; port++) {
		to.four.sin_port = htons(port);
		for (int again = 0; again < 2; again++)
			while (sendto(own, some, port, 0, &to.all, sizeof(to.four)) < 0)
				;
	}
	return close(own);
}

static int client(const char *how, union any *to, socklen_t size, int count, size_t bytes)
{
	int own = socket(to->all.sa_family, SOCK_DGRAM, 0);

	if (!strcmp(how, "connected") && connect(own, &to->all, size))
		return 2;
	for (int sent = 0; sent < count; sent++) {
		if (transmit(how, own, bytes, to, size) < 0)
			return 3;
		recv(own, some, sizeof(some), 0);
	}
	return close(own);
}

static int unix_ends(const char *how, union any *to, socklen_t size, int ends[2])
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

/* The kernel has gone all the way to the name before it finds no room there; to the other it does not come. */
static int full(int own, size_t bytes, union any *to, socklen_t size)
{
	while (sendto(own, some, bytes, MSG_DONTWAIT, &to->all, size) >= 0)
		;
	memcpy(to->name.sun_path + size - offsetof(struct sockaddr_un, sun_path), ".gone", 5);
	return sendto(own, some, bytes, MSG_DONTWAIT, &to->all, size + 5) >= 0;
}

static int several(int count, int there, size_t bytes, const char *name)
{
	union any to[SEVERAL_MAX] = {};
	struct iovec parts[SEVERAL_MAX];
	struct mmsghdr messages[SEVERAL_MAX] = {};

	for (int at = 0; at < count; at++) {
		to[at].name.sun_family = AF_UNIX;
		snprintf(to[at].name.sun_path, sizeof(to[at].name.sun_path), "%s.%d", name, at);
		if (at < there && bind(socket(AF_UNIX, SOCK_DGRAM, 0), &to[at].all, sizeof(to[at].name)))
			return 2;
		parts[at] = (struct iovec){ some, bytes + at };
		messages[at].msg_hdr = (struct msghdr){ .msg_name = &to[at], .msg_namelen = sizeof(to[at].name), .msg_iov = &parts[at], .msg_iovlen = 1 };
	}
	return sendmmsg(socket(AF_UNIX, SOCK_DGRAM, 0), messages, count, 0) != there;
}

static int unix_client(const char *kind, const char *how, int count, size_t bytes, const char *name)
{
	int abstract = *kind == 'a';
	union any to = { .name = { .sun_family = AF_UNIX } };
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + abstract + strlen(name);
	int alone = !strcmp(how, "pair") || !strcmp(how, "stream");
	int ends[2];

	if (!strcmp(how, "several") || !strcmp(how, "partly"))
		return count > SEVERAL_MAX || several(count, count - (*how == 'p'), bytes, name);
	memcpy(to.name.sun_path + abstract, name, strlen(name));
	if (unix_ends(how, &to, size, ends))
		return 2;
	if (!strcmp(how, "full"))
		return full(ends[0], bytes, &to, size);
	for (int sent = 0; sent < count; sent++) {
		ssize_t done;

		/* the one before stays open, or the kernel would make the next in its place */
		if (!strcmp(how, "anew"))
			ends[0] = socket(AF_UNIX, SOCK_DGRAM, 0);
		done = transmit(alone ? "connected" : how, ends[0], bytes, &to, size);

		if (done < 0 && strcmp(how, "nobody") && strcmp(how, "deserted"))
			return 3;
		recv(ends[1], some, sizeof(some), MSG_DONTWAIT);
	}
	return 0;
}

int main(int argc, char **argv)
{
	union any own = { .four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
	int six = argc > 3 && !strcmp(argv[1], "udp6");
	socklen_t size = six ? sizeof(own.six) : sizeof(own.four);
	int server;

	if (argc < 4)
		return 64;
	if (!strcmp(argv[3], "denied"))
		return denied(argv[2], six);
	if (argc > 5)
		return unix_client(argv[1], argv[2], atoi(argv[3]), atol(argv[4]), argv[5]);
	if (argc < 5)
		return many(atoi(argv[3]));
	if (six)
		own.six = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	server = socket(own.all.sa_family, SOCK_DGRAM, 0);
	if (bind(server, &own.all, size) || getsockname(server, &own.all, &size))
		return 1;
	printf("%d\n", ntohs(own.four.sin_port));
	fflush(stdout);
	if (!fork()) {
		close(server);
		_exit(client(argv[2], &own, size, atoi(argv[3]), atol(argv[4])));
	}
	for (int got = 0; got < atoi(argv[3]); got++) {
		union any from;

		size = sizeof(from);
		recvfrom(server, some, sizeof(some), 0, &from.all, &size);
		sendto(server, some, 1, 0, &from.all, size);
	}
	wait(0);
	return close(server);
}
