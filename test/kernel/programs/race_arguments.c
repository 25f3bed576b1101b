/* race_arguments CALL ARGUMENT... TIMES: repeats a system call while another thread changes its arguments.
 *   mkdir A B            the path alternates between A and B (of one length); prints how often each was made
 *   fchmod FILE DECOY    DECOY replaces FILE behind the descriptor; prints how often the call changed each
 *   connect PORT PORT    the port alternates; prints how often each was reached
 *   connect-dup2 PORT PORT  a socket connected to the second port replaces the one that connects to the first;
 *                        prints how often the call succeeded
 *   bind NAME NAME       of a unix socket, as mkdir
 *   send NAME NAME       a process for each call sends two datagrams in one call, the second to NAME.2; prints how
 *                        many of the first reached each NAME */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[4096];
static struct sockaddr_in peer;
/* shared with the sending process, so that the other thread can change it */
static struct sockaddr_un *name;
static char **args;
static int decoy, target;
static volatile int stopped;

static void *change_path(void *to)
{
	size_t size = strlen(args[1]) + 1;

	while (!stopped) {
		memcpy(to, args[1], size);
		memcpy(to, args[2], size);
	}
	return 0;
}

static void *change_port(void *unused)
{
	while (!stopped) {
		*(volatile in_port_t *)&peer.sin_port = htons(atoi(args[1]));
		*(volatile in_port_t *)&peer.sin_port = htons(atoi(args[2]));
	}
	return unused;
}

static void *replace(void *unused)
{
	while (!stopped)
		dup2(decoy, target);
	return unused;
}

static int count[2];

static void make_directory(void)
{
	if (mkdir(path, 0755))
		return;
	for (int index = 0; index < 2; index++)
		if (!rmdir(args[1 + index]))
			count[index]++;
}

static void bind_name(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (!bind(fd, (struct sockaddr *)name, sizeof(*name)))
		for (int index = 0; index < 2; index++)
			if (!unlink(args[1 + index]))
				count[index]++;
	close(fd);
}

static int receivers[3];

static void receive_from(int index, const char *bound, const char *suffix)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s%s", bound, suffix);
	receivers[index] = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (bind(receivers[index], (struct sockaddr *)&address, sizeof(address)))
		exit(1);
}

static void send_two(void)
{
	struct sockaddr_un last = { .sun_family = AF_UNIX };
	struct iovec part = { "some", 4 };
	struct mmsghdr messages[2] = {
		{ .msg_hdr = { .msg_name = name, .msg_namelen = sizeof(*name), .msg_iov = &part, .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_name = &last, .msg_namelen = sizeof(last), .msg_iov = &part, .msg_iovlen = 1 } },
	};
	char buffer[8];

	snprintf(last.sun_path, sizeof(last.sun_path), "%s.2", args[1]);
	if (!fork())
		_exit(sendmmsg(socket(AF_UNIX, SOCK_DGRAM, 0), messages, 2, 0) != 2);
	wait(0);
	for (int index = 0; index < 2; index++)
		if (recv(receivers[index], buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
			count[index]++;
	recv(receivers[2], buffer, sizeof(buffer), MSG_DONTWAIT);
}

static void change_mode(void)
{
	static int mode = 0600;
	struct stat status;
	int fd;

	mode ^= 0100;
	close(target);
	fd = open(args[1], O_RDONLY);
	if (!fchmod(fd, mode) && !stat(args[1], &status))
		count[(status.st_mode & 0777) == mode ? 0 : 1]++;
	if (fd != target)
		close(fd);
}

static int connected_to(int fd)
{
	struct sockaddr_in address = {};
	socklen_t size = sizeof(address);

	return getpeername(fd, (struct sockaddr *)&address, &size) ? 0 : ntohs(address.sin_port);
}

static void make_connection(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (!connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		count[connected_to(fd) == atoi(args[1]) ? 0 : 1]++;
	close(fd);
}

static void connect_replaced(void)
{
	int fd;

	close(target);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (!connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		count[0]++;
	if (fd != target)
		close(fd);
}

static void prepare(void)
{
	peer.sin_family = AF_INET;
	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer.sin_port = htons(atoi(args[2]));
	name->sun_family = AF_UNIX;
	/* the other thread may start late */
	if (strlen(args[1]) < sizeof(name->sun_path))
		strcpy(name->sun_path, args[1]);
	if (strlen(args[1]) < sizeof(path))
		strcpy(path, args[1]);
	if (!strcmp(args[0], "send")) {
		receive_from(0, args[1], "");
		receive_from(1, args[2], "");
		receive_from(2, args[1], ".2");
	}
	if (!strcmp(args[0], "connect-dup2")) {
		decoy = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(decoy, (struct sockaddr *)&peer, sizeof(peer)))
			exit(1);
		peer.sin_port = htons(atoi(args[1]));
	} else {
		decoy = open(args[2], O_RDONLY);
	}
	target = dup(decoy);
}

struct race {
	const char *call;
	void *(*change)(void *);
	void *argument;
	void (*make)(void);
};

int main(int argc, char **argv)
{
	pthread_t thread;

	name = mmap(0, sizeof(*name), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (name == MAP_FAILED)
		return 1;

	const struct race races[] = {
		{ "mkdir", change_path, path, make_directory },
		{ "bind", change_path, name->sun_path, bind_name },
		{ "send", change_path, name->sun_path, send_two },
		{ "fchmod", replace, 0, change_mode },
		{ "connect", change_port, 0, make_connection },
		{ "connect-dup2", replace, 0, connect_replaced },
	};

	args = argv + 1;
	for (unsigned int index = 0; argc == 5 && index < sizeof(races) / sizeof(*races); index++) {
		if (strcmp(args[0], races[index].call))
			continue;
		prepare();
		if (pthread_create(&thread, 0, races[index].change, races[index].argument))
			return 1;
		for (int times = atoi(args[3]); times > 0; times--)
			races[index].make();
		stopped = 1;
		pthread_join(thread, 0);
		printf("%d %d\n", count[0], count[1]);
		return 0;
	}
	return 64;
}
