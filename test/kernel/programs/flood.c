/* flood (opens PATH | forks - | connects PORT) TIMES [COMMAND...]: repeats an
 * action; forks and connects once more a second later; then executes COMMAND. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_action(const char *action, const char *argument)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	pid_t child;
	int fd;

	switch (action[0]) {
	case 'o':
		close(open(argument, O_WRONLY | O_CREAT, 0600));
		return;
	case 'f':
		child = fork();
		if (!child)
			_exit(0);
		waitpid(child, 0, 0);
		return;
	case 'c':
		address.sin_port = htons(atoi(argument));
		fd = socket(AF_INET, SOCK_STREAM, 0);
		connect(fd, (void *)&address, sizeof(address));
		close(fd);
	}
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 64;
	for (int n = atoi(argv[3]); n > 0; n--)
		run_action(argv[1], argv[2]);
	if (argv[1][0] != 'o') {
		usleep(1100000);
		run_action(argv[1], argv[2]);
	}
	if (argc > 4)
		execvp(argv[4], argv + 4);
	return 0;
}
