/* flood (opens PATH | forks - | connects PORT | spawns - | mounts -) TIMES [COMMAND...]: repeats an action;
 * forks and connects once more a second later; then executes COMMAND. `spawns` executes a program with an
 * argument of 100,000 bytes, `mounts` fails to mount a source of 4,000 bytes on a target of 4,000 bytes. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENT 100000
#define MOUNT_TEXT 4000

static void spawn(void)
{
	static char argument[ARGUMENT + 1];
	char *arguments[] = { "true", argument, 0 };
	pid_t child;

	memset(argument, 'a', ARGUMENT);
	if (!posix_spawn(&child, "/bin/true", 0, 0, arguments, (char *[]){ 0 }))
		waitpid(child, 0, 0);
}

static void fail_to_mount(void)
{
	static char text[MOUNT_TEXT + 1];

	memset(text, 'a', MOUNT_TEXT);
	for (int slash = 0; slash < MOUNT_TEXT; slash += 200)
		text[slash] = '/';
	mount(text, text, "none", 0, 0);
}

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
		return;
	case 's':
		spawn();
		return;
	case 'm':
		fail_to_mount();
	}
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 64;
	for (int n = atoi(argv[3]); n > 0; n--)
		run_action(argv[1], argv[2]);
	if (strchr("fc", argv[1][0])) {
		usleep(1100000);
		run_action(argv[1], argv[2]);
	}
	if (argc > 4)
		execvp(argv[4], argv + 4);
	return 0;
}
