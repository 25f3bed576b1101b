/* sockets socket FAMILY TYPE PROTOCOL: makes a socket.
 * sockets bind (tcp4|tcp6|unix|abstract|vsock) ADDRESS PORT [BACKLOG]: binds one and, with a backlog, listens.
 * sockets listen connected: listens on a socket that cannot. */
#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

union socket_address {
	struct sockaddr all;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	struct sockaddr_un file;
	struct sockaddr_vm machine;
};

static socklen_t fill(union socket_address *address, const char *kind, const char *text, unsigned port)
{
	size_t length = strlen(text);
	int abstract = kind[0] == 'a';

	switch (kind[strlen(kind) - 1]) {
	case '4':
		address->four = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
		inet_pton(AF_INET, text, &address->four.sin_addr);
		return sizeof(address->four);
	case '6':
		address->six = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
		inet_pton(AF_INET6, text, &address->six.sin6_addr);
		return sizeof(address->six);
	case 'k':
		address->machine = (struct sockaddr_vm){ .svm_family = AF_VSOCK, .svm_port = port, .svm_cid = atoi(text) };
		return sizeof(address->machine);
	default:
		memset(address, 0, sizeof(*address));
		address->file.sun_family = AF_UNIX;
		memcpy(address->file.sun_path + abstract, text, length);
		return offsetof(struct sockaddr_un, sun_path) + abstract + length;
	}
}

int main(int argc, char **argv)
{
	union socket_address address;
	socklen_t size;
	int fd;

	if (argc == 3) {
		address.four = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		connect(fd, &address.all, sizeof(address.four));
		return listen(fd, 7) == 0;
	}
	if (argc < 5)
		return 64;
	if (!strcmp(argv[1], "socket"))
		return socket(atoi(argv[2]), atoi(argv[3]), atoi(argv[4])) < 0;
	size = fill(&address, argv[2], argv[3], atoi(argv[4]));
	fd = socket(address.all.sa_family, SOCK_STREAM, 0);
	if (fd < 0)
		return 1;
	if (bind(fd, &address.all, size))
		return 2;
	if (argc > 5)
		return listen(fd, atoi(argv[5])) ? 3 : 0;
	return 0;
}
