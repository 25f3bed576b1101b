/* dns (udp|tcp|split|junk) HEX HEX: in a new network namespace a child sends the
 * first message to a server on 127.0.0.1:53, which answers with the second. tcp sends
 * the length with the message, split sends it separately. junk is udp on port 5300. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include <sys/wait.h>
#include <unistd.h>

struct message {
	unsigned char bytes[2 + 4096];
	size_t size;
};

static struct message parse(const char *hex)
{
	struct message m = { .size = strlen(hex) / 2 };

	for (size_t at = 0; at < m.size; at++)
		sscanf(hex + 2 * at, "%2hhx", m.bytes + 2 + at);
	m.bytes[0] = m.size >> 8;
	m.bytes[1] = m.size;
	return m;
}

static int raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int failed = ioctl(fd, SIOCSIFFLAGS, &request);

	close(fd);
	return failed;
}

static void transmit(int to, char how, struct message *m)
{
	if (how == 's') {
		send(to, m->bytes, 2, 0);
		send(to, m->bytes + 2, m->size, 0);
	} else if (how == 't') {
		send(to, m->bytes, m->size + 2, 0);
	} else {
		send(to, m->bytes + 2, m->size, 0);
	}
}

/* Reads until the peer has sent everything, or one message over UDP. */
static void receive(int from, char how, size_t size)
{
	char buffer[4096];

	if (how == 'u' || how == 'j')
		recv(from, buffer, sizeof(buffer), 0);
	else
		recv(from, buffer, size + 2, MSG_WAITALL);
}

int main(int argc, char **argv)
{
	struct sockaddr_in where = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct message question, answer;
	int type, server, peer, on = 1;
	char how;

	if (argc < 4)
		return 64;
	how = argv[1][0];
	question = parse(argv[2]);
	answer = parse(argv[3]);
	where.sin_port = htons(how == 'j' ? 5300 : 53);
	type = how == 'u' || how == 'j' ? SOCK_DGRAM : SOCK_STREAM;
	if (unshare(CLONE_NEWNET) || raise_loopback())
		return 1;
	server = socket(AF_INET, type, 0);
	if (bind(server, (void *)&where, sizeof(where)) || (type == SOCK_STREAM && listen(server, 1)))
		return 2;
	if (!fork()) {
		close(server);
		peer = socket(AF_INET, type, 0);
		setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (connect(peer, (void *)&where, sizeof(where)))
			_exit(3);
		transmit(peer, how, &question);
		receive(peer, how, answer.size);
		_exit(0);
	}
	if (type == SOCK_STREAM) {
		peer = accept(server, 0, 0);
		setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		receive(peer, how, question.size);
	} else {
		struct sockaddr_in from;
		socklen_t size = sizeof(from);
		char buffer[4096];

		peer = server;
		recvfrom(server, buffer, sizeof(buffer), 0, (void *)&from, &size);
		connect(server, (void *)&from, size);
	}
	transmit(peer, how, &answer);
	wait(0);
	return 0;
}
