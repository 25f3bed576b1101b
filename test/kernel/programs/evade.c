/* evade WHAT [PATH]: what sensors tend to miss.
 * descriptor PATH: a child receives a descriptor of PATH over a socket, and reads it
 * user-namespace: a child in a new user namespace, by clone */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static void prepare(struct msghdr *message, struct iovec *data, union control *control)
{
	message->msg_iov = data;
	message->msg_iovlen = 1;
	message->msg_control = control;
	message->msg_controllen = sizeof(*control);
}

static int receive(int socket)
{
	char byte;
	struct iovec data = { &byte, 1 };
	union control control = {};
	struct msghdr message = {};
	int file;

	prepare(&message, &data, &control);
	if (recvmsg(socket, &message, 0) != 1)
		return 1;
	memcpy(&file, CMSG_DATA(&control.header), sizeof(file));
	return read(file, &byte, 1) != 1;
}

static int pass(const char *path)
{
	char byte = 'x';
	struct iovec data = { &byte, 1 };
	union control control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct msghdr message = {};
	int ends[2], status, file;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return 1;
	child = fork();
	if (!child)
		_exit(receive(ends[1]));
	file = open(path, O_RDONLY);
	memcpy(CMSG_DATA(&control.header), &file, sizeof(file));
	prepare(&message, &data, &control);
	if (file < 0 || sendmsg(ends[0], &message, 0) != 1)
		return 1;
	waitpid(child, &status, 0);
	return status;
}

static int new_user_namespace(void)
{
	pid_t child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	int status;

	if (!child)
		_exit(0);
	return child < 0 || waitpid(child, &status, 0) != child;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "descriptor"))
		return pass(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "user-namespace"))
		return new_user_namespace();
	return 64;
}
