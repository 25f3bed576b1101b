/* flood (opens PATH | forks - | connects PORT | spawns - | runs - | environments - | mounts - | bpf -) TIMES
 * [COMMAND...]: repeats an action; forks and connects once more a second later; then executes COMMAND.
 * `spawns` executes a program with an argument of 100,000 bytes, `environments` one with a variable of as
 * many bytes, `runs` one with neither. `mounts` fails to mount a source of 4,000 bytes on a target of 4,000
 * bytes, and `bpf` to fetch an object from a path of 4,000 bytes. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_TEXT 100000
#define PATH_TEXT 4000

/* Executes a program with `argument` and `variable`, which may be null. */
static void spawn(char *argument, char *variable)
{
	pid_t child;

	if (!posix_spawn(&child, "/bin/true", 0, 0, (char *[]){ "true", argument, 0 }, (char *[]){ variable, 0 }))
		waitpid(child, 0, 0);
}

static char *long_text(const char *head)
{
	static char text[LONG_TEXT + 1];

	memset(text, 'a', LONG_TEXT);
	memcpy(text, head, strlen(head));
	return text;
}

static char *long_path(void)
{
	static char path[PATH_TEXT + 1];

	memset(path, 'a', PATH_TEXT);
	for (int slash = 0; slash < PATH_TEXT; slash += 200)
		path[slash] = '/';
	return path;
}

static void fail_to_fetch(void)
{
	union bpf_attr attr = { .pathname = (long)long_path() };

	syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
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
		spawn(long_text(""), 0);
		return;
	case 'e':
		spawn(0, long_text("LD_LIBRARY_PATH="));
		return;
	case 'r':
		spawn(0, 0);
		return;
	case 'm':
		mount(long_path(), long_path(), "none", 0, 0);
		return;
	case 'b':
		fail_to_fetch();
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
