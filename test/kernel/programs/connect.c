/* connect (tcp4|tcp6|udp4|udp6|unix|abstract|unspec) ADDRESS PORT [nonblock]: one connect(), whatever becomes of it. `unspec` connects UDP and takes it back. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_unix(const char *path, int abstract)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(path);

	memcpy(address.sun_path + abstract, path, length);
	return connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, offsetof(struct sockaddr_un, sun_path) + abstract + length);
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
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	if (argc < 4)
		return 64;
	if (!strcmp(argv[1], "unix") || !strcmp(argv[1], "abstract"))
		connect_unix(argv[2], argv[1][0] == 'a');
	else if (!strcmp(argv[1], "unspec"))
		connect(socket(AF_INET, SOCK_DGRAM, 0), &nobody, sizeof(nobody));
	else
		connect_inet(argv[1], argv[2], atoi(argv[3]), argc > 4 ? SOCK_NONBLOCK : 0);
	return 0;
}
