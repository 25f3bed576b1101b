// A service manager's socket: notify-socket ADDRESS prints each datagram as a line. ADDRESS is a path, or @ and
// an abstract name. It ends with its parent.
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int receiver = socket(AF_UNIX, SOCK_DGRAM, 0);
	socklen_t length;
	char text[4096];

	if (argc < 2 || strlen(argv[1]) >= sizeof(address.sun_path))
		return 64;
	strcpy(address.sun_path, argv[1]);
	length = offsetof(struct sockaddr_un, sun_path) + strlen(argv[1]) + (*argv[1] != '@');
	if (*argv[1] == '@')
		address.sun_path[0] = 0;
	if (bind(receiver, (struct sockaddr *)&address, length)) {
		perror("bind");
		return 1;
	}
	if (*argv[1] != '@')
		chmod(argv[1], 0777);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	puts("bound");
	fflush(stdout);
	for (;;) {
		long size = recv(receiver, text, sizeof(text) - 1, 0);

		if (size < 0)
			return 1;
		text[size] = 0;
		for (char *end = text; (end = strchr(end, '\n'));)
			*end = '|';
		puts(text);
		fflush(stdout);
	}
}
