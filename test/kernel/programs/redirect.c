/* redirect (tcp4|tcp6|udp4|accepted|bound|unix|loose|file) ACTION...: makes a socket, connected to one of its own (loose: to nobody), and gives it, call by
 * call, to its standard streams, or fails to. accepted: the end that was connected to; bound:
 * of a port that was chosen before. */
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

/* A free port, of a socket that is gone. */
static void bind_chosen(int own, int family)
{
	union end end = local(family);
	socklen_t size = sizeof(end);
	int other = socket(family, SOCK_STREAM, 0);

	if (bind(other, &end.all, sizeof(end)) || getsockname(other, &end.all, &size))
		exit(3);
	close(other);
	if (bind(own, &end.all, sizeof(end)))
		exit(4);
}

static int connected(const char *kind)
{
	int family = strstr(kind, "6") ? AF_INET6 : AF_INET;
	int type = *kind == 'u' ? SOCK_DGRAM : SOCK_STREAM;
	int listener = socket(family, type, 0);
	int own = socket(family, type, 0);
	union end end = local(family);
	socklen_t size = sizeof(end);

	if (bind(listener, &end.all, sizeof(end)) || getsockname(listener, &end.all, &size))
		exit(5);
	if (type == SOCK_STREAM && listen(listener, 1))
		exit(6);
	if (*kind == 'b')
		bind_chosen(own, family);
	if (connect(own, &end.all, size))
		exit(7);
	return *kind == 'a' ? accept(listener, 0, 0) : own;
}

static int made(const char *kind)
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

static void shared(void)
{
	pthread_t thread;

	if (pthread_create(&thread, 0, idle, 0))
		exit(9);
}

/* The numbers themselves: a C library calls dup3 for dup2 where there is no dup2. */
static long copy(int from, int to)
{
#ifdef SYS_dup2
	return syscall(SYS_dup2, from, to);
#else
	return syscall(SYS_dup3, from, to, 0);
#endif
}

static void deed(const char *action, int own)
{
	if (!strcmp(action, "dup2"))
		copy(own, 1);
	else if (!strcmp(action, "dup3"))
		syscall(SYS_dup3, own, 2, O_CLOEXEC);
	else if (!strcmp(action, "dup")) {
		close(0);
		syscall(SYS_dup, own);
	} else if (!strcmp(action, "fcntl")) {
		close(1);
		fcntl(own, F_DUPFD, 1);
	} else if (!strcmp(action, "fcntl-cloexec")) {
		close(2);
		fcntl(own, F_DUPFD_CLOEXEC, 2);
	} else if (!strcmp(action, "fcntl-high")) {
		fcntl(own, F_DUPFD, 10);
		fcntl(own, F_DUPFD, 1); /* which is not free */
	} else if (!strcmp(action, "fcntl-others")) { /* each of which answers as if it had made the stream that is a socket already */
		close(0);
		if (socket(AF_INET, SOCK_DGRAM, 0))
			exit(10);
		fcntl(own, F_SETFL, fcntl(own, F_GETFL) & ~O_NONBLOCK);
		fcntl(own, F_SETFD, 0);
		fcntl(own, F_GETFD);
	} else if (!strcmp(action, "on")) { /* from a stream that is the socket already */
		copy(own, 0);
		copy(0, 1);
	} else if (!strcmp(action, "same"))
		copy(1, 1);
	else if (!strcmp(action, "high")) {
		copy(own, 200);
		syscall(SYS_dup, own);
	} else if (!strcmp(action, "again"))
		for (int n = 0; n < 50; n++)
			copy(own, 0);
	else if (!strcmp(action, "flags"))
		syscall(SYS_dup3, own, 0, O_APPEND);
	else if (!strcmp(action, "limit")) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_NOFILE, &none);
		copy(own, 0);
	} else if (!strcmp(action, "nothing"))
		copy(1000, 0);
	else if (!strcmp(action, "thread"))
		shared();
	else
		exit(64);
}

int main(int argc, char **argv)
{
	int own;

	if (argc < 2)
		return 64;
	own = made(argv[1]);
	if (own < 0)
		return 1;
	for (int n = 2; n < argc; n++)
		deed(argv[n], own);
	return 0;
}
