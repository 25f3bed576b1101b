/* redirect (tcp4|tcp6|udp4|accepted|bound|unix|loose|file) ACTION...: makes a connected socket (loose: not connected)
 * and makes it a standard stream, call by call, or fails to. accepted: the accepting end; bound: from a port chosen
 * before. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

union end {
	struct sockaddr all;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static union end local(int family)
{
	union end end;

	memset(&end, 0, sizeof(end));
	end.all.sa_family = family;
	if (family == AF_INET)
		end.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		end.six.sin6_addr = in6addr_loopback;
	return end;
}

/* Binds a free port, one that another socket had. */
static void bind_chosen(int fd, int family)
{
	union end end = local(family);
	socklen_t size = sizeof(end);
	int placeholder = socket(family, SOCK_STREAM, 0);

	if (bind(placeholder, &end.all, sizeof(end)) || getsockname(placeholder, &end.all, &size))
		exit(3);
	close(placeholder);
	if (bind(fd, &end.all, sizeof(end)))
		exit(4);
}

static int connected(const char *kind)
{
	int family = strstr(kind, "6") ? AF_INET6 : AF_INET;
	int type = *kind == 'u' ? SOCK_DGRAM : SOCK_STREAM;
	int listener = socket(family, type, 0);
	int fd = socket(family, type, 0);
	union end end = local(family);
	socklen_t size = sizeof(end);

	if (bind(listener, &end.all, sizeof(end)) || getsockname(listener, &end.all, &size))
		exit(5);
	if (type == SOCK_STREAM && listen(listener, 1))
		exit(6);
	if (*kind == 'b')
		bind_chosen(fd, family);
	if (connect(fd, &end.all, size))
		exit(7);
	return *kind == 'a' ? accept(listener, 0, 0) : fd;
}

static int open_source(const char *kind)
{
	int pair[2];

	if (!strcmp(kind, "file"))
		return open("/dev/null", O_RDWR);
	if (!strcmp(kind, "loose"))
		return socket(AF_INET, SOCK_STREAM, 0);
	if (strcmp(kind, "unix"))
		return connected(kind);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		exit(8);
	return pair[0];
}

static void *idle(void *unused)
{
	pause();
	return unused;
}

static void share_descriptors(void)
{
	pthread_t thread;

	if (pthread_create(&thread, 0, idle, 0))
		exit(9);
}

/* Makes the system call itself: without dup2 a C library calls dup3 instead. */
static long copy(int from, int to)
{
#ifdef SYS_dup2
	return syscall(SYS_dup2, from, to);
#else
	return syscall(SYS_dup3, from, to, 0);
#endif
}

static void run_action(const char *action, int fd)
{
	if (!strcmp(action, "dup2"))
		copy(fd, 1);
	else if (!strcmp(action, "dup3"))
		syscall(SYS_dup3, fd, 2, O_CLOEXEC);
	else if (!strcmp(action, "dup")) {
		close(0);
		syscall(SYS_dup, fd);
	} else if (!strcmp(action, "fcntl")) {
		close(1);
		fcntl(fd, F_DUPFD, 1);
	} else if (!strcmp(action, "fcntl-cloexec")) {
		close(2);
		fcntl(fd, F_DUPFD_CLOEXEC, 2);
	} else if (!strcmp(action, "fcntl-high")) {
		fcntl(fd, F_DUPFD, 10);
		fcntl(fd, F_DUPFD, 1); /* 1 is not free */
	} else if (!strcmp(action, "fcntl-others")) { /* each returns a value as if it had made a stream the socket */
		close(0);
		if (socket(AF_INET, SOCK_DGRAM, 0))
			exit(10);
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
		fcntl(fd, F_SETFD, 0);
		fcntl(fd, F_GETFD);
	} else if (!strcmp(action, "on")) { /* from a stream that is the socket already */
		copy(fd, 0);
		copy(0, 1);
	} else if (!strcmp(action, "same"))
		copy(1, 1);
	else if (!strcmp(action, "high")) {
		copy(fd, 200);
		syscall(SYS_dup, fd);
	} else if (!strcmp(action, "again"))
		for (int n = 0; n < 50; n++)
			copy(fd, 0);
	else if (!strcmp(action, "flags"))
		syscall(SYS_dup3, fd, 0, O_APPEND);
	else if (!strcmp(action, "limit")) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_NOFILE, &none);
		copy(fd, 0);
	} else if (!strcmp(action, "nothing"))
		copy(1000, 0);
	else if (!strcmp(action, "thread"))
		share_descriptors();
	else
		exit(64);
}

int main(int argc, char **argv)
{
	int fd;

	if (argc < 2)
		return 64;
	fd = open_source(argv[1]);
	if (fd < 0)
		return 1;
	for (int n = 2; n < argc; n++)
		run_action(argv[n], fd);
	return 0;
}
