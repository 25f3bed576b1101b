/* peer (listen|connect) (PORT|PATH): one end of a connection on this host, over TCP or a unix socket. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in inet = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	if (argc != 3)
		return 1;
	int is_path = argv[2][0] == '/', fd = socket(is_path ? AF_UNIX : AF_INET, SOCK_STREAM, 0), on = 1;
	strncpy(local.sun_path, argv[2], sizeof local.sun_path - 1);
	inet.sin_port = htons(atoi(argv[2]));
	struct sockaddr *name = is_path ? (struct sockaddr *)&local : (struct sockaddr *)&inet;
	socklen_t size = is_path ? sizeof local : sizeof inet;
	if (strcmp(argv[1], "connect") == 0)
		return connect(fd, name, size) < 0;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, name, size) < 0 || listen(fd, 1) < 0)
		return 1;
	return accept(fd, NULL, NULL) < 0;
}
